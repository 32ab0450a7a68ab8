"""`torhaus scans`: the documents that came in, and where they stand."""

import argparse
import sys
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import msgspec

from torhaus.daemon.cli.show import ago, size, table
from torhaus.daemon.main import add_config

EX_USAGE: Final = 64
EX_UNAVAILABLE: Final = 69
EX_CONFIG: Final = 78


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """The command's place in the command line."""
    command = commands.add_parser("scans", help="the documents that came in, and where they stand")
    actions = command.add_subparsers(metavar="list|show|retry", required=True)
    listing = actions.add_parser("list", help="the newest, or those in one state")
    listing.add_argument("--state", action="append", default=[], metavar="STATE", help="may be given several times")
    listing.set_defaults(run=run_list)
    show = actions.add_parser("show", help="one document and everything that happened to it")
    show.set_defaults(run=run_show)
    retry = actions.add_parser("retry", help="let a held one go on, or have a quarantined one checked again")
    retry.set_defaults(run=run_retry)
    for action in (listing, show, retry):
        add_config(action)
        action.add_argument("--json", action="store_true", help="as JSON")
    for action in (show, retry):
        action.add_argument("id", metavar="SCAN-ID")


def _ask(config: Path, what: str, kind: Any, method: str = "GET") -> Any:  # noqa: ANN401 - what `kind` says
    """The daemon's answer, or an exit code after saying what is wrong."""
    from torhaus.daemon.config.load import ConfigFaults, load
    from torhaus.daemon.control import NotRunning, Refused, ask_as

    try:
        loaded = load(config, check_only=True)
        return ask_as(Path(loaded.control.socket), what, kind, method)
    except ConfigFaults as e:
        print("\n".join(str(f) for f in e.faults), file=sys.stderr)
        return EX_CONFIG
    except Refused as e:
        print(e, file=sys.stderr)
        return EX_USAGE
    except NotRunning as e:
        if what.startswith("/scans?") or what == "/scans":
            return _offline(Path(loaded.store.path), what)
        print(f"the daemon is not running ({e})", file=sys.stderr)
        return EX_UNAVAILABLE


def _offline(store: Path, what: str) -> Any:  # noqa: ANN401
    from urllib.parse import parse_qs, urlsplit

    from torhaus.daemon.scans.offline import read_scans

    states = parse_qs(urlsplit(what).query).get("state", [])
    return read_scans(store / "scans" / "scans.db", states)


def run_list(args: argparse.Namespace) -> int:
    """The newest scans first."""
    from torhaus.daemon.clock import SystemClock
    from torhaus.daemon.scans.pages import Row

    query = "&".join(f"state={quote(s)}" for s in args.state)
    found = _ask(args.config, "/scans" + (f"?{query}" if query else ""), list[Row])
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
    return 0


def run_show(args: argparse.Namespace) -> int:
    """One scan and its evidence."""
    from torhaus.daemon.scans.pages import Shown

    found = _ask(args.config, f"/scans/show?id={quote(args.id)}", Shown)
    if isinstance(found, int):
        return found
    text = msgspec.json.encode(found)
    print((text if args.json else msgspec.json.format(text, indent=2)).decode())
    return 0


def run_retry(args: argparse.Namespace) -> int:
    """Say what has become of it."""
    from torhaus.daemon.scans.pages import Row

    found = _ask(args.config, f"/scans/retry?id={quote(args.id)}", Row, "POST")
    if isinstance(found, int):
        return found
    print(msgspec.json.encode(found).decode() if args.json else f"{found.id}: {found.state}")
    return 0
