"""Times as people write them: `2h` ago, a day, or RFC 3339."""

import argparse
import re
from datetime import datetime
from typing import Final

from torhaus.daemon.clock import SystemClock

_AGO: Final = re.compile(r"([0-9]{1,9}) ?(s|min|h|d|w)")
_UNITS: Final = {"s": 1, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
WORDS: Final = "such as 2h, 3d (ago), 2026-11-23 or 2026-11-23T09:53:25Z"


def parse_moment(text: str, now_ns: int) -> int:
    """Wall clock in ns. `30s`, `45min`, `2h`, `3d`, `1w` ago; without an offset in the box's time zone.

    Raises ValueError.
    """
    text = text.strip()
    ago = _AGO.fullmatch(text)
    if ago is not None:
        return max(0, now_ns - int(ago[1]) * _UNITS[ago[2]] * 10**9)
    try:
        at = datetime.fromisoformat(text)
        found = at if at.tzinfo is not None else at.astimezone()
        seconds = found.timestamp()
    except (ValueError, OverflowError, OSError) as e:
        raise ValueError(f"must be a time {WORDS}") from e
    if seconds < 0:
        raise ValueError("must not be before 1970")
    return int(seconds) * 10**9 + found.microsecond * 1000


def moment(text: str) -> int:
    """For argparse: the wall clock in ns, counted from now."""
    try:
        return parse_moment(text, SystemClock().wall_ns())
    except ValueError as e:
        raise argparse.ArgumentTypeError(str(e)) from None


def add_span(command: argparse.ArgumentParser, *, required: bool) -> None:
    """`--since` and `--until`."""
    command.add_argument("--since", type=moment, required=required, metavar="T", help=f"received from then on: {WORDS}")
    command.add_argument("--until", type=moment, metavar="T", help="received before then")
