"""A log's files for reading only, by another process than the daemon's: beside it, or while it is down.

Nothing is locked and nothing is changed. Segments that the daemon unlinks meanwhile are missing from then on.
"""

import contextlib
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

from torhaus.daemon.outbox import aside, migrate
from torhaus.daemon.outbox.folder import FOLDERS, find_holes
from torhaus.daemon.outbox.readers import Readers
from torhaus.daemon.outbox.record import Damaged, Stored
from torhaus.daemon.outbox.segment import SUFFIX, Segment, path_of

__all__ = ["FOLDERS", "View"]

READ_RECORDS: Final = 1000
_SEGMENT: Final = re.compile(r"[0-9]{20}" + re.escape(SUFFIX))


class View:
    """One log as it was when this was made, up to `tail`; close it afterwards."""

    commits = 0

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._segments = self._list()
        self.tail = self._find_tail()  # before the holes: what is rolled meanwhile lies beyond it
        waiting = tuple(w for w in aside.waiting(folder) if w not in self._segments) if folder.is_dir() else ()
        self.holes, _ = find_holes(folder, self._segments, waiting)
        self._readers = Readers(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._readers.close()

    @property
    def segments(self) -> tuple[int, ...]:
        """The first position of each segment that is there now, oldest first."""
        self._segments = self._list() or self._segments
        return self._segments

    @property
    def head(self) -> int:
        """The oldest position; the tail where there is no segment."""
        return self._segments[0] if self._segments else self.tail

    def _list(self) -> tuple[int, ...]:
        if not self.folder.is_dir():
            return ()
        return tuple(sorted(int(p.stem) for p in self.folder.iterdir() if _SEGMENT.fullmatch(p.name)))

    def _find_tail(self) -> int:
        if not self._segments:
            return 0
        tail = self._segments[-1]
        with (
            contextlib.suppress(sqlite3.Error, migrate.SchemaError),
            contextlib.closing(Segment.open(path_of(self.folder, tail), read_only=True)) as newest,
        ):
            try:
                tail = newest.end()[0]
            except migrate.SchemaError:
                tail = newest.extent()  # its last row is damaged: what is missing is told when it is read
        return tail

    def read(self, pos: int, max_records: int = READ_RECORDS) -> list[Stored | Damaged]:
        """What is there from `pos` on, without a gap but for `holes`; empty at the end. Raises sqlite3.Error."""
        return self._readers.read(pos, max_records, 1 << 20) if self._segments else []

    def records(self, start: int = 0, end: int | None = None) -> Iterator[Stored | Damaged]:
        """Everything within [start, end), a bounded piece in memory at a time. Raises sqlite3.Error."""
        stop = self.tail if end is None else min(end, self.tail)
        pos = max(start, self.head)
        while pos < stop:
            found = self.read(pos, min(READ_RECORDS, stop - pos))
            if not found:
                return
            for r in found:
                if r.pos >= stop:
                    return
                yield r
            pos = found[-1].pos + (found[-1].count if isinstance(found[-1], Damaged) else 1)
