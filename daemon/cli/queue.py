"""`torhaus queue`: what waits for each forwarder, and the dead letters."""

import argparse
import sqlite3
import sys
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import msgspec

from torhaus.daemon.cli.show import table
from torhaus.daemon.cli.status import EX_CONFIG, EX_IOERR, EX_UNAVAILABLE, Unreadable, fetch
from torhaus.daemon.main import add_config
from torhaus.daemon.status import Letter

EX_USAGE: Final = 64


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """The command's place in the command line."""
    command = commands.add_parser("queue", help="what waits for each forwarder, and the dead letters")
    add_config(command)
    command.add_argument("--json", action="store_true", help="as JSON")
    command.set_defaults(run=run_queue)
    actions = command.add_subparsers(metavar="dead-letters")
    letters = actions.add_parser("dead-letters", help="records that a far side refused for good")
    verbs = letters.add_subparsers(metavar="list|retry|drop", required=True)
    listing = verbs.add_parser("list", help="all, or one forwarder's")
    listing.add_argument("--forwarder", metavar="NAME")
    listing.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="as JSON")
    add_config(listing, again=True)
    listing.set_defaults(run=run_list)
    for verb, text in (("retry", "send it again"), ("drop", "delete it for good")):
        one = verbs.add_parser(verb, help=text)
        one.add_argument("number", type=int, metavar="NUMBER", help="as in the list")
        add_config(one, again=True)
        one.set_defaults(run=run_decide, verb=verb)


def run_queue(args: argparse.Namespace) -> int:
    """Backlogs, from the daemon or its files."""
    try:
        status = fetch(args.config)
    except Unreadable as e:
        print(e, file=sys.stderr)
        return e.code
    if args.json:
        print(msgspec.json.encode(status.forwarders).decode())
        return 0
    rows = [(name, f.backlog, f.set_aside, f.dead_letters, f.detail) for name, f in sorted(status.forwarders.items())]
    print(table(("FORWARDER", "BACKLOG", "ASIDE", "DEAD LETTERS", ""), rows))
    return 0


def _socket(config: Path) -> tuple[Path, Path, str]:
    from torhaus.daemon.config.load import ConfigFaults, load

    try:
        loaded = load(config, check_only=True)
    except ConfigFaults as e:
        raise Unreadable("\n".join(str(f) for f in e.faults), EX_CONFIG) from None
    return Path(loaded.control.socket), Path(loaded.store.path), loaded.site.id


def run_list(args: argparse.Namespace) -> int:
    """The dead letters, oldest first."""
    from torhaus.daemon.control import NotRunning, Refused, ask_as
    from torhaus.daemon.offline import read_letters
    from torhaus.daemon.outbox.migrate import SchemaError

    try:
        socket, store, site = _socket(args.config)
        query = f"?forwarder={quote(args.forwarder)}" if args.forwarder else ""
        try:
            found: list[Letter] = ask_as(socket, f"/dead-letters{query}", list[Letter])
        except NotRunning:
            found = read_letters(store, site, args.forwarder)
    except (Unreadable, Refused) as e:
        print(e, file=sys.stderr)
        return e.code if isinstance(e, Unreadable) else EX_UNAVAILABLE
    except (OSError, sqlite3.Error, SchemaError) as e:
        print(f"{store}: {e}", file=sys.stderr)
        return EX_IOERR
    if args.json:
        print(msgspec.json.encode(found).decode())
    else:
        rows = [(x.number, x.forwarder, x.id, x.device or "", x.reason) for x in found]
        print(table(("NUMBER", "FORWARDER", "ID", "DEVICE", "REASON"), rows))
    return 0


def run_decide(args: argparse.Namespace) -> int:
    """Retry or drop one dead letter: needs the running daemon, which owns the file."""
    from torhaus.daemon.control import NotRunning, Refused, ask

    method, path = (
        ("POST", f"/dead-letters/{args.number}/retry")
        if args.verb == "retry"
        else ("DELETE", f"/dead-letters/{args.number}")
    )
    try:
        socket, _, _ = _socket(args.config)
        ask(socket, path, method)
    except Unreadable as e:
        print(e, file=sys.stderr)
        return e.code
    except NotRunning:
        print("the daemon is not running", file=sys.stderr)
        return EX_UNAVAILABLE
    except Refused as e:
        print(e, file=sys.stderr)
        return EX_USAGE if e.is_about_the_question else EX_UNAVAILABLE
    return 0
