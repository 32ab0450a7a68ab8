"""The newest reading of each device: where it lies in the log, from the first look on; the values are read from disk.

Before anybody has looked nothing is kept and nothing is on the way of records; then it is one number for each device.
"""

from collections.abc import Iterable
from typing import Final

from torhaus.daemon.outbox.record import Stored
from torhaus.daemon.outbox.store import MAIN, Outbox

PAST_RECORDS: Final = 100_000
"""How far back the log is searched at the first look: who has not been heard since then is shown without values."""
_PIECE: Final = 1000
_KEPT: Final = 500
"""Readings that are kept in memory for the next look."""


class Latest:
    """`names`: the devices of this site; the search of the past ends when all are found."""

    def __init__(self, outbox: Outbox, names: Iterable[str]) -> None:
        self._outbox = outbox
        self._names = frozenset(names)
        self._pos: dict[str, int] = {}
        self._read: dict[int, Stored] = {}
        self._is_on = False
        self._is_filled = False

    async def of(self, names: Iterable[str]) -> dict[str, Stored]:
        """The newest reading of each of these that has one. Raises sqlite3.Error when the log cannot be read now."""
        await self._begin()
        found: dict[str, Stored] = {}
        for name in names:
            pos = self._pos.get(name)
            if pos is None:
                continue
            stored = self._read.get(pos) or await self._fetch(pos)
            if stored is not None and stored.record.device == name:
                found[name] = stored
        return found

    def note(self, records: list[Stored]) -> None:
        """A committed batch."""
        for stored in records:
            record = stored.record
            if record.fields is not None and record.device is not None:
                self._pos[record.device] = stored.pos

    async def _fetch(self, pos: int) -> Stored | None:
        for stored in await self._outbox.read(MAIN, pos, 1):
            if isinstance(stored, Stored) and stored.pos == pos and not stored.record.pending:
                if len(self._read) >= _KEPT:
                    self._read.pop(next(iter(self._read)))
                self._read[pos] = stored
                return stored
        return None

    async def _begin(self) -> None:
        if not self._is_on:
            self._is_on = True
            self._outbox.subscribe(MAIN, self.note)
        if self._is_filled:
            return
        log = self._outbox.logs[MAIN]
        end = log.tail
        least = max(log.head, end - PAST_RECORDS)
        missing = set(self._names)
        while end > least and missing:
            start = max(least, end - _PIECE)
            for stored in await self._between(start, end):
                device = stored.record.device
                if stored.record.fields is not None and device is not None:
                    self._pos[device] = max(stored.pos, self._pos.get(device, -1))
                    missing.discard(device)
            end = start
        self._is_filled = True

    async def _between(self, start: int, end: int) -> list[Stored]:
        found: list[Stored] = []
        pos = start
        while pos < end:
            piece = await self._outbox.read(MAIN, pos, end - pos)
            if not piece:
                break
            found += [r for r in piece if isinstance(r, Stored)]
            pos = max(pos + 1, *(r.pos + getattr(r, "count", 1) for r in piece))
        return found
