"""`torhaus sample`: commented sample configuration, ready to be edited."""

import argparse
import os
import sys

from torhaus.daemon.config import sample


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser("sample", help="print commented sample configuration", description=__doc__)
    parser.add_argument("kind", metavar="KIND", nargs="*", help="such as torhaus (default), devices or drivers/sml")
    parser.add_argument("--list", action="store_true", help="only say which there are")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the samples in the order they were asked for; 64 when there is no such sample."""
    found = sample.samples()
    if args.list:
        print("\n".join(found))
        return os.EX_OK
    kinds = {kind: sample.find(kind, found) for kind in args.kind or [sample.MAIN]}
    unknown = [kind for kind, names in kinds.items() if not names]
    if unknown:
        print(f"torhaus sample: no sample {', '.join(unknown)}; there are: {', '.join(found)}", file=sys.stderr)
        return os.EX_USAGE
    wanted = dict.fromkeys(name for names in kinds.values() for name in names)
    print("\n".join(found[name].read_text(encoding="utf-8") for name in wanted), end="")
    return os.EX_OK
