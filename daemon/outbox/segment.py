"""One segment file of the log: made, opened, appended to. How it is read: segment_read.py.

Synchronous; a connection is used by one thread at a time.
"""

import zlib
from pathlib import Path
from typing import Final

import msgspec

from torhaus.daemon.outbox import migrate, wal
from torhaus.daemon.outbox.record import Verdict, combined
from torhaus.daemon.outbox.segment_read import SegmentReader, meta_crc, verdict_of

SUFFIX: Final = ".db"
UNFINISHED: Final = f"new{SUFFIX}"
"""A segment is made under this name and then renamed: one that has its own name is complete, or damaged."""
CHECK_RECORDS: Final = 1000
"""Records at the end of the newest segment whose CRC is checked at start; the rest is checked when it is read."""

_encode: Final = msgspec.msgpack.Encoder().encode
_INSERT: Final = "INSERT INTO batch VALUES (?, ?, ?, ?, ?, ?, ?)"
_MOST_VALUES: Final = 1000
_INSERT_VERDICTS: Final = [
    (n, "INSERT OR REPLACE INTO verdict VALUES " + ",".join(["(?, ?, ?)"] * n))  # noqa: S608 - question marks only
    for n in (256, 64, 16, 4, 1)
]


def path_of(folder: Path, first: int) -> Path:
    """The file of the segment that begins at position `first`."""
    return folder / f"{first:020d}{SUFFIX}"


class Segment(SegmentReader):
    """An open segment file."""

    @classmethod
    def create(
        cls, folder: Path, site: str, store: str, first: int, first_seq: int, now_ns: int, machine: str = ""
    ) -> "Segment":
        """A new segment: the file, its content and its name are on disk when this returns."""
        unfinished, path = folder / UNFINISHED, path_of(folder, first)
        migrate.remove(unfinished)
        conn = migrate.connect(unfinished)
        try:
            migrate.upgrade(conn, "segment")
            crc = meta_crc(site, store, first, first_seq, machine)
            conn.execute(
                "INSERT INTO meta VALUES (?, ?, ?, ?, ?, ?, ?)", (site, store, first, first_seq, machine, now_ns, crc)
            )
            conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            conn.close()
        if path.exists():
            raise migrate.SchemaError(f"{path.name} is there already")
        unfinished.rename(path)
        try:
            migrate.sync_folder(folder)
            return cls.open(path)
        except BaseException:
            migrate.remove(path)  # else the next start would take it for the newest, although the old one went on
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

    def is_torn(self) -> bool:
        """Whether commits may have been lost from the end of it; asked before anything is written."""
        return wal.is_torn(self.path, self._conn)

    def append(
        self,
        first: int,
        n: int,
        seq: int,
        boot: str,
        wall_ns: int,
        pending: int,
        data: bytes,
        alarms: tuple[int, ...] | list[int] = (),
    ) -> None:
        """One commit: on disk when this returns. Raises sqlite3.Error, and then nothing was written."""
        row = (first, n, seq, boot, wall_ns, pending, data)
        if not alarms:
            self._conn.execute(_INSERT, row)
            return
        with migrate.transaction(self._conn):
            self._conn.execute(_INSERT, row)
            self._add_alarms(alarms)

    def add_verdicts(self, verdicts: list[tuple[int, Verdict]]) -> None:
        """What became known of records of this segment, in one commit, together with what is there of before."""
        with migrate.transaction(self._conn):
            known = self._verdicts({pos for pos, _ in verdicts})
            for pos, verdict in verdicts:
                before = known.get(pos)
                known[pos] = verdict if before is None else combined(before, verdict)
            rows: list[int | bytes] = []
            for pos, verdict in known.items():
                data = _encode(verdict)
                rows += [pos, zlib.crc32(data, pos & 0xFFFFFFFF), data]
            self._insert_verdicts(rows)
            self._add_alarms([pos for pos, verdict in verdicts if verdict.alarm])

    def _insert_verdicts(self, rows: list[int | bytes]) -> None:
        """In statements of few sizes, which SQLite has ready: to read a new one takes longer than to carry it out."""
        at = 0
        for count, insert in _INSERT_VERDICTS:
            while len(rows) - at >= 3 * count:
                self._conn.execute(insert, rows[at : at + 3 * count])
                at += 3 * count

    def _verdicts(self, positions: set[int]) -> dict[int, Verdict]:
        """Those that are there; a damaged one is as good as none."""
        first, last = min(positions), max(positions)
        if last - first < 4 * len(positions):  # nearly always: they follow each other
            select = "SELECT pos, crc, data FROM verdict WHERE pos BETWEEN ? AND ?"
            rows = self._conn.execute(select, (first, last))
        else:
            marks = ",".join("?" * len(positions))
            select = f"SELECT pos, crc, data FROM verdict WHERE pos IN ({marks})"  # noqa: S608 - question marks only
            rows = self._conn.execute(select, list(positions))
        found = {pos: verdict_of(pos, crc, data) for pos, crc, data in rows if pos in positions}
        return {pos: verdict for pos, verdict in found.items() if verdict is not None}

    def _add_alarms(self, alarms: tuple[int, ...] | list[int]) -> None:
        for i in range(0, len(alarms), _MOST_VALUES):
            part = alarms[i : i + _MOST_VALUES]
            marks = ",".join(["(?)"] * len(part))
            self._conn.execute(f"INSERT OR REPLACE INTO alarm VALUES {marks}", part)  # noqa: S608 - question marks only
