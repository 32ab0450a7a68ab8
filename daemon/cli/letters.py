"""`torhaus queue dead-letters`: what a far side refused for good, for a person to decide about."""

import argparse
import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from torhaus.daemon.cli.live import Unreadable
from torhaus.daemon.cli.reach import EX_IOERR, EX_UNAVAILABLE, EX_USAGE, configured
from torhaus.daemon.cli.show import plain, records, table
from torhaus.daemon.main import add_config
from torhaus.daemon.status import Letter

if TYPE_CHECKING:
    from torhaus.daemon.queue_pages import WholeLetter


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """The command's place below `queue`."""
    letters = commands.add_parser("dead-letters", help="records that a far side refused for good")
    verbs = letters.add_subparsers(metavar="list|show|retry|drop", required=True)
    listing = verbs.add_parser("list", help="all, or one forwarder's")
    listing.add_argument("--forwarder", metavar="NAME")
    listing.set_defaults(run=run_list)
    show = verbs.add_parser("show", help="one with its whole record")
    show.add_argument("number", type=int, metavar="NUMBER", help="as in the list")
    show.set_defaults(run=run_show)
    for one in (listing, show):
        one.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="as JSON")
    for verb, text in (("retry", "send them again"), ("drop", "delete them for good")):
        one = verbs.add_parser(verb, help=text)
        one.add_argument("numbers", type=int, nargs="*", metavar="NUMBER", help="as in the list")
        one.add_argument("--all", action="store_true", help="all there are")
        one.add_argument("--forwarder", metavar="NAME", help="with --all: only this one's")
        if verb == "drop":
            one.add_argument("--yes", action="store_true", help="with --all: do not ask")
        one.set_defaults(run=run_decide, verb=verb)
    for one in verbs.choices.values():
        add_config(one, again=True)


def run_list(args: argparse.Namespace) -> int:
    """The dead letters, oldest first."""
    from torhaus.daemon.offline import read_letters

    query = f"?forwarder={quote(args.forwarder, safe='')}" if args.forwarder else ""
    found = _ask(
        args.config,
        f"/dead-letters{query}",
        list[Letter],
        lambda store, site: read_letters(store, site, args.forwarder),
    )
    if isinstance(found, int):
        return found
    if args.json:
        print(msgspec.json.encode(found).decode())
    else:
        rows = [(x.number, x.forwarder, x.id, x.device or "", x.reason) for x in found]
        print(table(("NUMBER", "FORWARDER", "ID", "DEVICE", "REASON"), rows))
    return 0


def run_show(args: argparse.Namespace) -> int:
    """One dead letter with everything there is of its record."""
    from torhaus.daemon.offline import read_letter
    from torhaus.daemon.queue_pages import WholeLetter

    found = _ask(
        args.config,
        f"/dead-letters/{args.number}",
        WholeLetter,
        lambda store, site: read_letter(store, site, args.number),
    )
    if isinstance(found, int):
        return found
    if found is None:
        print("no such dead letter, or it was damaged on disk", file=sys.stderr)
        return EX_USAGE
    print(msgspec.json.encode(found).decode() if args.json else render(found))
    return 0


def render(x: "WholeLetter") -> str:
    """A dead letter as text, a line each."""
    from torhaus.daemon.forward.render import rfc3339

    m = x.message
    known = "" if x.known_ns in {None, x.received_ns} else f", corrected {rfc3339(x.known_ns or 0)}"
    mark = "" if m.clock == "synced" else f" (clock {m.clock})"
    lines = [
        ("number", x.number),
        ("forwarder", x.forwarder),
        ("refused at", rfc3339(x.at_ns)),
        ("reason", x.reason),
        ("id", x.id),
        ("received", f"{rfc3339(x.received_ns)}{known}{mark}"),
        ("since boot", f"{x.boot_ns / 1e9:.3f} s, boot {x.boot}"),
        ("kind", m.kind),
        ("driver", m.driver),
        ("device", m.device),
        ("DevEUI", m.dev_eui),
        ("codec", m.codec),
        *((f"  {name}", f"{v.value} {v.unit or ''}".rstrip()) for name, v in (m.fields or {}).items()),
        ("no fields", m.reason and f"{m.reason} {m.detail or ''}".rstrip()),
        ("radio", m.lora and msgspec.json.encode(m.lora).decode()),
        ("event", m.event and msgspec.json.encode(m.event).decode()),
        ("raw", x.raw_hex),
    ]
    return "\n".join(f"{name:<12} {plain(value)}" for name, value in lines if value not in {None, ""})


