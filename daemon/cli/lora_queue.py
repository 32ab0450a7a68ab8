"""`torhaus lora queue` and `cancel`: which downlinks wait for their devices, and what became of the last ones."""

import argparse
import sqlite3
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from torhaus.daemon.cli.live import Unreadable
from torhaus.daemon.cli.reach import EX_IOERR, EX_UNAVAILABLE, EX_USAGE, configured
from torhaus.daemon.cli.show import UNKNOWN, duration, table
from torhaus.daemon.main import add_config

if TYPE_CHECKING:  # imported by the command: `torhaus --help` needs none of it
    from torhaus.daemon.config.load import Loaded
    from torhaus.daemon.lora.order_pages import Shown

HEAD = ("ID", "QUEUED (UTC)", "DEVICE", "FPORT", "PAYLOAD", "", "STATE", "TRIES", "LEFT", "")
_SHOWN_DIGITS = 16


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """The commands' places below `lora`."""
    text = "downlinks that wait for their devices, in the order in which they go"
    command = commands.add_parser("queue", help=text, description=f"{text[0].upper()}{text[1:]}.")
    command.add_argument("device", nargs="?", metavar="DEVICE", help="of this device only: name or DevEUI")
    command.add_argument("--all", action="store_true", help="also the last ones that are done with")
    command.add_argument("--json", action="store_true", help="as JSON")
    add_config(command)
    command.set_defaults(run=run)
    text = "take a downlink out of the queue"
    command = commands.add_parser("cancel", help=text, description=f"{text[0].upper()}{text[1:]}.")
    command.add_argument("id", metavar="ID", help="as `torhaus lora queue` shows it")
    add_config(command)
    command.set_defaults(run=run_cancel)


def run(args: argparse.Namespace) -> int:
    """0; 64 for an unknown device, 69 when the daemon is not running: then what is on disk is shown."""
    import msgspec

    from torhaus.daemon.control import NotRunning, Refused, ask_as
    from torhaus.daemon.lora.order_pages import Shown

    code = 0
    try:
        loaded = configured(args.config)
        query = ({"device": args.device} if args.device else {}) | ({"all": 1} if args.all else {})
        try:
            found = ask_as(Path(loaded.control.socket), f"/lora/downlinks?{urlencode(query)}", list[Shown])
        except NotRunning:
            print("the daemon is not running; what is on disk:", file=sys.stderr)
            found, code = _from_disk(loaded, args), EX_UNAVAILABLE
    except Unreadable as e:
        print(e, file=sys.stderr)
        return e.code
    except Refused as e:
        print(e.words, file=sys.stderr)
        return EX_USAGE if e.status == 404 else EX_UNAVAILABLE
    print(msgspec.json.encode(found).decode() if args.json else render(found))
    return code


def run_cancel(args: argparse.Namespace) -> int:
    """0; 64 where there is no such downlink, 69 when it cannot be taken out any more, or the daemon is down."""
    from torhaus.daemon.control import NotRunning, Refused, ask_as

    if not (len(args.id) == 12 and set(args.id) <= set("0123456789abcdef")):
        print("ID: 12 hex digits, as `torhaus lora queue` shows them", file=sys.stderr)
        return EX_USAGE
    try:
        socket = Path(configured(args.config).control.socket)
        ask_as(socket, f"/lora/downlinks/{args.id}", dict[str, str], "DELETE")
    except Unreadable as e:
        print(e, file=sys.stderr)
        return e.code
    except NotRunning:
        print("the daemon is not running: nothing was cancelled", file=sys.stderr)
        return EX_UNAVAILABLE
    except Refused as e:
        print(e.words, file=sys.stderr)
        return EX_USAGE if e.status == 404 else EX_UNAVAILABLE
    print(f"{args.id}: cancelled")
    return 0


def render(found: "list[Shown]") -> str:
    """The table."""
    return table(HEAD, [_row(s) for s in found]) if found else "no downlinks wait"


def _row(s: "Shown") -> tuple[object, ...]:
    payload = s.payload if len(s.payload) <= _SHOWN_DIGITS else f"{s.payload[:_SHOWN_DIGITS]}… ({len(s.payload) // 2})"
    flags = ("confirmed " if s.confirmed else "") + (f"priority {s.priority}" if s.priority else "")
    return (
        s.id,
        f"{datetime.fromtimestamp(s.at_ns / 1e9, UTC):%Y-%m-%d %H:%M:%S}",
        s.device or s.dev_eui,
        s.fport,
        payload or UNKNOWN,
        flags.strip(),
        s.state.replace("_", " "),
        s.tries,
        UNKNOWN if s.left_s is None else duration(max(0.0, s.left_s)),
        s.why + (f" [{s.ref}]" if s.ref else ""),
    )


def _from_disk(loaded: "Loaded", args: argparse.Namespace) -> "list[Shown]":
    """As the files have it. Raises Unreadable."""
    import contextlib

    from torhaus.daemon.lora.order_pages import shown
    from torhaus.daemon.offline import read_only_state
    from torhaus.daemon.outbox.migrate import SchemaError

    names = {d.dev_eui: d.name for d in loaded.devices if d.dev_eui is not None}
    try:
        state = read_only_state(Path(loaded.store.path))
        if state is None:
            return []
        with contextlib.closing(state):
            items = state.downlinks()[0]
    except (OSError, sqlite3.Error, SchemaError) as e:
        raise Unreadable(f"{loaded.store.path}: {e}", EX_IOERR) from None
    found = [shown(q, names.get(q.dev_eui, "")) for q in items if args.all or q.place != "done"]
    return [s for s in found if args.device in {None, s.device, s.dev_eui}]
