"""`torhaus check`: every fault of the configuration, one a line; 0 or 78. Touches no device and no network."""

import argparse
import os
import sys
from collections.abc import Sized

from torhaus.daemon.main import add_config


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser("check", help="check the configuration", description=__doc__)
    add_config(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print faults, or one line that begins with OK."""
    from torhaus.daemon.config.load import ConfigFaults, load

    try:
        loaded = load(args.config, check_only=True, named=True)
    except ConfigFaults as e:
        for fault in e.faults:
            print(fault)
        return os.EX_CONFIG
    for note in loaded.notes:
        print(f"note: {note}", file=sys.stderr)
    counts: list[tuple[str, Sized]] = [
        ("driver", loaded.drivers),
        ("forwarder", loaded.forwarders),
        ("device", loaded.devices),
    ]
    if loaded.has_scans:
        counts += [("scan station", loaded.scan.station), ("scan target", loaded.scan.target)]
    print("OK: " + ", ".join(f"{len(found)} {word}{'' if len(found) == 1 else 's'}" for word, found in counts))
    return os.EX_OK
