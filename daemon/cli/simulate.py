"""`torhaus simulate devices`: LoRaWAN end devices and gateways that behave as real ones, before a running daemon."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:  # imported by the command: `torhaus --help` needs none of it
    from torhaus.daemon.simulate.identity import Identity

_SEED: Final = 1
_TO: Final = "udp://127.0.0.1:1700"


def add(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """The command's place in the command line."""
    parser = subparsers.add_parser(
        "simulate", help="simulated LoRaWAN devices for a running daemon", description=__doc__
    )
    parser.set_defaults(run=run)
    commands = parser.add_subparsers(dest="simulate_command", required=True, metavar="COMMAND")
    one = commands.add_parser("devices", help="end devices that join and send, heard by simulated gateways")
    one.add_argument("--devices", type=int, default=10, metavar="N", help="how many (default: 10), without --registry")
    one.add_argument("--gateways", type=int, default=1, metavar="N", help="how many hear them (default: 1)")
    one.add_argument(
        "--to", action="append", metavar="URL", help=f"udp://… (GWMP) or ws://… (Basics Station); default: {_TO}"
    )
    one.add_argument("--registry", type=Path, metavar="DIR", help="devices.toml and devices.keys.toml to be simulated")
    one.add_argument(
        "--write-registry", type=Path, metavar="DIR", help="write such lists for the daemon, with new keys, and end"
    )
    one.add_argument("--seed", type=int, metavar="N", help="the same town, and on loopback the same keys, each time")
    one.add_argument("--lorawan", default="1.0.3", metavar="LIST", help="versions in turn: 1.0.2,1.0.3,1.0.4,1.1")
    one.add_argument("--region", default="EU868", metavar="NAME", help="default: EU868")
    one.add_argument("--period", type=float, default=60.0, metavar="S", help="seconds from uplink to uplink (60)")
    one.add_argument("--confirmed-every", type=int, default=0, metavar="N", help="each Nth uplink wants an answer")
    one.add_argument("--spread", type=float, default=10.0, metavar="S", help="all ask to join within this time (10)")
    one.add_argument("--class-c", action="store_true", help="devices listen all the time")
    one.add_argument("--no-duty-cycle", action="store_true", help="send as often as --period says (never on air!)")
    one.add_argument("--loss", type=float, default=0.0, metavar="P", help="part of all receptions that is lost, 0 to 1")
    one.add_argument("--radius", type=float, default=1.0, metavar="KM", help="of the town (1)")
    one.add_argument("--seconds", type=float, metavar="N", help="end by itself")


def run(args: argparse.Namespace) -> int:
    """0 when all devices have joined, 1 otherwise; 64 for what cannot be, 78 for bad lists, 73 if none is written."""
    from torhaus.codecs.lorawan.region import REGIONS
    from torhaus.daemon.config.document import ConfigFaults
    from torhaus.daemon.simulate.identity import VERSIONS
    from torhaus.daemon.simulate.run import lists_needed

    versions = args.lorawan.split(",")
    to = tuple(args.to or (_TO,))
    try:
        is_remote = lists_needed(to)
    except ValueError as e:
        return _wrong(f"--to {e}")
    if not set(versions) <= set(VERSIONS):
        return _wrong(f"--lorawan must be some of {', '.join(VERSIONS)}")
    if args.region not in REGIONS:
        return _wrong(f"--region must be one of {', '.join(REGIONS)}")
    if not (1 <= args.devices <= 65_536 and 1 <= args.gateways <= 256 and args.period > 0 and 0 <= args.loss <= 1):
        return _wrong("there are 1 to 65536 devices, 1 to 256 gateways, a period above 0 and a loss of 0 to 1")
    if not (args.spread >= 0 and args.radius > 0 and args.confirmed_every >= 0 and (args.seconds or 0) >= 0):
        return _wrong("--spread, --confirmed-every and --seconds are not below 0, and --radius is above it")
    if args.write_registry is not None:
        return _write(args, versions)
    if is_remote and args.registry is None:
        return _wrong(
            "keys made of a seed are for loopback only: write lists with --write-registry DIR, give them to the "
            "daemon, and say --registry DIR"
        )
    if args.registry is None:
        from torhaus.daemon.simulate.identity import identities

        counting = {"1.0.4", "1.1"} & set(versions)
        if counting:
            print(
                "note: DevNonces of 1.0.4 and 1.1 rise, and begin anew here: a daemon that remembers them refuses them",
                file=sys.stderr,
            )
        return _simulate(args, to, identities(args.devices, versions, _SEED if args.seed is None else args.seed))
    try:
        known = _read(args.registry)
    except ConfigFaults as e:
        for fault in e.faults:
            print(fault)
        return os.EX_CONFIG
    return _simulate(args, to, known)


def _simulate(args: argparse.Namespace, to: tuple[str, ...], known: "list[Identity]") -> int:
    import asyncio

    from torhaus.daemon.clock import SystemClock
    from torhaus.daemon.simulate.model import Habits
    from torhaus.daemon.simulate.nonces import NONCES, Nonces
    from torhaus.daemon.simulate.run import Plan, gateway_eui, simulate

    if not known:
        return _wrong("no device of the lists has root keys")
    habits = Habits(
        period_s=args.period,
        confirmed_every=args.confirmed_every,
        class_c=args.class_c,
        spread_s=args.spread,
        is_limited=not args.no_duty_cycle,
    )
    kept = Nonces(args.registry / NONCES if args.registry is not None else None)
    plan = Plan(
        known=tuple(known),
        to=to,
        gateways=args.gateways,
        seed=_SEED if args.seed is None else args.seed,
        region=args.region,
        habits=habits,
        loss=args.loss,
        radius_km=args.radius,
        nonces=kept.read(),
    )
    print(f"{len(known)} devices, gateways {gateway_eui(0)} to {gateway_eui(args.gateways - 1)}", flush=True)
    return asyncio.run(simulate(plan, SystemClock(), args.seconds, kept=kept.write))


def _write(args: argparse.Namespace, versions: list[str]) -> int:
    from torhaus.daemon.simulate.identity import identities, write_registry
    from torhaus.daemon.simulate.run import gateway_eui

    try:
        devices, keys = write_registry(args.write_registry, identities(args.devices, versions, args.seed))
    except OSError as e:
        print(f"torhaus simulate: {e.filename} cannot be written: {e.strerror}", file=sys.stderr)
        return os.EX_CANTCREAT
    print(f"# {args.devices} devices: {devices}, {keys}. Their gateways, below the driver in torhaus.toml:")
    for n in range(args.gateways):
        print(f'[[driver.gateway]]\neui = "{gateway_eui(n)}"')
    return os.EX_OK


def _read(folder: Path) -> "list[Identity]":
    """The devices of two lists that have root keys. Raises ConfigFaults."""
    from torhaus.daemon.config.load import ConfigFaults, DeviceFiles, read_device_set
    from torhaus.daemon.simulate.identity import from_lists

    files = DeviceFiles(folder / "devices.toml", False, folder / "devices.keys.toml", False, folder)
    found = read_device_set(files, folder)
    if found.faults:
        raise ConfigFaults(sorted(found.faults))
    known, left = from_lists(found.devices, found.keys)
    if left:
        print(f"note: {len(left)} devices without root keys are left out", file=sys.stderr)
    return known


def _wrong(text: str) -> int:
    print(f"torhaus simulate: {text}", file=sys.stderr)
    return os.EX_USAGE
