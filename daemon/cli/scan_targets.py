"""`torhaus scans targets` and `scans try`: how the targets of documents stand, and whether they can be reached."""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import msgspec

from torhaus.daemon.cli.show import duration, plain, table
from torhaus.daemon.main import add_config

EX_USAGE: Final = 64
EX_UNAVAILABLE: Final = 69
EX_CONFIG: Final = 78


def add(actions: "argparse._SubParsersAction[Any]") -> None:
    """The commands' places below `torhaus scans`."""
    targets = actions.add_parser("targets", help="where documents go: what each target proves, and how it stands")
    targets.add_argument("--json", action="store_true", help="as JSON")
    targets.set_defaults(run=run_targets)
    probe = actions.add_parser("try", help="whether documents could go to a target, without sending one")
    probe.add_argument("target", metavar="TARGET", help="the name of a [[scan.target]]")
    probe.set_defaults(run=run_try)
    for action in (targets, probe):
        add_config(action)


def run_targets(args: argparse.Namespace) -> int:
    """One line a target."""
    from torhaus.daemon.cli.scans import ask
    from torhaus.daemon.scans.delivery import Standing

    found = ask(args.config, "/scans/targets", list[Standing])
    if isinstance(found, int):
        return found
    if args.json:
        print(msgspec.json.encode(found).decode())
        return 0
    rows = [(t.name, t.type, t.proves, state(t), t.under_way, plain(t.detail)) for t in found]
    print(table(("TARGET", "TYPE", "PROVES", "STATE", "UNDER WAY", "LAST TROUBLE"), rows))
    return 0


def state(standing: Any) -> str:  # noqa: ANN401 - a Standing, whose module is imported when it is needed
    """In words."""
    if not standing.is_up:
        return f"down for {duration(standing.down_s)}, tried again in {duration(standing.retry_s)}"
    return "up" if standing.in_hours else "out of hours"


def run_try(args: argparse.Namespace) -> int:
    """By the daemon, which has the rights and the secrets; by ourselves where it does not run."""
    from torhaus.daemon.config.load import ConfigFaults, load
    from torhaus.daemon.control import NotRunning, Refused, ask_as

    try:
        loaded = load(args.config, check_only=True)
        what = f"/scans/try?target={quote(args.target, safe='')}"
        print(plain(ask_as(Path(loaded.control.socket), what, str, "POST")))
    except ConfigFaults as e:
        print("\n".join(str(f) for f in e.faults), file=sys.stderr)
        return EX_CONFIG
    except Refused as e:
        print(plain(e.words), file=sys.stderr)
        return EX_USAGE if e.is_about_the_question else EX_UNAVAILABLE
    except NotRunning:
        return _try_here(loaded.scan.target, args.target)
    return 0


def _try_here(targets: tuple[Any, ...], name: str) -> int:
    from torhaus.daemon.clock import SystemClock
    from torhaus.daemon.scans.disk import Disk
    from torhaus.daemon.scans.targets.base import Context, NotNow, Pending, Refused, TargetDown
    from torhaus.daemon.scans.targets.registry import open_target
    from torhaus.daemon.scans.throttle import Throttle

    config = next((t for t in targets if t.name == name), None)
    if config is None:
        print("no such target", file=sys.stderr)
        return EX_USAGE

    async def go() -> str:
        clock = SystemClock()
        target = open_target(config, Context(Disk(), clock, Throttle(None, clock)))
        try:
            return await target.probe()
        finally:
            await target.close()

    try:
        print(plain(asyncio.run(go())))
    except (TargetDown, NotNow, Refused, Pending) as e:
        print(plain(e), file=sys.stderr)
        return EX_UNAVAILABLE
    return 0
