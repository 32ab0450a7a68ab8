"""Makes a new segment of what is intact in a damaged one: same positions, same ids, same bytes.

All of it is read page by page: SQL shows what stands there only as far as the tree above it is whole. Synchronous;
runs on a thread of its own. Nothing that was there before is changed: the new file takes its place when it is complete.
"""

import contextlib
import os
import sqlite3
import threading
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from torhaus.daemon.outbox import migrate
from torhaus.daemon.outbox.aside import MAX_SPANS, Report, seal
from torhaus.daemon.outbox.pages import Database, Row
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.record import Verdict
from torhaus.daemon.outbox.rescue import Batch, Rescue, batch_of, claim
from torhaus.daemon.outbox.segment_read import meta_crc, thinned_crc

UNFINISHED: Final = "new-salvage.db"
MAX_BOOTS: Final = 8
"""Boot ids that are tried on rows whose own does not fit: those that most rows have."""
_THINNED_COLUMNS: Final = 3
MAX_KINDS: Final = 10_000
"""Different boot ids, steps and so on that are counted: junk may hold any number."""

_decode_verdict: Final = msgspec.msgpack.Decoder(Verdict).decode


class StoppedError(Exception):
    """The daemon stops; the next one begins anew."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A segment to salvage: positions from `first`, of which those below `end` are known to have been given out.

    None of `limit` or above was its own. `stores` are the store ids it may have had if it does not tell.
    """

    folder: Path
    site: str
    machine: str
    first: int
    end: int
    limit: int
    is_end_known: bool
    now_ns: int
    sources: tuple[Path, ...]
    stores: tuple[str, ...] = ()


class Meta(msgspec.Struct, frozen=True):
    """What a segment says of itself."""

    site: str
    store: str
    first_seq: int
    machine: str


class ThinnedOut(msgspec.Struct, frozen=True):
    """How many of its records a thinned segment has kept, and about every how many-th of a device."""

    kept: int
    step: int


def salvage(job: Job, stop: threading.Event) -> Report:
    """Build the new segment, under the name UNFINISHED. Raises OSError, sqlite3.Error or StoppedError."""
    meta, boots, thinned = _identify(job, stop)
    if thinned is not None:  # above what was kept it has a hole
        job = msgspec.structs.replace(job, end=job.first + thinned.kept, limit=job.first + thinned.kept)
    path = job.folder / UNFINISHED
    migrate.remove(path)
    with contextlib.closing(_connect(path)) as conn:
        migrate.upgrade(conn, "segment")
        conn.execute("BEGIN")
        covered, end = Ranges(), job.end
        if meta.store:
            end = max(end, _copy_rows(job, Rescue(meta.store, meta.first_seq - job.first, boots), conn, covered, stop))
        report = _report(job, meta, covered, min(end, job.limit), is_thinned=thinned is not None)
        if thinned is not None:
            crc = thinned_crc(job.first, thinned.kept, thinned.step)
            conn.execute("INSERT INTO thinned VALUES (?, ?, ?)", (thinned.kept, thinned.step, crc))
        known = (meta.site, meta.store, job.first, meta.first_seq, meta.machine)
        conn.execute("INSERT INTO meta VALUES (?, ?, ?, ?, ?, ?, ?)", (*known, job.now_ns, meta_crc(*known)))
        conn.execute("CREATE TABLE salvage (report BLOB NOT NULL) STRICT")
        conn.execute("INSERT INTO salvage VALUES (?)", (seal(report),))
        conn.execute("COMMIT")
        conn.execute("PRAGMA journal_mode=WAL").fetchone()
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return report


def _connect(path: Path) -> sqlite3.Connection:
    """For a file that nobody knows of until it is complete: it goes to disk once, at the end."""
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("PRAGMA journal_mode=OFF").fetchone()
    conn.execute("PRAGMA synchronous=OFF")
    conn.execute("PRAGMA cache_size=-4096")
    path.chmod(0o600)
    return conn


def _report(job: Job, meta: Meta, covered: Ranges, end: int, *, is_thinned: bool) -> Report:
    lost: list[tuple[int, int]] = []
    missing, at = 0, job.first
    for start, after in (*covered, (end, end)):
        if at < start:
            missing += start - at
            if len(lost) < MAX_SPANS:
                lost.append((at, start))
        at = max(at, after)
    return Report(
        first=job.first,
        site=meta.site,
        store=meta.store,
        step=meta.first_seq - job.first,
        at_ns=job.now_ns,
        salvaged=sum(b - a for a, b in covered),
        lost_records=missing,
        lost=lost,
        is_end_known=job.is_end_known or is_thinned,
        is_thinned=is_thinned,
    )


# -- who it was -------------------------------------------------------------------------------------------------------


