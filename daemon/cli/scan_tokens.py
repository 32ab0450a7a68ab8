"""`torhaus scans token`: the tokens with which stations of type `http` upload. Asks the running daemon."""

import argparse
from typing import Any
from urllib.parse import quote

import msgspec

from torhaus.daemon.cli.show import ago, table
from torhaus.daemon.main import add_config


def add(actions: "argparse._SubParsersAction[Any]") -> None:
    """The command's place below `torhaus scans`."""
    command = actions.add_parser("token", help="tokens with which stations upload")
    does = command.add_subparsers(metavar="add|list|revoke", required=True)
    new = does.add_parser("add", help="make one, and print it: it is shown this once, only its hash is kept")
    new.set_defaults(run=run_add)
    listing = does.add_parser("list", help="all there are, and those that were revoked")
    listing.set_defaults(run=run_list)
    revoke = does.add_parser("revoke", help="make one good for nothing, at once")
    revoke.set_defaults(run=run_revoke)
    for action in (new, listing, revoke):
        add_config(action)
        action.add_argument("--json", action="store_true", help="as JSON")
    listing.add_argument("station", metavar="STATION", nargs="?")
    for action in (new, revoke):
        action.add_argument("station", metavar="STATION")
    revoke.add_argument("id", metavar="TOKEN-ID", help="as `torhaus scans token list` names it")


def run_add(args: argparse.Namespace) -> int:
    """Print the token alone, so that it can be piped to where it belongs."""
    from torhaus.daemon.cli.scans import ask
    from torhaus.daemon.scans.uploads.pages import NewToken

    found = ask(args.config, f"/scans/tokens?station={quote(args.station)}", NewToken, "POST")
    if isinstance(found, int):
        return found
    print(msgspec.json.encode(found).decode() if args.json else found.text)
    return 0


def run_list(args: argparse.Namespace) -> int:
    """Oldest first."""
    from torhaus.daemon.cli.scans import ask
    from torhaus.daemon.clock import SystemClock
    from torhaus.daemon.scans.uploads.access import Token

    query = f"?station={quote(args.station)}" if args.station else ""
    found = ask(args.config, f"/scans/tokens{query}", list[Token])
    if isinstance(found, int):
        return found
    if args.json:
        print(msgspec.json.encode(found).decode())
        return 0
    now = SystemClock().wall_ns()
    rows = [
        (t.id, t.station, ago(t.made_ns, now), "good" if t.revoked_ns is None else f"revoked {ago(t.revoked_ns, now)}")
        for t in found
    ]
    print(table(("ID", "STATION", "MADE", "STATE"), rows))
    return 0


def run_revoke(args: argparse.Namespace) -> int:
    """Say that it is done."""
    from torhaus.daemon.cli.scans import ask

    what = f"/scans/tokens?station={quote(args.station)}&id={quote(args.id)}"
    found = ask(args.config, what, dict[str, bool], "DELETE")
    if isinstance(found, int):
        return found
    print(msgspec.json.encode(found).decode() if args.json else f"{args.id}: revoked")
    return 0
