"""Thinning out: a closed segment is rewritten with every n-th record of each device, so that old times stay covered.

Counted for itself is what one driver hears of one device as one kind, so that no device falls through; events, alarms
and what has no device are all kept, and the newest of each. Kept records move to the bottom of the segment: they keep
id, times and boot, and get new positions; the positions above them are a hole of the log.
"""

import contextlib
import os
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from torhaus.daemon.outbox import migrate
from torhaus.daemon.outbox.folder import MARK, WORKSHOP
from torhaus.daemon.outbox.record import Damaged, Stored, pack_kept, seed
from torhaus.daemon.outbox.segment import Segment, path_of
from torhaus.daemon.outbox.segment_read import thinned_crc

MAX_STEP: Final = 64
"""What is thinner than this is dropped instead."""
ROW_RECORDS: Final = 256
READ_RECORDS: Final = 2000
WORTH: Final = 0.9
"""A segment of which more than this would be left stays as it is."""

Group = tuple[str, str, str]


class Thinned(msgspec.Struct, frozen=True):
    """What a rewriting made of the segment [first, end): `kept` records are left, `alarms` are where they are now."""

    first: int
    end: int
    kept: int
    removed: int
    step: int
    alarms: tuple[int, ...] = ()
    size_bytes: int = 0


def choose(
    segments: tuple[int, ...], sizes: dict[int, int], steps: dict[int, int], every: int, passed: set[int]
) -> int | None:
    """The segment that is thinned next: passes go from the oldest on. None when there is none that may be.

    What makes up the newer half of the bytes is left whole; so are those in `passed`.
    """
    closed = segments[:-1]
    half, older = sum(sizes.get(s, 0) for s in closed) // 2, []
    for first in closed:
        half -= sizes.get(first, 0)
        if half < 0:
            break
        older.append(first)
    may = [s for s in older if s not in passed and steps.get(s, 1) * every <= MAX_STEP]
    most = max((steps.get(s, 1) for s in older), default=1)
    return next((s for s in may if steps.get(s, 1) < most), may[0] if may else None)


def rewrite(folder: Path, first: int, upto: int, end: int, every: int) -> Thinned | None:
    """Write the thinner segment beside the old one; `swap` puts it in its place.

    [first, upto) is what the segment holds. Takes a thread for seconds and little memory. None when too little
    would go. Raises OSError, sqlite3.Error, or SchemaError when it is damaged. In each case it stays as it is.
    """
    _fold(path_of(folder, first))
    with contextlib.closing(Segment.open(path_of(folder, first), read_only=True)) as source:
        left: Counter[Group] = Counter()
        total = 0
        for r in _all(source, first, upto):
            if isinstance(r, Damaged):
                raise migrate.SchemaError("the segment is damaged")
            total += 1
            if (group := _group(r)) is not None:
                left[group] += 1
        kept = total - left.total() + sum(-(-n // every) for n in left.values())
        if total == 0 or kept > total * WORTH:
            return None
        before = source.thinned()
        step = every * (before[1] if before else 1)
        workshop = folder / WORKSHOP
        workshop.mkdir(mode=0o700, exist_ok=True)
        target = path_of(workshop, first)
        alarms = _write(target, source, _kept(source, first, upto, every, left), kept, step)
    _prove(workshop, first, kept)
    return Thinned(first, end, kept, total - kept, step, tuple(alarms), migrate.size(target))


def _fold(path: Path) -> None:
    """Have all of it in the file itself: what is renamed over it later must not meet its write-ahead log."""
    with contextlib.closing(migrate.connect(path)) as conn:
        busy = conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    if busy:
        raise sqlite3.OperationalError("another program reads this segment")


def _group(stored: Stored) -> Group | None:
    """What it is counted with; None for what is always kept."""
    record = stored.record
    if record.alarm or record.device is None or record.kind == "event":
        return None
    return record.driver, record.device, record.kind


def _all(source: Segment, first: int, upto: int) -> Iterator[Stored | Damaged]:
    pos = first
    while pos < upto:
        found = source.read(pos, upto, READ_RECORDS)
        for r in found:
            yield r
            pos = r.pos + (r.count if isinstance(r, Damaged) else 1)
        if not found:
            yield Damaged(pos, upto - pos, "not there")
            return


def _kept(source: Segment, first: int, upto: int, every: int, left: Counter[Group]) -> Iterator[Stored]:
    """Counted from the newest back, so that each device keeps its last record, and with it its frame counter."""
    for r in _all(source, first, upto):
        if isinstance(r, Damaged):
            raise migrate.SchemaError("changed on disk while it was read")
        group = _group(r)
        if group is None:
            yield r
        else:
            left[group] -= 1
            if left[group] % every == 0:
                yield r


def _write(path: Path, source: Segment, records: Iterator[Stored], kept: int, step: int) -> list[int]:
    """The new file, on disk when this returns. Where in it the alarms are."""
    migrate.remove(path)
    conn = migrate.connect(path)
    try:
        migrate.upgrade(conn, "segment")
        # written once, and worth nothing until it is whole and flushed
        conn.execute("PRAGMA journal_mode=OFF").fetchone()
        conn.execute("PRAGMA synchronous=OFF")
        conn.execute("BEGIN")
        source.copy_meta(conn)
        alarms, pos, row = list[int](), source.first, list[Stored]()
        for r in records:
            if row and (len(row) >= ROW_RECORDS or r.boot != row[0].boot):
                pos = _put(conn, pos, row)
                row = []
            if r.record.alarm:
                alarms.append(pos + len(row))
            row.append(r)
        _put(conn, pos, row)
        conn.executemany("INSERT INTO alarm VALUES (?)", [(n,) for n in alarms])
        crc = thinned_crc(source.first, kept, step)
        conn.execute("INSERT INTO thinned VALUES (?, ?, ?)", (kept, step, crc))
        conn.execute("COMMIT")
        conn.execute("PRAGMA journal_mode=WAL").fetchone()
    finally:
        conn.close()
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return alarms


def _put(conn: sqlite3.Connection, pos: int, row: list[Stored]) -> int:
    """One row; the position after it."""
    if row:
        a = row[0]
        data = pack_kept(row, pos, seed(a.store, a.boot))
        pending = sum(r.record.pending for r in row)
        values = (pos, len(row), a.seq, a.boot, a.at.wall_ns, pending, data)
        conn.execute("INSERT INTO batch VALUES (?, ?, ?, ?, ?, ?, ?)", values)
    return pos + len(row)


def _prove(folder: Path, first: int, kept: int) -> None:
    """Read back all of it before anything of the old one goes. Raises SchemaError."""
    with contextlib.closing(Segment.open(path_of(folder, first), read_only=True)) as segment:
        found = sum(isinstance(r, Stored) for r in _all(segment, first, first + kept))
        told = segment.thinned()
    for side in migrate.SIDE_FILES:
        Path(f"{path_of(folder, first)}{side}").unlink(missing_ok=True)
    if found != kept or told is None or told[0] != kept:
        raise migrate.SchemaError(f"{found} of {kept} records came back after thinning")


def swap(folder: Path, first: int) -> None:
    """Put the thinner segment in the old one's place: a crash leaves the one or the other. Nobody has the old one open.

    Raises OSError.
    """
    mark = folder / MARK
    if not mark.exists():
        mark.touch(mode=0o600)
        migrate.sync_folder(folder)
    path = path_of(folder, first)
    for side in migrate.SIDE_FILES:  # empty: all of it was folded in
        Path(f"{path}{side}").unlink(missing_ok=True)
    path_of(folder / WORKSHOP, first).rename(path)
    migrate.sync_folder(folder)
