"""What reads one segment file: rows by position, stepping over what a bad card has spoilt.

Positions within a segment follow each other without a gap, so what is not found, or does not match its CRC, is damage.
"""

import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from torhaus.daemon.outbox import migrate
from torhaus.daemon.outbox.record import HEADER_BYTES, Damaged, Stored, Verdict, apply, count, unpack

MAX_POSITION: Final = 1 << 62
MAX_RECORDS: Final = 1 << 32
"""More than a segment can ever hold."""

_decode_verdict: Final = msgspec.msgpack.Decoder(Verdict).decode

Row = tuple[int, int, int, str, bytes]
"""One commit: first position, records, first number, boot id, packed records."""

_ROWS: Final = (
    "SELECT first, n, seq, boot, data FROM batch WHERE {} first >= "
    "coalesce((SELECT max(first) FROM batch WHERE first <= ?), 0) ORDER BY first"
)
_ALL: Final = _ROWS.format("")
_AROUND: Final = (
    "SELECT first, n, seq, boot, data FROM batch WHERE first >= "
    "coalesce((SELECT first FROM batch WHERE first <= ? ORDER BY first DESC LIMIT 1 OFFSET 3), 0) ORDER BY first"
)
_PENDING: Final = _ROWS.format("pending > 0 AND")
_LAST: Final = "SELECT first, n, seq, boot, data FROM batch ORDER BY first DESC LIMIT 1"


def meta_crc(site: str, store: str, first: int, first_seq: int, machine: str) -> int:
    """The CRC-32 of a segment's own description."""
    return zlib.crc32(f"{site}/{store}/{first}/{first_seq}/{machine}".encode())


def thinned_crc(first: int, kept: int, step: int) -> int:
    """The CRC-32 of what a segment says about its thinning."""
    return zlib.crc32(f"{first}/{kept}/{step}".encode())


