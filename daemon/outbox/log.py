"""The log: a row of segment files, of which only the newest is appended to. Synchronous; one writer, one reader.

The writer thread changes it; `read` and `pending` are for the reader thread. What both use is replaced, never changed
in place, and `tail` moves only after what is below it is on disk.
"""

import contextlib
import secrets
import sqlite3
from pathlib import Path
from typing import Final

from torhaus.codecs.model import Stamp
from torhaus.daemon.outbox import migrate
from torhaus.daemon.outbox.folder import SKIP_AFTER_DAMAGE, find_holes, find_waiting, probe, tidy
from torhaus.daemon.outbox.mendable import Mendable
from torhaus.daemon.outbox.migrate import SchemaError
from torhaus.daemon.outbox.older import Older, by_segment
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.readers import Readers
from torhaus.daemon.outbox.record import Damaged, Record, Stored, Verdict, pack, seed
from torhaus.daemon.outbox.retention import LEAST_BYTES, PART, Ages, Dropped, Limit, excess
from torhaus.daemon.outbox.room import Room
from torhaus.daemon.outbox.segment import CHECK_RECORDS, Segment, path_of
from torhaus.daemon.outbox.thinning import Thinned
from torhaus.daemon.outbox.trouble import is_failed_fsync

SEGMENT_BYTES: Final = 64 << 20
VERDICTS_AT_ONCE: Final = 1000