def _ask(config: Path, what: str, kind: Any, offline: Any) -> Any:  # noqa: ANN401 - what `kind` says, or an exit code
    from torhaus.daemon.control import NotRunning, Refused, ask_as
    from torhaus.daemon.outbox.migrate import SchemaError

    try:
        loaded = configured(config)
    except Unreadable as e:
        print(e, file=sys.stderr)
        return e.code
    store = Path(loaded.store.path)
    try:
        try:
            return ask_as(Path(loaded.control.socket), what, kind)
        except NotRunning:
            return offline(store, loaded.site.id)
    except Refused as e:
        print(e.words if e.is_about_the_question else e, file=sys.stderr)
        return EX_USAGE if e.is_about_the_question else EX_UNAVAILABLE
    except (OSError, sqlite3.Error, SchemaError) as e:
        print(f"{store}: {e}", file=sys.stderr)
        return EX_IOERR


def run_decide(args: argparse.Namespace) -> int:
    """Retry or drop dead letters: needs the running daemon, which owns the file."""
    if bool(args.numbers) == args.all or (args.forwarder and not args.all):
        print("say which: NUMBER …, or --all, or --all --forwarder NAME", file=sys.stderr)
        return EX_USAGE
    if args.all and args.verb == "drop" and not args.yes and not _confirmed(args.forwarder):
        return EX_USAGE
    calls = [(f"{n}: ", *_call(args.verb, n)) for n in args.numbers]
    if args.all:
        query = f"?forwarder={quote(args.forwarder, safe='')}" if args.forwarder else ""
        calls = [
            ("", "POST", f"/dead-letters/retry{query}")
            if args.verb == "retry"
            else ("", "DELETE", f"/dead-letters{query}")
        ]
    return _decide(args.config, calls)


def _call(verb: str, number: int) -> tuple[str, str]:
    return ("POST", f"/dead-letters/{number}/retry") if verb == "retry" else ("DELETE", f"/dead-letters/{number}")


def _confirmed(forwarder: str | None) -> bool:
    if not sys.stdin.isatty():
        print("not on a terminal: say --yes to delete all dead letters", file=sys.stderr)
        return False
    whose = f"of {plain(forwarder)}" if forwarder else "of all forwarders"
    return input(f"Delete all dead letters {whose} for good? Type yes: ").strip() == "yes"


def _decide(config: Path, calls: list[tuple[str, str, str]]) -> int:
    """Every call, with what goes before its refusal; one that is refused does not keep the others from being made."""
    from torhaus.daemon.control import NotRunning, Refused, ask_as

    code = 0
    try:
        socket = Path(configured(config).control.socket)
        for which, method, path in calls:
            try:
                done = ask_as(socket, path, dict[str, Any], method)
            except Refused as e:
                print(f"{which}{e.words}" if e.is_about_the_question else e, file=sys.stderr)
                code = EX_USAGE if e.is_about_the_question else EX_UNAVAILABLE
            else:
                if "records" in done:
                    print(records(done["records"]))
    except Unreadable as e:
        print(e, file=sys.stderr)
        return e.code
    except NotRunning:
        print("the daemon is not running", file=sys.stderr)
        return EX_UNAVAILABLE
    return code