class SegmentReader:
    """An open segment file, as far as it is read. A connection is used by one thread at a time."""

    def __init__(self, path: Path, conn: sqlite3.Connection) -> None:
        self.path = path
        self.first = int(path.stem)
        self._conn = conn
        row = conn.execute("SELECT site, store, first, first_seq, machine, crc, created_ns FROM meta").fetchone()
        if row is None or meta_crc(*row[:5]) != row[5] or row[2] != self.first:
            raise migrate.SchemaError("the segment's own description is damaged")
        self.site: str = row[0]
        self.store: str = row[1]
        self.first_seq: int = row[3]
        self.machine: str = row[4]
        self.created_ns: int = row[6]

    def alarms(self, limit: int) -> list[int]:
        """Positions of records that are alarms, lowest first."""
        try:
            rows = self._conn.execute("SELECT pos FROM alarm ORDER BY pos LIMIT ?", (limit,)).fetchall()
        except sqlite3.DatabaseError as e:
            if not migrate.is_damage(e):
                raise
            return []  # of before there were alarms, or damaged: they go with the others
        return [pos for (pos,) in rows if self.first <= pos < self.first + MAX_RECORDS]

    def thinned(self) -> tuple[int, int] | None:
        """How many records were left, and about every how many-th of a device; None when it is whole."""
        try:
            row = self._conn.execute("SELECT kept, step, crc FROM thinned").fetchone()
        except sqlite3.DatabaseError as e:
            if not migrate.is_damage(e):
                raise
            return None  # of before there was thinning, or damaged: what is not there is found to be missing
        if row is None or thinned_crc(self.first, row[0], row[1]) != row[2]:
            return None
        return row[0], row[1]

    def copy_meta(self, target: sqlite3.Connection) -> None:
        """Have another file say of itself what this one does."""
        row = self._conn.execute("SELECT * FROM meta").fetchone()
        target.execute("INSERT INTO meta VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def end(self) -> tuple[int, int]:
        """The next free position and number. Raises SchemaError when the last row does not prove them."""
        row = self._conn.execute(_LAST).fetchone()
        if row is None:
            return self.first, self.first_seq
        proved = self._last_of(row)
        if proved is None:
            raise migrate.SchemaError("the segment's last row is damaged")
        return proved.pos + 1, proved.seq + 1

    def _last_of(self, row: Row) -> Stored | None:
        """The last record of a row, if it is intact and nothing follows it."""
        if not _is_row(row):
            return None
        first, n, seq, boot, data = row
        if count(data) != n:
            return None
        return next(iter(unpack(data, first, seq, self.store, boot, skip=n - 1)), None)

    def newest(self) -> Stored | None:
        """The last record; None when there is none, or it is damaged."""
        row = self._conn.execute(_LAST).fetchone()
        return None if row is None else self._last_of(row)

    def read(
        self, pos: int, end: int, max_records: int, max_bytes: int = 1 << 20, *, give_up: bool = False
    ) -> list[Stored | Damaged]:
        """What is at the positions from `pos` on, without a gap, as far as the bounds allow; verdicts are applied.

        Raises sqlite3.OperationalError when the file cannot be read at `pos` just now; `give_up` takes that for damage.
        """
        out = self._read(_ALL, pos, end, max_records, max_bytes, give_up=give_up)
        if out and isinstance(out[0], Damaged):  # a row with a changed key may hide the one that is meant
            again = self._read(_AROUND, pos, end, max_records, max_bytes, give_up=give_up)
            if again and isinstance(again[0], Stored):
                out = again
        self._apply_verdicts(out)
        return out

    def _read(
        self, statement: str, pos: int, end: int, max_records: int, max_bytes: int, *, give_up: bool
    ) -> list[Stored | Damaged]:
        out: list[Stored | Damaged] = []
        size, why, is_done = 0, "missing or changed on disk", False
        while pos < end and not is_done:
            try:
                for first, _, seq, boot, data in self._rows(statement, pos):
                    if first >= end:
                        break
                    if len(out) >= max_records or size >= max_bytes:
                        is_done = True
                        break
                    size += len(data)
                    skip, most = max(pos - first, 0), max_records - len(out)
                    for r in unpack(data, first, seq, self.store, boot, skip=skip, most=most):
                        if r.pos >= end:
                            break
                        if r.pos > pos:
                            out.append(Damaged(pos, r.pos - pos, why))
                        out.append(r)
                        pos = r.pos + 1
                if is_done and not out and first > pos:
                    out.append(Damaged(pos, first - pos, why))
                elif not is_done and pos < end and len(out) < max_records:
                    out.append(Damaged(pos, end - pos, why))
                is_done = True
            except sqlite3.DatabaseError as e:
                if not migrate.is_damage(e) and not give_up:
                    if out:
                        break
                    raise
                bad, pos = pos, self._next_readable(pos, end, give_up=give_up)
                out.append(Damaged(bad, pos - bad, str(e)))
        return out

    def _rows(self, statement: str, pos: int) -> Iterator[Row]:
        """The rows from the one that covers `pos` on; what is no row at all is left out."""
        cursor = self._conn.execute(statement, (pos,))
        try:
            while (row := cursor.fetchone()) is not None:
                if _is_row(row):
                    yield row
        finally:
            cursor.close()

    def _next_readable(self, bad: int, end: int, *, give_up: bool) -> int:
        """The first position above `bad` where SQLite can read a row again, or `end`."""
        step = 1
        while bad + step < end and not self._is_readable(bad + step, give_up=give_up):
            step *= 2
        low, high = bad + step // 2, min(bad + step, end)
        while high - low > 1:
            middle = (low + high) // 2
            if self._is_readable(middle, give_up=give_up):
                high = middle
            else:
                low = middle
        return high

    def _is_readable(self, pos: int, *, give_up: bool) -> bool:
        try:
            next(self._rows(_ALL, pos), None)
        except sqlite3.DatabaseError as e:
            if give_up or migrate.is_damage(e):
                return False
            raise
        return True

    def extent(self) -> int:
        """About where a segment ends whose end is not proved: an upper bound."""
        try:
            row = self._conn.execute(
                "SELECT first, n, seq, boot, data FROM batch WHERE first < ? ORDER BY first DESC LIMIT 1",
                (self.first + MAX_RECORDS,),
            ).fetchone()
            if row is None:
                return self.first
            if _is_row(row):
                first, n, data = int(row[0]), row[1], row[4]
                most = n if isinstance(n, int) and n == count(data) else len(data) // HEADER_BYTES + 1
                return max(self.first, first) + most
        except sqlite3.DatabaseError as e:
            if not migrate.is_damage(e):
                raise
        return self.first + migrate.size(self.path) // HEADER_BYTES

    def pending(self, pos: int, max_records: int) -> list[Stored]:
        """Records from `pos` on whose script has not answered yet."""
        out: list[Stored] = []
        for first, _, seq, boot, data in self._rows(_PENDING, pos):
            found: list[Stored | Damaged] = [
                r
                for r in unpack(data, first, seq, self.store, boot, skip=max(pos - first, 0))
                if r.pos >= pos and r.record.pending
            ]
            self._apply_verdicts(found)
            out += [r for r in found if isinstance(r, Stored) and r.record.pending]
            if len(out) >= max_records:
                break
        return out[:max_records]

    def _apply_verdicts(self, found: list[Stored | Damaged]) -> None:
        """Put in what is stored beside the records; what is read lies in order."""
        if not found:
            return
        try:
            rows = self._conn.execute(
                "SELECT pos, crc, data FROM verdict WHERE pos BETWEEN ? AND ?", (found[0].pos, found[-1].pos)
            ).fetchall()
        except sqlite3.DatabaseError as e:
            if not migrate.is_damage(e):
                raise
            return  # a damaged verdict is as good as none: the record is decoded again
        if not rows:
            return
        there = {r.pos: r for r in found if isinstance(r, Stored)}
        for pos, crc, data in rows:
            if pos in there and (verdict := verdict_of(pos, crc, data)) is not None:
                apply(there[pos], verdict)


def verdict_of(pos: int, crc: object, data: object) -> Verdict | None:
    """A verdict as it was written; None when it was changed on disk."""
    if not isinstance(data, bytes) or zlib.crc32(data, pos & 0xFFFFFFFF) != crc:
        return None
    try:
        return _decode_verdict(data)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None


def _is_row(row: tuple[object, ...]) -> bool:
    """Whether the columns have the types and bounds that were written: SQLite does not check that when it reads."""
    first, _, seq, boot, data = row
    return (
        isinstance(first, int)
        and isinstance(seq, int)
        and isinstance(boot, str)
        and isinstance(data, bytes)
        and 0 <= first < MAX_POSITION
        and 0 <= seq < MAX_POSITION
    )
