"""`torhaus queue replay`: have a forwarder send again what the log still has since some time."""

import argparse
import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from torhaus.daemon.cli.live import Unreadable
from torhaus.daemon.cli.moment import add_span
from torhaus.daemon.cli.progress import Progress
from torhaus.daemon.cli.reach import EX_IOERR, EX_UNAVAILABLE, EX_USAGE, configured
from torhaus.daemon.cli.show import records
from torhaus.daemon.main import add_config

if TYPE_CHECKING:
    from torhaus.daemon.forward.replay import Replayed


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """The command's place below `queue`."""
    command = commands.add_parser(
        "replay",
        help="send again what the log still has since some time",
        description="Sends again, with the same ids and marked late, beside what comes in. Needs the running daemon. "
        "What has been dropped or removed after delivery is gone; dead letters have their own `retry`. Where the clock "
        "was stepped, everything from the first record since then to the last is sent, whatever lies between.",
    )
    command.add_argument("--forwarder", required=True, metavar="NAME", help="the one that sends")
    add_span(command, required=True)
    command.add_argument("--dry-run", action="store_true", help="only say how many records it would be")
    add_config(command, again=True)
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Find the stretch in the files, then have the daemon send it."""
    from torhaus.daemon.control import NotRunning, Refused, ask, ask_as
    from torhaus.daemon.forward.replay import Replayed
    from torhaus.daemon.outbox.migrate import SchemaError

    try:
        loaded = configured(args.config)
    except Unreadable as e:
        print(e, file=sys.stderr)
        return e.code
    socket, store = Path(loaded.control.socket), Path(loaded.store.path)
    what = f"/forwarders/{quote(args.forwarder, safe='')}/replay"
    try:
        ask(socket, f"{what}?start=0&end=0&dry_run=1", "POST")  # a wrong name is told before the log is read
        found, begins = _find(store, loaded.log_of(args.forwarder), args.since, args.until)
        if found is None:
            print("the log has nothing of that time" + begins)
            return 0
        start, end = found
        query = f"?start={start}&end={end}" + ("&dry_run=1" if args.dry_run else "")
        done: Replayed = ask_as(socket, what + query, Replayed, "POST")
    except NotRunning:
        print("the daemon is not running: start it, it is the one that sends", file=sys.stderr)
        return EX_UNAVAILABLE
    except Refused as e:
        print(e.words if e.is_about_the_question else e, file=sys.stderr)
        return EX_USAGE if e.is_about_the_question else EX_UNAVAILABLE
    except (OSError, sqlite3.Error, SchemaError) as e:
        print(f"{store}: {e}", file=sys.stderr)
        return EX_IOERR
    print(_words(done, dry_run=args.dry_run) + begins)
    return 0


def _words(done: "Replayed", *, dry_run: bool) -> str:
    if dry_run:
        return f"{records(done.records)} would be sent again (what is not for this forwarder is passed over)"
    return f"{records(done.records)} to be sent again; backlog now {done.backlog}"


def _find(store: Path, log: str, since_ns: int, until_ns: int | None) -> tuple[tuple[int, int] | None, str]:
    """The stretch, and a word when the log does not reach back so far."""
    import contextlib

    from torhaus.daemon.forward.render import rfc3339
    from torhaus.daemon.offline import read_only_state
    from torhaus.daemon.outbox.record import Stored
    from torhaus.daemon.outbox.times import stretch
    from torhaus.daemon.outbox.view import FOLDERS, View
    from torhaus.daemon.outbox.when import best_wall_ns

    state = read_only_state(store)
    boots: dict[str, int] = {}
    if state is not None:
        with contextlib.closing(state):
            boots = state.boots()
    with View(store / FOLDERS[log]) as view, Progress("looking through the log, segments") as progress:
        found = stretch(view.folder, view.segments, since_ns, until_ns, boots, progress.told)
        first = next((r for r in view.records() if isinstance(r, Stored)), None)
    if first is None:
        return found, ""
    begins_ns = best_wall_ns(first.at, first.boot, boots)
    return found, f"; the log begins at {rfc3339(begins_ns)}" if begins_ns > since_ns else ""
