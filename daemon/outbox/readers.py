"""Reading the log while it is written, rolled and unlinked: a few read-only connections, for one thread."""

import sqlite3
from pathlib import Path
from typing import Final, Protocol

from torhaus.daemon.outbox import migrate, wal
from torhaus.daemon.outbox.migrate import SchemaError
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.record import Damaged, Stored
from torhaus.daemon.outbox.segment import Segment, path_of

MAX_OPEN: Final = 4
"""Segments kept open: forwarders that are at different places do not close each other's."""


class Read(Protocol):
    """What is needed of the log."""

    folder: Path
    tail: int
    commits: int
    holes: Ranges

    @property
    def segments(self) -> tuple[int, ...]:
        """The first position of each segment, oldest first."""
        ...


class Readers:
    """The reading side of one log."""

    def __init__(self, log: Read) -> None:
        self._log = log
        self._open: dict[int, Segment] = {}  # the least lately used first
        self._frozen: set[int] = set()  # those opened where the disk had no room for an index
        self._failed = (-1, -1)  # position that could not be read, and the log's commits at that time

    def read(self, pos: int, max_records: int, max_bytes: int = 1 << 20) -> list[Stored | Damaged]:
        """What is in the log from `pos` on, without a gap but for `holes`; empty at the end.

        Raises sqlite3.OperationalError when a file cannot be had just now.
        """
        while True:
            tail = self._log.tail  # before `segments`: a tail beyond the last of them would look like a loss
            segments, holes = self._log.segments, self._log.holes
            for first, end in self._spans(segments, pos, tail):
                at = max(pos, first)
                try:
                    found = self._read(first, at, end, max_records, max_bytes)
                except (sqlite3.DatabaseError, SchemaError) as e:
                    self.forget(first)
                    if first not in self._log.segments:
                        break  # dropped or taken out while we looked
                    if not migrate.is_damage(e) and not self._is_gone(first):
                        raise  # busy, or no descriptors left
                    found = [Damaged(at, end - at, f"segment: {e}")]
                if holes is not self._log.holes and any(isinstance(r, Damaged) for r in found):
                    break  # a segment was taken out or put back while we looked
                return found
            else:
                return []

    def _spans(self, segments: tuple[int, ...], pos: int, tail: int) -> list[tuple[int, int]]:
        """[first, end) of each segment that has something from `pos` on."""
        out = []
        for first, after in zip(segments, (*segments[1:], tail), strict=True):
            end = min(after, tail)
            if end <= first:
                continue
            there = self._log.holes.gap(first, end)  # the stretch before the hole, if there is one
            if there is None:
                continue
            if there[0] == first:
                end = there[1]
            if end > max(pos, first):
                out.append((first, end))
        return out

    def _read(self, first: int, at: int, end: int, max_records: int, max_bytes: int) -> list[Stored | Damaged]:
        try:
            found = self._segment(first).read(at, end, max_records, max_bytes)
        except sqlite3.OperationalError as e:
            if not self._is_bad_spot(e, at):
                raise
            found = self._segment(first).read(at, end, max_records, max_bytes, give_up=True)
        if first in self._frozen and wal.has_content(path_of(self._log.folder, first)):
            raise sqlite3.OperationalError("written while it was read")
        return found

    def _is_bad_spot(self, e: sqlite3.OperationalError, at: int) -> bool:
        """Whether the disk works, as a commit since the last try shows, but cannot be read here."""
        if getattr(e, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_IOERR:
            return False
        commits = self._log.commits
        if self._failed[0] == at and commits > self._failed[1]:
            return True
        if self._failed[0] != at:
            self._failed = (at, commits)
        return False

    def _is_gone(self, first: int) -> bool:
        return not path_of(self._log.folder, first).exists()

    def pending(self, pos: int, max_records: int) -> list[Stored]:
        """Records from `pos` on whose script has not answered.

        Raises sqlite3.OperationalError when a file cannot be had just now.
        """
        out: list[Stored] = []
        for first, _ in self._spans(self._log.segments, pos, self._log.tail):
            try:
                out += self._segment(first).pending(pos, max_records - len(out))
            except (sqlite3.DatabaseError, SchemaError) as e:
                self.forget(first)
                dropped = first not in self._log.segments
                if not (dropped or migrate.is_damage(e) or self._is_gone(first)):
                    if out:
                        break
                    raise
            if len(out) >= max_records:
                break
        return out

    def alarms(self, first: int, limit: int) -> list[int]:
        """Positions of alarms in the segment that begins at `first`; none of one that is gone or damaged.

        Raises sqlite3.OperationalError when the file cannot be had just now.
        """
        try:
            return self._segment(first).alarms(limit)
        except (sqlite3.DatabaseError, SchemaError) as e:
            self.forget(first)
            if not migrate.is_damage(e) and not self._is_gone(first):
                raise
            return []

    def _segment(self, first: int) -> Segment:
        if first in self._frozen:  # it would not see what is written meanwhile
            self.forget(first)
        segment = self._open.pop(first, None)
        if segment is None:
            if len(self._open) >= MAX_OPEN:
                self.forget(next(iter(self._open)))
            path = path_of(self._log.folder, first)
            segment = Segment.open(path, read_only=True)
            if migrate.frozen(path):
                self._frozen.add(first)
        self._open[first] = segment
        return segment

    def forget(self, first: int) -> None:
        """Close this segment: its file is replaced, damaged, or not needed."""
        segment = self._open.pop(first, None)
        self._frozen.discard(first)
        if segment is not None:
            segment.close()

    def trim(self) -> None:
        """Close what is no longer in the log: until then it still occupies the disk."""
        for first in self._open.keys() - set(self._log.segments):
            self.forget(first)

    def close(self) -> None:
        """Close all."""
        for first in list(self._open):
            self.forget(first)
