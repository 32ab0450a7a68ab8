"""What is intact in one row of a damaged segment: the CRC of each record decides, wherever it stands in the row.

Within a segment position and number run in step (`number - position` is the same for all), and a segment has few boots.
So a row whose key or boot id was changed on disk can be told from what it holds.
"""

import struct
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from torhaus.daemon.outbox.pages import Row
from torhaus.daemon.outbox.record import HEADER_BYTES, Record, intact_at, seed
from torhaus.daemon.outbox.segment_read import MAX_POSITION

MAX_ROW_RECORDS: Final = 1 << 20
"""More than one commit can hold."""
MOST_FLAGS: Final = 3
MAX_TRIES: Final = 5_000_000
"""CRCs that are tried in all to find where, in a row with a changed length, the next intact record begins."""
_CLOSE_NS: Final = 30 * 86_400 * 10**9
"""The records of a row were received within a moment of each other: a start that says otherwise is none."""
_TIMES: Final = struct.Struct("<IIqqB")


class Batch(msgspec.Struct, frozen=True, gc=False):
    """A row of `batch` as it was found; its columns have the right types, no more."""

    first: int
    n: int
    seq: int
    boot: str
    wall_ns: int
    data: bytes


class Piece(msgspec.Struct, frozen=True, gc=False):
    """Intact records that follow each other, packed as they were: a row of its own."""

    first: int
    n: int
    seq: int
    boot: str
    wall_ns: int
    data: bytes
    ends: tuple[int, ...]  # where each record ends in `data`
    records: tuple[Record, ...]

    @property
    def pending(self) -> int:
        """How many of them wait for their script."""
        return sum(r.pending for r in self.records)

    @property
    def alarms(self) -> list[int]:
        """Positions of those that are alarms."""
        return [pos for pos, r in enumerate(self.records, self.first) if r.alarm]

    def cut(self, start: int, end: int) -> "Piece":
        """Only the positions [start, end)."""
        if start <= self.first and end >= self.first + self.n:
            return self
        low, high = max(start - self.first, 0), min(end - self.first, self.n)
        begin = self.ends[low - 1] if low else 0
        ends = tuple(e - begin for e in self.ends[low:high])
        data = self.data[begin : self.ends[high - 1]]
        first, seq = self.first + low, self.seq + low
        return Piece(first, high - low, seq, self.boot, self.wall_ns, data, ends, self.records[low:high])


def batch_of(row: Row) -> Batch | None:
    """The row as one of `batch`; None when it cannot be one."""
    if row.rowid is None or len(row.values) != 7:
        return None
    _, n, seq, boot, wall_ns, _, data = row.values
    if not (isinstance(seq, int) and isinstance(boot, str) and isinstance(data, bytes)):
        return None
    if not (0 <= row.rowid < MAX_POSITION and 0 <= seq < MAX_POSITION):
        return None
    n = n if isinstance(n, int) else 0
    return Batch(row.rowid, n, seq, boot, wall_ns if isinstance(wall_ns, int) else 0, data)


def claim(row: Batch, step: int) -> int:
    """Up to which position this row says that there were records; 0 when it cannot be believed. `step` is seq - pos."""
    if row.seq - row.first != step or not 0 < row.n <= MAX_ROW_RECORDS:
        return 0
    return row.first + row.n


class Rescue:
    """Finds the intact records of the rows of one segment."""

    def __init__(self, store: str, step: int, boots: Iterable[str]) -> None:
        self.store = store
        self.step = step
        self._boots = tuple(boots)
        self._tries = MAX_TRIES

    def pieces(self, row: Batch) -> list[Piece]:
        """The intact records of a row, whichever of its keys is the right one."""
        firsts = [f for f in dict.fromkeys((row.first, row.seq - self.step)) if 0 <= f < MAX_POSITION]
        for boot in dict.fromkeys((row.boot, *self._boots)):
            for first in firsts:
                if first + self.step >= 0:
                    found = list(self._pieces(row, first, boot, is_thorough=boot == row.boot))
                    if found:
                        return found
        return []

    def _pieces(self, row: Batch, first: int, boot: str, *, is_thorough: bool) -> Iterator[Piece]:
        data, seq, crc_seed = row.data, first + self.step, seed(self.store, boot)
        at = k = 0  # offset and place in the row of the next record
        while at < len(data):
            start, begin = at, k
            ends: list[int] = []
            records: list[Record] = []
            while (found := intact_at(data, at, first + k, seq + k, crc_seed)) is not None:
                at, k = found[0], k + 1
                ends.append(at - start)
                records.append(found[1])
            if ends:
                whole, wall = data[start:at], row.wall_ns
                yield Piece(first + begin, k - begin, seq + begin, boot, wall, whole, tuple(ends), tuple(records))
            at, k = self._next(row, at, k, (first, crc_seed), is_thorough=is_thorough)

    def _next(self, row: Batch, at: int, k: int, ident: tuple[int, int], *, is_thorough: bool) -> tuple[int, int]:
        """Offset and place of the next intact record after a damaged one at `at`; the row's end if there is none."""
        data, (first, crc_seed), last = row.data, ident, len(row.data) - HEADER_BYTES
        after, place = at, k
        while after <= last:  # where the lengths say, most likely
            after += HEADER_BYTES + _TIMES.unpack_from(data, after)[0]
            place += 1
            if intact_at(data, after, first + place, first + self.step + place, crc_seed) is not None:
                return after, place
        for offset in range(at + 1, last + 1 if is_thorough else 0):
            length, _, wall, _, flags = _TIMES.unpack_from(data, offset)
            if flags > MOST_FLAGS or offset + HEADER_BYTES + length > len(data):
                continue
            if row.wall_ns and abs(wall - row.wall_ns) > _CLOSE_NS:
                continue
            for place in range(k + 1, k + 2 + (offset - at) // HEADER_BYTES):
                if self._tries <= 0:
                    return len(data), k
                self._tries -= 1
                if intact_at(data, offset, first + place, first + self.step + place, crc_seed) is not None:
                    return offset, place
        return len(data), k
