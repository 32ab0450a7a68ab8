"""What one forwarder may have waiting: beyond its own limits the oldest is dropped for it alone, and counted.

Holds whether the forwarder runs, cannot reach its far side, or is not enabled: its backlog must not pin the disk.
"""

import sqlite3
from typing import Final

import msgspec

from torhaus.daemon.clock import Clock
from torhaus.daemon.forward.cursor import Cursor
from torhaus.daemon.outbox.record import Stored
from torhaus.daemon.outbox.store import Outbox
from torhaus.daemon.outbox.when import known_wall_ns

LOOK_S: Final = 5.0
READ_RECORDS: Final = 1000
READS: Final = 20
"""Reads at most in one look: an age limit that is set anew on a long backlog must not keep the log's reader busy."""


class BacklogLimits(msgspec.Struct, frozen=True, kw_only=True):
    """0 is no limit. `bytes_`: as much of the log's files as the waiting records take up."""

    records: int = 0
    bytes_: int = 0
    age_s: float = 0

    def __bool__(self) -> bool:
        return bool(self.records or self.bytes_ or self.age_s)


class Trimmer:
    """The limits of one forwarder over one log."""

    def __init__(
        self, name: str, limits: BacklogLimits, cursor: Cursor, outbox: Outbox, log: str, clock: Clock
    ) -> None:
        self._name = name
        self._limits = limits
        self._cursor = cursor
        self._outbox = outbox
        self._log = log
        self._clock = clock

    async def look(self) -> None:
        """Drop what is beyond the limits. Raises sqlite3.Error when the log cannot be read just now."""
        limits, head = self._limits, self._outbox.logs[self._log].head
        if limits.records:
            self._drop_oldest(self._cursor.backlog(head) - limits.records, "limit_records")
        if limits.bytes_:
            self._drop_oldest(self._beyond_bytes(head), "limit_bytes")
        if limits.age_s and self._clock.synced():
            await self._drop_aged()

    def _drop_oldest(self, count: int, reason: str) -> None:
        """So many that are neither settled nor in hand."""
        left = count
        start = self._outbox.logs[self._log].head
        while left > 0 and (gap := self._cursor.gap(start)) is not None:
            some = min(left, gap[1] - gap[0])
            self._cursor.settle(gap[0], some)
            left -= some
            start = gap[0] + some
        self._outbox.count_drop(self._log, self._name, max(count, 0) - max(left, 0), reason)

    def _beyond_bytes(self, head: int) -> int:
        """How many of the oldest have to go; a segment's bytes are shared equally by its records."""
        log, cursor = self._outbox.logs[self._log], self._cursor
        parts = []
        for first, end, size in log.weights():
            waiting = cursor.backlog(max(first, head)) - cursor.backlog(end)
            there = end - first - cursor.holes().count(first, end)
            if there > 0 and waiting > 0:
                parts.append((waiting, size / there))
        over = sum(n * each for n, each in parts) - self._limits.bytes_
        count = 0
        for n, each in parts:
            if over <= 0:
                break
            some = min(n, int(over / each) + 1)
            count += some
            over -= some * each
        return count

    async def _drop_aged(self) -> None:
        before_ns = self._clock.wall_ns() - int(self._limits.age_s * 1e9)
        for _ in range(READS):
            head = self._outbox.logs[self._log].head
            gap = self._cursor.gap(head)
            if gap is None:
                return
            found = await self._outbox.read(self._log, gap[0], min(READ_RECORDS, gap[1] - gap[0]))
            aged = 0
            for r in found:
                if isinstance(r, Stored) and not self._is_aged(r, before_ns):
                    break
                aged += 1 if isinstance(r, Stored) else r.count
            if self._cursor.gap(head) == gap:  # nobody else took it while we read
                self._drop_oldest(min(aged, gap[1] - gap[0]), "limit_age")
            if not found or aged < len(found):
                return

    def _is_aged(self, stored: Stored, before_ns: int) -> bool:
        """Only a time that is known counts: stamped by a synchronised clock, or corrected since."""
        known = known_wall_ns(stored.at, stored.boot, self._outbox.boots)
        return known is not None and known < before_ns


class Trimming:
    """All forwarders' limits, looked at every few seconds."""

    def __init__(self, trimmers: list[Trimmer], clock: Clock) -> None:
        self._trimmers = trimmers
        self._clock = clock

    async def run(self) -> None:
        """Never returns."""
        while True:
            for trimmer in self._trimmers:
                try:
                    await trimmer.look()
                except sqlite3.Error:
                    continue  # the log's trouble is told where it is met; these limits wait for the next look
            await self._clock.sleep(LOOK_S)