class Log(Mendable):
    """One log on disk. `head` is the oldest position still there, `tail` the next to be given.

    `floor` is a position below which all have been given out, as far as others know: a log that ends before it has
    lost its end. `machine` is the id of this machine: on another one the same disk gets a new store id.
    """

    def __init__(
        self,
        folder: Path,
        site: str,
        *,
        max_bytes: int,
        max_age_ns: int,
        now_ns: int,
        max_records: int = 0,
        floor: int = 0,
        machine: str = "",
    ) -> None:
        self.folder = folder
        self.site = site
        self.limit = Limit(max_bytes=max_bytes, max_age_ns=max_age_ns, max_records=max_records)
        self.segment_bytes = min(SEGMENT_BYTES, max(max_bytes // PART, LEAST_BYTES))
        self._is_distrusted = False  # an fsync has failed: nothing more goes into the newest segment
        self.set_aside: list[Path] = []  # files that could not be used; kept for a person to look at
        self.commits = 0
        self.machine = machine
        self._ages = Ages(folder)
        self._older = Older(folder, self._closed)
        self._segments = tidy(folder)
        self.waiting = find_waiting(folder, self._segments)
        self._newest, self.tail, self._seq = self._open_newest(floor, now_ns)
        # replaced, never changed in place: several threads look at them
        self.holes, self.steps = find_holes(folder, self._segments, self.waiting)
        self._readers = Readers(self)  # for the reader thread, as are these
        self.read, self.pending, self.alarms = self._readers.read, self._readers.pending, self._readers.alarms
        self.trim_readers, self.forget_reader = self._readers.trim, self._readers.forget
        self.room = Room(folder, self._segments)
        self._began_ns = self._newest.created_ns  # about when the newest got its first record
        found = self._newest.read(max(self._newest.first, self.tail - CHECK_RECORDS), self.tail, CHECK_RECORDS, 1 << 30)
        self.damaged = sum(r.count for r in found if isinstance(r, Damaged))  # near the end, found at the start

    def _open_newest(self, floor: int, now_ns: int) -> tuple[Segment, int, int]:
        """The segment to append to, with the next position and number."""
        given = max((floor, *self.waiting))  # below it all have been given out
        if not self._segments:
            return self._fresh(given + SKIP_AFTER_DAMAGE if given or self.waiting else 0, now_ns)
        first = self._segments[-1]
        path = path_of(self.folder, first)
        beyond = max(first, given) + SKIP_AFTER_DAMAGE
        if first < max(self.waiting, default=0):  # it has not been the newest for a long time
            return self._fresh(beyond, now_ns)
        try:
            tail, machine, is_salvaged = probe(path, self.site)
            if is_salvaged:  # so its end is not known
                return self._fresh(max(beyond, tail + SKIP_AFTER_DAMAGE), now_ns)
            if tail < given:
                raise SchemaError("the segment has lost its end")  # noqa: TRY301 - one kind of damage among others
            segment = Segment.open(path)
            tail, seq = segment.end()
        except (sqlite3.DatabaseError, SchemaError) as e:
            if not migrate.is_damage(e):
                raise
            self._set_aside(first, now_ns)
            return self._fresh(beyond, now_ns)
        if segment.is_torn():  # nothing is known of what is cut off, and nothing of it is given out again
            segment.close()
            return self._fresh(beyond, now_ns)
        if machine != self.machine:
            segment.close()
            if tail == first:  # nothing in it, and its name is needed
                migrate.remove(path)
                self._segments = self._segments[:-1]
            return self._fresh(tail, now_ns)
        return segment, tail, seq

    def _fresh(self, first: int, now_ns: int) -> tuple[Segment, int, int]:
        """Go on with a new store id: no id of before can be given out again."""
        return self._create(first, 0, secrets.token_hex(4), now_ns), first, 0

    def _create(self, first: int, seq: int, store: str, now_ns: int) -> Segment:
        segment = Segment.create(self.folder, self.site, store, first, seq, now_ns, self.machine)
        self._segments = (*self._segments, first)
        return segment

    @property
    def segments(self) -> tuple[int, ...]:
        """The first position of each segment, oldest first."""
        return self._segments

    @property
    def head(self) -> int:
        """The oldest position that is still in the log, or may come back to it."""
        return min((self._segments[0], *self.waiting))

    @property
    def records(self) -> int:
        """How many records there are."""
        return self.tail - self.head - self.holes.count(self.head, self.tail)

    @property
    def store(self) -> str:
        """The part of new ids that belongs to this store."""
        return self._newest.store

    @property
    def is_full(self) -> bool:
        """Whether the newest segment has reached its size or count."""
        n, most = self.tail - self._newest.first, self.limit.segment_records
        return n > 0 and (self.room.newest >= self.segment_bytes or 0 < most <= n)

    @property
    def is_over(self) -> bool:
        """Whether the log is beyond its limit and has something that may go."""
        return len(self._segments) > 1 and (self.room.over(self.limit.max_bytes) > 0 or self.over_records > 0)

    @property
    def over_records(self) -> int:
        """How many records are beyond the limit."""
        return self.records - self.limit.max_records if self.limit.max_records else 0

    @property
    def bytes_on_disk(self) -> int:
        """Everything that counts towards this log's limit: write-ahead files and files set aside included."""
        return self.room.total

    def _closed(self, first: int) -> None:
        self.room.shut(first)

    def weights(self) -> list[tuple[int, int, int]]:
        """First position, end and bytes of each segment, oldest first."""
        firsts = self._segments
        ends = (*firsts[1:], max(self.tail, firsts[-1]))
        return [(f, e, self.room.sizes.get(f, self.room.newest)) for f, e in zip(firsts, ends, strict=True)]

    def append(self, records: list[tuple[Stamp, Record]], boot: str) -> list[Stored]:
        """Store records in one commit. Raises sqlite3.Error, and then nothing was stored."""
        if self._is_distrusted:
            self._leave_behind(records[0][0].wall_ns)
        first, seq, store = self.tail, self._seq, self._newest.store
        data = pack(records, first, seq, seed(store, boot))
        pending = sum([r.pending for _, r in records])
        alarms = [pos for pos, (_, r) in enumerate(records, first) if r.alarm]
        wall_ns = records[0][0].wall_ns
        try:
            self._newest.append(first, len(records), seq, boot, wall_ns, pending, data, alarms)
        except sqlite3.DatabaseError as e:
            self._is_distrusted = is_failed_fsync(e)
            if not migrate.is_damage(e) and not isinstance(e, sqlite3.IntegrityError):
                raise
            self._begin_segment(wall_ns)  # the file was changed under our hands: what can be read of it still is
            self._newest.append(first, len(records), seq, boot, wall_ns, pending, data, alarms)
        if first == self._newest.first:
            self._began_ns = wall_ns
        self.tail = first + len(records)
        self._seq = seq + len(records)
        self.room.newest += len(data)
        self.room.wrote(self._newest.first)
        self.commits += 1
        return [
            Stored(pos, store, number, boot, at, r)
            for pos, number, (at, r) in zip(range(first, self.tail), range(seq, self._seq), records, strict=True)
        ]

    def add_verdicts(self, verdicts: list[tuple[int, Verdict]]) -> None:
        """Store what scripts made of records, each in its record's own segment.

        A damaged segment does not take any: its records are decoded again. Raises sqlite3.Error when others may not
        have been stored; storing them again does no harm.
        """
        failed: sqlite3.DatabaseError | None = None
        for first, part in by_segment(self._segments, verdicts).items():
            try:
                segment = self._newest if first == self._segments[-1] else self._older.open(first)
                for i in range(0, len(part), VERDICTS_AT_ONCE):
                    segment.add_verdicts(part[i : i + VERDICTS_AT_ONCE])
                    self.room.wrote(first)
            except SchemaError:
                continue
            except sqlite3.DatabaseError as e:
                self._is_distrusted = self._is_distrusted or is_failed_fsync(e)
                if not migrate.is_damage(e):
                    failed = e
        if failed is not None:
            raise failed

    def roll(self, now_ns: int) -> bool:
        """Begin a new segment when the newest is full, or has been written for long. True when it did."""
        longest = self.limit.segment_age_ns
        is_long = 0 < longest <= now_ns - self._began_ns and self.tail > self._newest.first
        if not self.is_full and not is_long:
            return False
        self._begin_segment(now_ns)
        return True

    def _begin_segment(self, now_ns: int) -> None:
        old = self._newest
        if old.first == self.tail:  # damaged before anything was in it: its name is needed
            old.close()
            self.set_aside.append(migrate.set_aside(old.path, now_ns))
            self._segments = self._segments[:-1]
        self._newest = self._create(self.tail, self._seq, old.store, now_ns)
        self._let_go(old)

    def _leave_behind(self, now_ns: int) -> None:
        """Go on behind a hole, in a segment with a new store id: what an fsync failed for may be found after all."""
        old, first = self._newest, self.tail + SKIP_AFTER_DAMAGE
        self._newest = self._create(first, 0, secrets.token_hex(4), now_ns)
        self.holes = Ranges([*self.holes, (self.tail, first)])
        self.tail, self._seq, self._is_distrusted = first, 0, False
        self._let_go(old)

    def _let_go(self, old: Segment) -> None:
        with contextlib.suppress(sqlite3.Error):  # what is in its write-ahead log stays there
            old.close()
        self.room.shut(old.first)
        if old.first in self._segments[:-1]:
            self.room.note(old.first)
        self.room.begin(self._newest.first)
        self.room.made(2 * self.room.newest)  # it was empty, and made by way of a write-ahead log

    def measure(self) -> None:
        """Look up what cannot be counted along: write-ahead logs, and what verdicts have added."""
        if self._older.first is not None:
            self.room.note(self._older.first)
        self.room.look(self._newest.first)

    def let_go(self, first: int) -> bool:
        """Close a segment that is to be rewritten. False when it is no longer there."""
        if self._older.first == first:
            self._older.close()
        return first in self._segments[:-1]

    def thinned(self, made: Thinned) -> None:
        """A thinner segment is in its place."""
        self.steps = self.steps | {made.first: made.step}
        there = [(start, end) for start, end in self.holes if end > self.head]
        self.holes = Ranges([*there, (made.first + made.kept, made.end)])
        self.room.note(made.first)
        self.room.made(made.size_bytes)

    def excess(self, now_ns: int | None, boots: dict[str, int]) -> list[Dropped]:
        """What has to go by the limits. Ages are judged only with `now_ns`: not while the clock is not synchronised."""
        judged = self._segments if self.limit.max_age_ns and now_ns is not None else ()
        aged = self._ages.aged(judged, (now_ns or 0) - self.limit.max_age_ns, boots)
        over = self.room.over(self.limit.max_bytes)
        found = excess(self._segments, self.room.sizes, over, aged, self.over_records, self.holes)
        return [Dropped(d.first, min(d.end, self._stop), d.reason) for d in found if d.first < self._stop]

    def unlink_below(self, pos: int) -> None:
        """Remove the segments that lie wholly below `pos`."""
        while len(self._segments) > 1 and min(self._segments[1], self._stop) <= pos and self._segments[0] < self._stop:
            first = self._segments[0]
            self._segments = self._segments[1:]
            self._forget(first)
            migrate.remove(path_of(self.folder, first))

    def close(self) -> None:
        """Close every file."""
        self._readers.close()
        self._older.close()
        self._newest.close()
        self.room.close()
