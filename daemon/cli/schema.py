"""`torhaus schema`: the JSON Schema of the configuration, for editors."""

import argparse
import json
import os


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser("schema", help="print the configuration's JSON Schema", description=__doc__)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:  # noqa: ARG001 - every command has the same door
    """Print it."""
    from torhaus.daemon.config.schema import schema

    print(json.dumps(schema(), indent=2, ensure_ascii=False))
    return os.EX_OK