class _Census:
    """What the rows have in common."""

    def __init__(self) -> None:
        self.metas: Counter[Meta] = Counter()
        self.steps: Counter[int] = Counter()
        self.boots: Counter[str] = Counter()
        self.thinned: ThinnedOut | None = None

    def take(self, row: Row, first: int) -> None:
        """Look at one row, whatever it is."""
        batch = batch_of(row)
        if batch is not None:
            for counter, key in ((self.steps, batch.seq - batch.first), (self.boots, batch.boot)):
                if key in counter or len(counter) < MAX_KINDS:
                    counter[key] += 1  # type: ignore[index] # each with its own kind of key
        if len(row.values) == _THINNED_COLUMNS and row.rowid is not None:
            kept, step, crc = row.values
            if isinstance(kept, int) and isinstance(step, int) and kept > 0 and thinned_crc(first, kept, step) == crc:
                self.thinned = ThinnedOut(kept, step)
        meta = _meta_of(row, first)
        if meta is not None:
            self.metas[meta] += 1


def _meta_of(row: Row, first: int) -> Meta | None:
    if len(row.values) != 7 or row.values[2] != first:
        return None
    site, store, _, first_seq, machine, _, crc = row.values
    if not (isinstance(site, str) and isinstance(store, str) and isinstance(machine, str)):
        return None
    if not isinstance(first_seq, int) or meta_crc(site, store, first, first_seq, machine) != crc:
        return None
    return Meta(site, store, first_seq, machine)


def _identify(job: Job, stop: threading.Event) -> tuple[Meta, list[str], ThinnedOut | None]:
    """Who the segment was, the boots of most of its rows, and whether it was thinned out.

    Site, store and first number are as the segment says, or as its records prove. The store is "" if nothing does.
    """
    census = _Census()
    for row in _rows(job, stop):
        census.take(row, job.first)
    boots = [boot for boot, _ in census.boots.most_common(MAX_BOOTS)]
    if census.metas:
        return census.metas.most_common(1)[0][0], boots, census.thinned
    steps = [step for step, _ in census.steps.most_common(3)]
    for step in steps:
        for store in job.stores:
            if job.first + step >= 0 and _is_proved(job, Rescue(store, step, boots), stop):
                return Meta(job.site, store, job.first + step, job.machine), boots, census.thinned
    return Meta(job.site, "", max(job.first + steps[0], 0) if steps else 0, job.machine), boots, census.thinned


def _is_proved(job: Job, rescue: Rescue, stop: threading.Event) -> bool:
    """Whether any record has a CRC that only this store's can have."""
    return any((b := batch_of(row)) is not None and rescue.pieces(b) for row in _rows(job, stop))


# -- what it held -----------------------------------------------------------------------------------------------------


def _rows(job: Job, stop: threading.Event) -> Iterator[Row]:
    for source in job.sources:
        with contextlib.closing(Database(source)) as database:
            for row in database.rows():
                if stop.is_set():
                    raise StoppedError
                yield row


def _copy_rows(job: Job, rescue: Rescue, conn: sqlite3.Connection, covered: Ranges, stop: threading.Event) -> int:
    """Copy what is intact; the first of several that have the same position. Returns where the last one ended."""
    end = job.first
    for row in _rows(job, stop):
        batch = batch_of(row)
        if batch is not None:
            end = max(end, min(claim(batch, rescue.step), job.limit))
            _copy_batch(job, conn, covered, rescue, batch)
        elif len(row.values) == 3 and row.rowid is not None:
            _copy_verdict(job, conn, row)
    return max((end, *(after for _, after in covered)))


def _copy_batch(job: Job, conn: sqlite3.Connection, covered: Ranges, rescue: Rescue, batch: Batch) -> None:
    claimed = claim(batch, rescue.step)
    if claimed and covered.count(batch.first, claimed) == claimed - batch.first:
        return  # another version of the page has it
    for piece in rescue.pieces(batch):
        at, end = max(piece.first, job.first), min(piece.first + piece.n, job.limit)
        while (gap := covered.gap(at, end)) is not None:
            part = piece.cut(*gap)
            conn.execute(
                "INSERT INTO batch VALUES (?, ?, ?, ?, ?, ?, ?)",
                (part.first, part.n, part.seq, part.boot, part.wall_ns, part.pending, part.data),
            )
            conn.executemany("INSERT OR IGNORE INTO alarm VALUES (?)", [(pos,) for pos in part.alarms])
            covered.add(*gap)
            at = gap[1]


def _copy_verdict(job: Job, conn: sqlite3.Connection, row: Row) -> None:
    pos, (_, crc, data) = row.rowid, row.values
    if pos is None or not (job.first <= pos < job.limit) or not isinstance(data, bytes):
        return
    if zlib.crc32(data, pos & 0xFFFFFFFF) != crc:
        return
    try:
        is_alarm = _decode_verdict(data).alarm
    except (msgspec.DecodeError, ValueError, RecursionError):
        return  # as good as none: the record is decoded again
    conn.execute("INSERT OR IGNORE INTO verdict VALUES (?, ?, ?)", (pos, crc, data))
    if is_alarm:
        conn.execute("INSERT OR IGNORE INTO alarm VALUES (?)", (pos,))
