"""One segment file of the log: append and read. Synchronous; a connection is used by one thread at a time."""

import sqlite3
import zlib
from pathlib import Path
from typing import Final

import msgspec

from torhaus.daemon.outbox import migrate
from torhaus.daemon.outbox.record import Damaged, Stored, Verdict, unpack

SUFFIX: Final = ".db"
CHECK_ROWS_RECORDS: Final = 1000
"""Records at the end of the newest segment whose CRC is checked at start; the rest is checked when it is read."""

_encode: Final = msgspec.msgpack.Encoder().encode
_decode_verdict: Final = msgspec.msgpack.Decoder(Verdict).decode

Row = tuple[int, int, int, str, bytes]


def path_of(folder: Path, first: int) -> Path:
    """The file of the segment that begins at position `first`."""
    return folder / f"{first:020d}{SUFFIX}"


class Segment:
    """An open segment file."""

    def __init__(self, path: Path, conn: sqlite3.Connection) -> None:
        self.path = path
        self._conn = conn
        row = conn.execute("SELECT site, store, first, first_seq FROM meta").fetchone()
        if row is None:
            raise migrate.SchemaError("segment without meta row")
        self.site, self.store, self.first, self.first_seq = row

    @classmethod
    def create(cls, folder: Path, site: str, store: str, first: int, first_seq: int, now_ns: int) -> "Segment":
        """A new segment, on disk when this returns."""
        path = path_of(folder, first)
        conn = migrate.connect(path)
        try:
            migrate.upgrade(conn, "segment")
            if conn.execute("SELECT count(*) FROM meta").fetchone()[0] == 0:
                conn.execute("INSERT INTO meta VALUES (?, ?, ?, ?, ?)", (site, store, first, first_seq, now_ns))
            return cls(path, conn)
        except BaseException:
            conn.close()
            raise

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False) -> "Segment":
        """An existing segment. Raises sqlite3.Error or SchemaError when it cannot be used."""
        conn = migrate.connect(path, read_only=read_only)
        try:
            if not read_only:
                migrate.upgrade(conn, "segment")
            return cls(path, conn)
        except BaseException:
            conn.close()
            raise

    def close(self) -> None:
        """Fold the write-ahead log into the file and let go of it."""
        self._conn.close()

    def append(self, first: int, n: int, seq: int, boot: str, wall_ns: int, pending: int, data: bytes) -> None:
        """One commit: on disk when this returns. Raises sqlite3.Error, and then nothing was written."""
        self._conn.execute(
            "INSERT INTO batch VALUES (?, ?, ?, ?, ?, ?, ?)", (first, n, seq, boot, wall_ns, pending, data)
        )

    def add_verdicts(self, verdicts: list[tuple[int, Verdict]]) -> None:
        """What scripts made of records of this segment, in one commit."""
        rows = []
        for pos, verdict in verdicts:
            data = _encode(verdict)
            rows += [pos, zlib.crc32(data, pos & 0xFFFFFFFF), data]
        marks = ",".join(["(?, ?, ?)"] * len(verdicts))
        self._conn.execute(f"INSERT OR REPLACE INTO verdict VALUES {marks}", rows)  # noqa: S608 - question marks only

    def end(self) -> tuple[int, int]:
        """The next free position and number."""
        row = self._conn.execute("SELECT first + n, seq + n FROM batch ORDER BY first DESC LIMIT 1").fetchone()
        return (row[0], row[1]) if row else (self.first, self.first_seq)

    def newest_wall_ns(self) -> int | None:
        """When the last commit was written; None when there is none."""
        row = self._conn.execute("SELECT wall_ns FROM batch ORDER BY first DESC LIMIT 1").fetchone()
        return row[0] if row else None

    def check_tail(self) -> list[Damaged]:
        """What is damaged among the last CHECK_ROWS_RECORDS records."""
        seen, bad = 0, []
        for first, n, seq, boot, data in self._conn.execute(
            "SELECT first, n, seq, boot, data FROM batch ORDER BY first DESC"
        ):
            bad += [r for r in unpack(data, first, n, seq, self.store, boot) if isinstance(r, Damaged)]
            seen += n
            if seen >= CHECK_ROWS_RECORDS:
                break
        return bad

    def read(self, pos: int, max_records: int, max_bytes: int) -> list[Stored | Damaged]:
        """Records from `pos` on, with verdicts applied: at least one row's worth when there is one."""
        out: list[Stored | Damaged] = []
        size = 0
        cursor = self._conn.execute(
            "SELECT first, n, seq, boot, data FROM batch WHERE first >= "
            "coalesce((SELECT max(first) FROM batch WHERE first <= ?), 0) ORDER BY first",
            (pos,),
        )
        while len(out) < max_records and size < max_bytes:
            row: Row | None = cursor.fetchone()
            if row is None:
                break
            first, n, seq, boot, data = row
            if first + n <= pos:
                continue
            size += len(data)
            out += [r for r in unpack(data, first, n, seq, self.store, boot) if _end(r) > pos]
        cursor.close()
        out = out[:max_records]
        if any(isinstance(r, Stored) and r.record.pending for r in out):
            self._apply_verdicts(out)
        return out

    def pending(self, pos: int, max_records: int) -> list[Stored]:
        """Records from `pos` on whose script has not answered yet."""
        out: list[Stored] = []
        rows = self._conn.execute(
            "SELECT first, n, seq, boot, data FROM batch WHERE pending > 0 AND first + n > ? ORDER BY first", (pos,)
        )
        for first, n, seq, boot, data in rows:
            found: list[Stored | Damaged] = [
                r
                for r in unpack(data, first, n, seq, self.store, boot)
                if isinstance(r, Stored) and r.pos >= pos and r.record.pending
            ]
            self._apply_verdicts(found)
            out += [r for r in found if isinstance(r, Stored) and r.record.pending]
            if len(out) >= max_records:
                break
        return out[:max_records]

    def _apply_verdicts(self, found: list[Stored | Damaged]) -> None:
        if not found:
            return
        verdicts = {
            pos: data
            for pos, crc, data in self._conn.execute(
                "SELECT pos, crc, data FROM verdict WHERE pos BETWEEN ? AND ?", (found[0].pos, found[-1].pos)
            )
            if zlib.crc32(data, pos & 0xFFFFFFFF) == crc  # a damaged one is as good as none: it is decoded again
        }
        for r in found:
            if isinstance(r, Stored) and r.record.pending and r.pos in verdicts:
                apply(r, _decode_verdict(verdicts[r.pos]))


def apply(stored: Stored, verdict: Verdict) -> None:
    """Put a script's verdict into a pending record."""
    record = stored.record
    record.pending = False
    record.fields, record.reason, record.detail = verdict.fields, verdict.reason, verdict.detail
    record.kind = "reading" if verdict.fields is not None else "frame"


def _end(r: Stored | Damaged) -> int:
    return r.pos + (r.count if isinstance(r, Damaged) else 1)
