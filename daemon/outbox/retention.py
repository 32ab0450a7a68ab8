"""Which of the oldest segments have to go: by size, by count and by age."""

import sqlite3
from itertools import pairwise
from pathlib import Path
from typing import Final

import msgspec

from torhaus.codecs.model import Stamp
from torhaus.daemon.outbox.migrate import SchemaError
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.segment import Segment, path_of

PART: Final = 8
"""A log has at least about so many segments: dropping one costs a limit no more than its eighth part."""
LEAST_BYTES: Final = 1 << 20
LEAST_RECORDS: Final = 1000
LEAST_AGE_NS: Final = 60 * 10**9
"""What a segment may have or span before it is closed, however small a limit is: each is a file."""
NONE: Final = Ranges()


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """What a log may have; 0 for no limit by count or age."""

    max_bytes: int
    max_age_ns: int = 0
    max_records: int = 0

    @property
    def segment_records(self) -> int:
        """Records after which a segment is closed; 0: however many."""
        return max(self.max_records // PART, LEAST_RECORDS) if self.max_records else 0

    @property
    def segment_age_ns(self) -> int:
        """Time after which a segment is closed; 0: however long."""
        return max(self.max_age_ns // PART, LEAST_AGE_NS) if self.max_age_ns else 0


class Dropped(msgspec.Struct, frozen=True):
    """Positions [first, end) that leave the log unread, and why: `size`, `records` or `age`."""

    first: int
    end: int
    reason: str


class Ages:
    """When the newest record of each closed segment was received; each file is looked at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stamps: dict[int, tuple[Stamp, str] | None] = {}

    def aged(self, segments: tuple[int, ...], before_ns: int, boots: dict[str, int]) -> int:
        """How many segments, from the oldest on, hold nothing received since `before_ns`; the newest is never one.

        Only times that are known count: stamped by a synchronised clock, or in a boot of `boots` (wall clock minus
        boot time, once it was known); where both are known, the later one, since a clock that was stepped must not
        make old. A segment whose time is not known goes with the next one that is too old.
        """
        found = 0
        for i, first in enumerate(segments[:-1], 1):
            newest = self._wall_of(first, boots)
            if newest is None:
                continue
            if newest >= before_ns:
                break
            found = i
        return found

    def _wall_of(self, first: int, boots: dict[str, int]) -> int | None:
        if first not in self._stamps:
            self._stamps[first] = _newest_stamp(path_of(self._folder, first))
        known = self._stamps[first]
        if known is None:
            return None
        at, boot = known
        times = [at.wall_ns] if at.synced else []
        if boot in boots:
            times.append(at.boot_ns + boots[boot])
        return max(times, default=None)

    def forget(self, first: int) -> None:
        """This segment is gone."""
        self._stamps.pop(first, None)


def excess(
    segments: tuple[int, ...], sizes: dict[int, int], over: int, aged: int, over_records: int = 0, holes: Ranges = NONE
) -> list[Dropped]:
    """The oldest segments that are too old, or have to go to save `over` bytes or so many records; never the newest."""
    out = []
    for i, (first, end) in enumerate(pairwise(segments)):
        if over <= 0 and over_records <= 0 and i >= aged:
            break
        out.append(Dropped(first, end, "size" if over > 0 else "records" if over_records > 0 else "age"))
        over -= sizes[first]
        over_records -= end - first - holes.count(first, end)
    return out


def _newest_stamp(path: Path) -> tuple[Stamp, str] | None:
    """When, and in which boot, the last record of a segment was received; None when that cannot be told."""
    try:
        segment = Segment.open(path, read_only=True)
    except (sqlite3.Error, SchemaError):
        return None
    try:
        last = segment.newest()
    except sqlite3.Error:
        return None
    finally:
        segment.close()
    return (last.at, last.boot) if last is not None else None
