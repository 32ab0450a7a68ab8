"""Which stretch of a log was received within a span of time. Reads the files, beside the daemon or while it is down.

A clock that was stepped makes times go back and forth along the log, so this is the rule: going back from the newest
segment as long as one has something from `since` on, the stretch begins at the lowest position received at or after
`since` and ends behind the highest one received before `until`. What lies between belongs to it, whatever its time.
A time is the corrected one where it is known. A segment with times of which nothing is known does not end the search,
nor does an empty one.
"""

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import msgspec

from torhaus.daemon.outbox import migrate
from torhaus.daemon.outbox.record import stamps
from torhaus.daemon.outbox.segment import path_of
from torhaus.daemon.outbox.segment_read import MAX_POSITION
from torhaus.daemon.outbox.when import known_wall_ns

Told = Callable[[int, int], None]


class Found(msgspec.Struct):
    """What one segment has of the span: lowest position, end, and whether the search may go on before it."""

    low: int | None = None
    end: int = 0
    goes_on: bool = False


def stretch(
    folder: Path, segments: tuple[int, ...], since_ns: int, until_ns: int | None, boots: dict[str, int], told: Told
) -> tuple[int, int] | None:
    """Positions [start, end) of what was received in [since, until); None when nothing was.

    `told` is given how many segments were looked at, of how many. A damaged part of a segment is passed over.
    """
    low: int | None = None
    end = 0
    for n, first in enumerate(reversed(segments), 1):
        found = _look(path_of(folder, first), first, since_ns, until_ns, boots)
        if found.low is not None:
            low, end = found.low, max(end, found.end)
        told(n, len(segments))
        if not found.goes_on:
            break
    return None if low is None else (low, end)


def _look(path: Path, start: int, since_ns: int, until_ns: int | None, boots: dict[str, int]) -> Found:
    out, is_empty = Found(), True
    try:
        with contextlib.closing(migrate.connect(path, read_only=True)) as conn:
            for first, boot, data in conn.execute("SELECT first, boot, data FROM batch ORDER BY first"):
                is_empty = False
                if not (isinstance(first, int) and isinstance(boot, str) and isinstance(data, bytes)):
                    continue  # a bad card changed it
                if start <= first < MAX_POSITION:
                    _enter(out, first, boot, data, since_ns, until_ns, boots)
    except sqlite3.DatabaseError as e:
        if not migrate.is_damage(e) and path.exists():
            raise
        out.goes_on = True
    out.goes_on = out.goes_on or is_empty
    return out


def _enter(
    out: Found, first: int, boot: str, data: bytes, since_ns: int, until_ns: int | None, boots: dict[str, int]
) -> None:
    for pos, at in enumerate(stamps(data), first):
        known = known_wall_ns(at, boot, boots)
        wall = at.wall_ns if known is None else known
        if known is None or wall >= since_ns:
            out.goes_on = True
        if wall >= since_ns and (until_ns is None or wall < until_ns):
            if out.low is None:
                out.low = pos
            out.end = pos + 1
