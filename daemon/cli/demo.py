"""`torhaus demo`: the daemon with simulated gateways, a meter and a scan station, all on loopback."""

import argparse
import asyncio
from pathlib import Path
from typing import Any


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """The command's place in the command line."""
    command = commands.add_parser("demo", help="the daemon with simulated devices, all on loopback")
    command.add_argument("--seconds", type=float, metavar="N", help="end by itself")
    command.add_argument("--dir", type=Path, metavar="DIR", help="keep configuration and records here")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run until Ctrl-C. 1 when nothing arrived."""
    from torhaus.daemon.demo.run import demo

    return asyncio.run(demo(args.dir.absolute() if args.dir else None, args.seconds))
