"""`torhaus scans`: the documents that came in, and where they stand."""

import argparse
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import msgspec

from torhaus.daemon.cli import scan_heads, scan_story, scan_targets, scan_tokens, scans_note, scans_release
from torhaus.daemon.cli.show import ago, size, table
from torhaus.daemon.main import add_config
from torhaus.daemon.scans.states import State

EX_USAGE: Final = 64
EX_UNAVAILABLE: Final = 69
EX_IOERR: Final = 74
EX_TEMPFAIL: Final = 75
EX_CONFIG: Final = 78
PULL_LOOK_S: Final = 0.5
"""How often the daemon is asked whether a job is over."""


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """The command's place in the command line."""
    command = commands.add_parser("scans", help="the documents that came in, and where they stand")
    actions = command.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="the newest, or those in one state")
    states = [s.value for s in State]
    listing.add_argument(
        "--state", action="append", default=[], choices=states, metavar="STATE", help=f"{', '.join(states)}; repeatable"
    )
    listing.set_defaults(run=run_list)
    show = actions.add_parser("show", help="one document and everything that happened to it")
    show.set_defaults(run=run_show)
    retry = actions.add_parser("retry", help="let a held one go on, or have a quarantined one checked again")
    retry.set_defaults(run=run_retry)
    pull = actions.add_parser("pull", help="fetch what lies in the feeder of a network or local scanner")
    pull.add_argument("station", metavar="STATION", help="the name of a [[scan.station]] of type escl or sane")
    pull.set_defaults(run=run_pull)
    scan_tokens.add(actions)
    scan_heads.add(actions)
    scans_note.add(actions)
    scans_release.add(actions)
    for action in (listing, show, retry, pull):
        add_config(action)
        action.add_argument("--json", action="store_true", help="as JSON")
    for action in (show, retry):
        action.add_argument("id", metavar="SCAN-ID")
    scan_targets.add(actions)
    retry.add_argument("--target", metavar="NAME", help="where a held one goes, if its station does not say")


def ask(
    config: Path,
    what: str,
    kind: Any,  # noqa: ANN401 - the type of the answer
    method: str = "GET",
    offline: Callable[[Path], Any] | None = None,
) -> Any:  # noqa: ANN401 - what `kind` says
    """The daemon's answer, or that of `offline` when it is down, or an exit code after saying what is wrong."""
    from torhaus.daemon.config.load import ConfigFaults, load
    from torhaus.daemon.control import NotRunning, Refused, ask_as

    try:
        loaded = load(config, check_only=True)
        return ask_as(Path(loaded.control.socket), what, kind, method)
    except ConfigFaults as e:
        print("\n".join(str(f) for f in e.faults), file=sys.stderr)
        return EX_CONFIG
    except Refused as e:
        print(e.words if e.is_about_the_question else e, file=sys.stderr)
        return EX_USAGE if e.is_about_the_question else EX_UNAVAILABLE
    except NotRunning as e:
        if offline is not None:
            return _offline(Path(loaded.store.path) / "scans" / "scans.db", offline)
        print(f"the daemon is not running ({e})", file=sys.stderr)
        return EX_UNAVAILABLE


def _offline(path: Path, read: Callable[[Path], Any]) -> Any:  # noqa: ANN401
    try:
        found = read(path)
    except (OSError, sqlite3.Error) as e:
        print(f"{path}: {e}", file=sys.stderr)
        return EX_IOERR
    if found is None:
        print("no such scan", file=sys.stderr)
        return EX_USAGE
    return found


def run_list(args: argparse.Namespace) -> int:
    """The newest scans first."""
    from torhaus.daemon.clock import SystemClock
    from torhaus.daemon.scans.offline import read_scans
    from torhaus.daemon.scans.pages import Row

    query = "&".join(f"state={quote(s)}" for s in args.state)
    what = "/scans" + (f"?{query}" if query else "")
    found = ask(args.config, what, list[Row], offline=lambda path: read_scans(path, args.state))
    if isinstance(found, int):
        return found
    if args.json:
        print(msgspec.json.encode(found).decode())
        return 0
    now = SystemClock().wall_ns()
    rows = [
        (r.id, r.station, r.state + (f" ({r.reason})" if r.reason else ""), r.target or "", r.pages, size(r.size_bytes),
         ago(r.changed_ns, now), r.name)
        for r in found
    ]  # fmt: skip
    print(table(("ID", "STATION", "STATE", "TARGET", "PAGES", "SIZE", "CHANGED", "NAME"), rows))
    print(scan_story.progress(found))
    return 0


def run_show(args: argparse.Namespace) -> int:
    """One scan and its evidence."""
    from torhaus.daemon.scans.offline import read_scan
    from torhaus.daemon.scans.pages import Shown

    what = f"/scans/show?id={quote(args.id)}"
    found = ask(args.config, what, Shown, offline=lambda path: read_scan(path, args.id))
    if isinstance(found, int):
        return found
    print(msgspec.json.encode(found).decode() if args.json else scan_story.story(found))
    return 0


def run_retry(args: argparse.Namespace) -> int:
    """Say what has become of it."""
    from torhaus.daemon.scans.pages import Row

    where = f"&target={quote(args.target)}" if args.target else ""
    found = ask(args.config, f"/scans/retry?id={quote(args.id)}{where}", Row, "POST")
    if isinstance(found, int):
        return found
    print(msgspec.json.encode(found).decode() if args.json else f"{found.id}: {found.state}")
    return 0


def run_pull(args: argparse.Namespace) -> int:
    """Start a job and wait for its end. Ctrl-C ends the waiting, not the job."""
    from torhaus.daemon.scans.pull.pulls import Pull

    where = f"/scans/pull?station={quote(args.station)}"
    found = ask(args.config, where, Pull, "POST")
    while not isinstance(found, int) and found.state == "running":
        time.sleep(PULL_LOOK_S)
        found = ask(args.config, where, Pull)
    if isinstance(found, int):
        return found
    if args.json:
        print(msgspec.json.encode(found).decode())
    elif found.state == "done":
        print(f"{found.job}: {found.files} {'file' if found.files == 1 else 'files'}")
    else:
        kept = f"; {found.files} {'file is' if found.files == 1 else 'files are'} held" if found.files else ""
        print(f"{found.job}: {found.said}{kept}", file=sys.stderr)
    return 0 if found.state == "done" else EX_TEMPFAIL
