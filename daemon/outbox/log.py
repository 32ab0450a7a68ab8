"""The log: a row of segment files, of which only the newest is appended to. Synchronous; one writer, one reader."""

import secrets
import sqlite3
from pathlib import Path
from typing import Final

import msgspec

from torhaus.codecs.model import Stamp
from torhaus.daemon.outbox.migrate import SchemaError
from torhaus.daemon.outbox.record import Damaged, Record, Stored, Verdict, pack, seed
from torhaus.daemon.outbox.segment import SUFFIX, Segment, path_of

SEGMENT_BYTES: Final = 64 << 20
SKIP_AFTER_DAMAGE: Final = 1 << 32
"""Positions left out when the end of the log was lost: none of the lost ones may be given out again."""


class Dropped(msgspec.Struct, frozen=True):
    """Positions [first, end) that left the log unread, and why: `size` or `age`."""

    first: int
    end: int
    reason: str


class Log:
    """One log on disk. `head` is the oldest position still there, `tail` the next to be given."""

    def __init__(self, folder: Path, site: str, *, max_bytes: int, max_age_ns: int, now_ns: int) -> None:
        self.folder = folder
        self.site = site
        self.max_bytes = max_bytes
        self.max_age_ns = max_age_ns
        self.segment_bytes = min(SEGMENT_BYTES, max(max_bytes // 8, 1 << 20))
        self.set_aside: list[Path] = []  # files that could not be used; kept for a person to look at
        self.written_bytes = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._segments: tuple[int, ...] = tuple(sorted(int(p.stem) for p in folder.glob(f"[0-9]*{SUFFIX}")))
        self._newest = self._open_newest(now_ns)
        self.tail, self._seq = self._newest.end()
        self._newest_bytes = _size(self._newest.path)
        self._older: Segment | None = None  # the last segment before the newest that got a verdict
        self._reader: Segment | None = None
        self.old_bytes = sum(_size(path_of(folder, s)) for s in self._segments[:-1])

    def _open_newest(self, now_ns: int) -> Segment:
        while self._segments:
            first = self._segments[-1]
            path = path_of(self.folder, first)
            try:
                segment = Segment.open(path)
                segment.check_tail()  # damaged records are skipped when read; a file that cannot be read raises here
                return segment
            except (sqlite3.DatabaseError, SchemaError) as e:
                if isinstance(e, SchemaError) and "newer" in str(e):
                    raise
                self.set_aside.append(_set_aside(path, now_ns))
                self._segments = self._segments[:-1]
                return self._create(first + SKIP_AFTER_DAMAGE, 0, secrets.token_hex(4), now_ns)
        return self._create(0, 0, secrets.token_hex(4), now_ns)

    def _create(self, first: int, seq: int, store: str, now_ns: int) -> Segment:
        segment = Segment.create(self.folder, self.site, store, first, seq, now_ns)
        self._segments = (*self._segments, first)
        return segment

    @property
    def head(self) -> int:
        """The oldest position that is still in the log."""
        return self._segments[0]

    @property
    def store(self) -> str:
        """The part of new ids that belongs to this store."""
        store: str = self._newest.store
        return store

    @property
    def is_full(self) -> bool:
        """Whether the newest segment has reached its size."""
        return self._newest_bytes >= self.segment_bytes

    @property
    def is_over(self) -> bool:
        """Whether the log is beyond its limit and has something that may go."""
        return self.bytes_on_disk > self.max_bytes and len(self._segments) > 1

    @property
    def bytes_on_disk(self) -> int:
        """Everything this log occupies, write-ahead files included."""
        return self.old_bytes + self._newest_bytes

    def append(self, records: list[tuple[Stamp, Record]], boot: str) -> list[Stored]:
        """Store records in one commit. Raises sqlite3.Error, and then nothing was stored."""
        segment, first, seq = self._newest, self.tail, self._seq
        data = pack(records, seq, seed(segment.store, boot))
        pending = sum(1 for _, r in records if r.pending)
        segment.append(first, len(records), seq, boot, records[0][0].wall_ns, pending, data)
        self.tail += len(records)
        self._seq += len(records)
        self._newest_bytes += len(data)
        self.written_bytes += 2 * len(data)  # once into the write-ahead log, once from there
        store = segment.store
        return [Stored(first + i, store, seq + i, boot, at, r) for i, (at, r) in enumerate(records)]

    def add_verdicts(self, verdicts: list[tuple[int, Verdict]]) -> None:
        """Store what scripts made of records, each in its record's own segment."""
        by_segment: dict[int, list[tuple[int, Verdict]]] = {}
        for pos, verdict in verdicts:
            first = self._segment_of(pos)
            if first is not None:  # else dropped meanwhile, and its record with it
                by_segment.setdefault(first, []).append((pos, verdict))
        for first, part in by_segment.items():
            segment = self._writable(first)
            for i in range(0, len(part), 1000):
                segment.add_verdicts(part[i : i + 1000])

    def _writable(self, first: int) -> Segment:
        if first == self._segments[-1]:
            return self._newest
        if self._older is None or self._older.first != first:
            if self._older is not None:
                self._older.close()
            self._older = Segment.open(path_of(self.folder, first))
        return self._older

    def _segment_of(self, pos: int) -> int | None:
        found = None
        for first in self._segments:
            if first > pos:
                break
            found = first
        return found

    def roll(self, now_ns: int) -> bool:
        """Begin a new segment when the newest is full. True when it did."""
        if not self.is_full:
            return False
        old = self._newest
        self._newest = self._create(self.tail, self._seq, old.store, now_ns)
        old.close()
        self.old_bytes += _size(old.path)
        self._newest_bytes = _size(self._newest.path)
        return True

    def excess(self, now_ns: int) -> Dropped | None:
        """What has to go by the limits: the oldest segments, never the newest."""
        oldest = self._segments[0]
        if len(self._segments) < 2:
            return None
        end = self._segments[1]
        if self.bytes_on_disk > self.max_bytes:
            return Dropped(oldest, end, "size")
        if self.max_age_ns:
            newest = self._newest_wall(oldest)
            if newest is not None and newest < now_ns - self.max_age_ns:
                return Dropped(oldest, end, "age")
        return None

    def _newest_wall(self, first: int) -> int | None:
        try:
            segment = Segment.open(path_of(self.folder, first), read_only=True)
        except (sqlite3.DatabaseError, SchemaError):
            return None
        try:
            return segment.newest_wall_ns()
        finally:
            segment.close()

    def unlink_below(self, pos: int) -> int:
        """Remove the segments that lie wholly below `pos`. Returns how many."""
        gone = 0
        while len(self._segments) > 1 and self._segments[1] <= pos:
            path = path_of(self.folder, self._segments[0])
            if self._older is not None and self._older.path == path:
                self._older.close()
                self._older = None
            self._segments = self._segments[1:]
            self.old_bytes -= _size(path)
            for name in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
                name.unlink(missing_ok=True)
            gone += 1
        return gone

    def read(self, pos: int, max_records: int, max_bytes: int = 1 << 20) -> list[Stored | Damaged]:
        """Records from `pos` on; a damaged segment comes as one Damaged. For the reader thread.

        Raises sqlite3.OperationalError when a file cannot be had just now.
        """
        segments = self._segments
        i = max((k for k, first in enumerate(segments) if first <= pos), default=0)
        while i < len(segments):
            first, end = segments[i], segments[i + 1] if i + 1 < len(segments) else self.tail
            try:
                out = self._readable(first).read(max(pos, first), max_records, max_bytes)
            except sqlite3.OperationalError:
                self._forget_reader()
                if first < self.head:
                    return []  # dropped while we looked
                raise  # busy, or no descriptors left: not damage
            except (sqlite3.DatabaseError, SchemaError) as e:
                self._forget_reader()
                start = max(pos, first)
                return [Damaged(start, end - start, f"segment: {e}")] if end > start else []
            if out:
                return out
            i += 1
        return []

    def pending(self, pos: int, max_records: int) -> list[Stored]:
        """Records from `pos` on whose script has not answered. For the reader thread."""
        out: list[Stored] = []
        segments = self._segments
        for i, first in enumerate(segments):
            if (i + 1 < len(segments) and segments[i + 1] <= pos) or len(out) >= max_records:
                continue
            try:
                out += self._readable(first).pending(pos, max_records - len(out))
            except (sqlite3.DatabaseError, SchemaError):
                self._forget_reader()  # reported when its records are read
        return out

    def _readable(self, first: int) -> Segment:
        if self._reader is None or self._reader.first != first:
            self._forget_reader()
            self._reader = Segment.open(path_of(self.folder, first), read_only=True)
        return self._reader

    def _forget_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def close(self) -> None:
        """Close every file."""
        self._forget_reader()
        if self._older is not None:
            self._older.close()
        self._newest.close()


def _size(path: Path) -> int:
    total = 0
    for name in (path, Path(f"{path}-wal")):
        try:
            total += name.stat().st_size
        except FileNotFoundError:
            continue
    return total


def _set_aside(path: Path, now_ns: int) -> Path:
    """Rename a file that cannot be used, with what belongs to it; nothing is deleted."""
    target = path.with_name(f"{path.name}.corrupt-{now_ns // 1_000_000_000}")
    path.rename(target)
    for suffix in ("-wal", "-shm"):
        side = Path(f"{path}{suffix}")
        if side.exists():
            side.rename(f"{target}{suffix}")
    return target
