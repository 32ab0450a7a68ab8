"""What lies in the log for one forwarder, read in order: records to be sent, and what is passed over on the way."""

import sqlite3
from collections.abc import Callable
from typing import Final

from torhaus.daemon.clock import Clock
from torhaus.daemon.forward.cursor import Cursor
from torhaus.daemon.forward.message import Kind
from torhaus.daemon.forward.settle import Tally
from torhaus.daemon.outbox.mending import Stuck
from torhaus.daemon.outbox.record import Damaged, Stored
from torhaus.daemon.outbox.store import Outbox
from torhaus.daemon.supervise import Backoff

READ_RECORDS: Final = 2048
"""Records read from the log at once: what the backlog may occupy in memory, however long it is."""

KindOf = Callable[[Stored], Kind | None]


class Backlog:
    """Reads for one forwarder; lanes may read at the same time, and each record goes to one of them."""

    def __init__(self, outbox: Outbox, log: str, cursor: Cursor, kind_of: KindOf, tally: Tally, clock: Clock) -> None:
        self._clock = clock
        self._outbox = outbox
        self._log = log
        self._cursor = cursor
        self._kind_of = kind_of
        self._tally = tally
        self._reading: list[set[int]] = []  # of each read under way: scripts' answers that came meanwhile

    def answered(self, pos: int) -> None:
        """A script's answer is on disk."""
        for answered in self._reading:
            answered.add(pos)

    async def take(self, start: int, end: int, most: int, pause: Backoff) -> tuple[list[Stored], int]:
        """As `read`; nothing, after a pause, when the log cannot be read just now. Damage, which is read, is not that.

        A damaged segment that cannot be taken out to be salvaged is passed over for now: the rest goes on.
        """
        try:
            return await self.read(start, end, most)
        except sqlite3.Error as e:
            self._tally.detail = f"log: {e}"
            await self._clock.sleep(pause.next_s())
            after = [s for s in self._outbox.logs[self._log].segments if start < s < end]
            return [], min(after, default=end) if isinstance(e, Stuck) else start

    async def read(self, start: int, end: int, most: int) -> tuple[list[Stored], int]:
        """The next records of [start, end) that are to be sent, now busy, and up to where it was looked at.

        Raises sqlite3.Error when the log cannot be read just now.
        """
        answered: set[int] = set()
        self._reading.append(answered)
        try:
            found = await self._outbox.read(self._log, start, min(most, READ_RECORDS, end - start))
        finally:
            self._reading.remove(answered)
        if self._cursor.is_held(start, end):  # positions are changing: it is read again
            return [], end
        if found:
            return self._sort(found, start, end, answered)
        head = self._outbox.logs[self._log].head  # dropped while we looked, or positions that were never used
        end = min(end, head) if head > start else end
        self._cursor.settle(start, end - start)
        return [], end

    def _sort(
        self, found: list[Stored | Damaged], start: int, end: int, answered: set[int]
    ) -> tuple[list[Stored], int]:
        cursor = self._cursor
        whole = self._whole(found, start, end)
        if whole is not None:
            cursor.take(start, len(whole))
            return whole, start + len(whole)
        batch = []
        pos = start
        for r in found:
            if r.pos >= end:
                break
            pos = max(pos, r.pos)  # what lies between is a hole of the log, and no business of ours
            if isinstance(r, Damaged):
                count = min(r.pos + r.count, end) - pos  # it may begin before `start`
                self._tally.damaged += count - cursor.settled.count(pos, pos + count)
                cursor.settle(pos, count)
                pos += count
                continue
            pos = r.pos + 1
            if not cursor.is_open(r.pos):
                continue  # another lane has read it at the same time
            kind = self._kind_of(r)
            if kind is None:
                self._tally.skipped += 1
                cursor.settle(r.pos)
                continue
            if kind != "reading" or not r.record.pending:
                cursor.take(r.pos)
                batch.append(r)
            elif r.pos not in answered:  # else it was read just before its answer was written, and is read again
                cursor.wait(r.pos)  # it comes by `feed` once its script has answered
        return batch, pos

    def _whole(self, found: list[Stored | Damaged], start: int, end: int) -> list[Stored] | None:
        """What was read, where there is nothing to sort: no gap, nothing in anybody's hand, all of it to be sent.

        After an outage that is nearly always so: taken in one go it costs the drain a tenth less.
        """
        stop, whole = start + len(found), []
        if found[-1].pos != stop - 1 or stop > end or not self._cursor.is_free(start, stop):
            return None
        for r in found:
            if isinstance(r, Damaged):
                return None
            kind = self._kind_of(r)
            if kind is None or (kind == "reading" and r.record.pending):
                return None
            whole.append(r)
        return whole
