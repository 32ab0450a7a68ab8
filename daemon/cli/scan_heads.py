"""`torhaus scans heads`: where journals of other boxes stood, for `torhaus evidence verify --head` there."""

import argparse
import sys
from typing import Any, Final
from urllib.parse import quote

from torhaus.daemon.main import add_config

EX_USAGE: Final = 64


def add(actions: "argparse._SubParsersAction[Any]") -> None:
    """The command's place below `torhaus scans`."""
    command = actions.add_parser("heads", help="where the journal of a site stood at each delivery, for its check")
    command.add_argument("station", metavar="STATION", help='the name of a [[scan.station]] of type "site"')
    command.add_argument("--store", help="which of its stores, where it had several")
    command.set_defaults(run=run)
    add_config(command)


def run(args: argparse.Namespace) -> int:
    """NUMBER:HASH, a line each, oldest first."""
    from torhaus.daemon.cli.scans import ask
    from torhaus.daemon.scans.uploads.heads import HEADS_AT_ONCE
    from torhaus.daemon.scans.uploads.pages import Heads

    after, store = 0, args.store
    while True:
        query = f"station={quote(args.station)}&store={quote(store or '')}&after={after}"
        found = ask(args.config, f"/scans/heads?{query}", Heads)
        if isinstance(found, int):
            return found
        if store is None and len(found.stores) > 1:
            print(f"choose one with --store: {', '.join(found.stores)}", file=sys.stderr)
            return EX_USAGE
        store = found.stores[0] if found.stores else ""
        for head in found.heads:
            print(head)
        if len(found.heads) < HEADS_AT_ONCE:
            return 0
        after = found.heads[-1].seq
