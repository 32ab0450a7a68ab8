"""`torhaus queue`: what waits for each forwarder, and what can be done with it."""

import argparse
import sys
from typing import Any

import msgspec

from torhaus.daemon.cli import export, letters, replay
from torhaus.daemon.cli.live import Unreadable, watch
from torhaus.daemon.cli.show import UNKNOWN, duration, table
from torhaus.daemon.cli.status import fetch
from torhaus.daemon.main import add_config
from torhaus.daemon.status import ForwarderStatus, Status

HEAD = ("FORWARDER", "STATE", "BACKLOG", "OLDEST", "NOW/S", "MINUTE/S", "DRAINED IN", "ASIDE", "DEAD", "")


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """The command's place in the command line."""
    command = commands.add_parser(
        "queue",
        help="what waits for each forwarder, and the dead letters",
        description="What waits for each forwarder: how much, since when, how fast it goes (accepted records a second "
        "over the last 10 s and the last minute), and when it will be gone (— while it does not shrink).",
    )
    add_config(command)
    command.add_argument("--json", action="store_true", help="as JSON")
    command.add_argument("--watch", action="store_true", help="again every two seconds, until Ctrl-C")
    command.set_defaults(run=run_queue)
    actions = command.add_subparsers(metavar="dead-letters|replay|export")
    for part in (letters, replay, export):
        part.add(actions)


def run_queue(args: argparse.Namespace) -> int:
    """Backlogs, from the daemon or its files."""
    try:
        status = fetch(args.config)
    except Unreadable as e:
        print(e, file=sys.stderr)
        return e.code
    draw = _as_json if args.json else render
    if args.watch:
        return watch(status, lambda: fetch(args.config), draw, sys.stdout, tidy=not args.json)
    print(draw(status))
    return 0


def _as_json(status: Status) -> str:
    return msgspec.json.encode(status.forwarders).decode()


def render(status: Status) -> str:
    """The table."""
    if not status.forwarders:
        return "no forwarder has ever run" if not status.running else "no forwarder is configured"
    rows = [_row(name, f, status) for name, f in sorted(status.forwarders.items())]
    return table(HEAD, rows)


def _row(name: str, f: ForwarderStatus, status: Status) -> tuple[object, ...]:
    return (
        name,
        ("up" if f.up else "DOWN") if status.running else UNKNOWN,
        f.backlog,
        duration((status.now_ns - f.oldest_ns) / 1e9) if f.oldest_ns else UNKNOWN,
        _rate(f.accepted_per_s),
        _rate(f.accepted_per_s_minute),
        _drained(f),
        f.set_aside,
        f.dead_letters,
        f.detail,
    )


def _rate(per_s: float | None) -> str:
    return UNKNOWN if per_s is None else f"{per_s:.1f}"


def _drained(f: ForwarderStatus) -> str:
    if not f.backlog:
        return "empty"
    return UNKNOWN if f.drained_in_s is None else duration(f.drained_in_s)
