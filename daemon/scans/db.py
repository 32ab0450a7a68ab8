"""scans.db: where every scan stands, and the evidence for it, changed in one transaction.

SQLite in WAL mode with synchronous=FULL on one thread of its own; `run` hands it a function that sees the whole
transaction, so that nothing else can come between, and a cancelled caller cannot leave half of it.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar

import msgspec

from torhaus.codecs.model import Stamp
from torhaus.codecs.sidecar import Told
from torhaus.daemon.scans import evidence
from torhaus.daemon.scans.checker import Code, codes_json
from torhaus.daemon.scans.migrate import bring_up, check_ours
from torhaus.daemon.scans.spool_keys import Row, SpoolKeys, key_in
from torhaus.daemon.scans.states import Reason, State, check_move

T = TypeVar("T")
_NONE: Final[Mapping[str, float]] = MappingProxyType({})


class Scan(msgspec.Struct, frozen=True, gc=False):
    """One row of `scan`. Times are ns since the epoch; sha256 is hex; name is as the directory had it."""

    seq: int
    id: str
    station: str
    name: bytes
    state: State
    reason: Reason | None
    sha256: str
    size_bytes: int
    media_type: str
    pages: int
    flags: tuple[str, ...]
    codes: tuple[Code, ...]
    batch: str | None
    told: Told
    duplicate_of: str | None
    target: str | None
    receipt: str | None
    arrived_ns: int
    changed_ns: int
    tries: int
    refusals: int
    derived_from: str | None = None
    lot: str | None = None


_COLUMNS: Final = ", ".join(Scan.__struct_fields__)


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """What intake knows of a new scan, its bytes being safe in the spool."""

    station: str
    name: bytes
    sha256: str
    size_bytes: int
    media_type: str
    pages: int
    flags: tuple[str, ...]
    at: Stamp
    boot_id: str
    codes: tuple[Code, ...] = ()
    told: Told = Told()
    batch: str | None = None
    derived_from: str | None = None  # id of the stack that it was split from


class Tx:
    """An open transaction. Every change of state goes through `add` or `move`, which write the evidence as well."""

    def __init__(
        self,
        conn: sqlite3.Connection,
        site: str,
        store: str,
        windows_s: Mapping[str, float] = _NONE,
        keys: SpoolKeys | None = None,
    ) -> None:
        self.conn = conn
        self._keys = keys
        self.site = site
        self.store = store
        self._windows_s = windows_s

    def add(self, arrival: Arrival) -> Scan:
        """A new scan in state spooled, marked as duplicate when this station brought the same bytes before."""
        first = self._first_of(arrival)
        seq = self.next_seq()
        scan_id = f"{self.site}/{self.store}/{seq}"
        at = arrival.at
        if self._keys is not None:
            self._keys.enter(self.conn, arrival.sha256)
        self.conn.execute(
            "INSERT INTO scan (seq, id, station, name, state, sha256, size_bytes, media_type, pages, flags,"
            " codes, batch, told, duplicate_of, arrived_ns, arrived_boot, boot_id, synced, changed_ns, derived_from)"
            " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            (seq, scan_id, arrival.station, arrival.name, State.SPOOLED, arrival.sha256, arrival.size_bytes,
             arrival.media_type, arrival.pages, " ".join(arrival.flags), codes_json(arrival.codes),
             arrival.batch, msgspec.json.encode(arrival.told).decode(), first[0] if first else None,
             at.wall_ns, at.boot_ns, arrival.boot_id, at.synced, at.wall_ns,
             arrival.derived_from),
        )  # fmt: skip
        arrived: evidence.Data = {"state": State.ARRIVED.value, "station": arrival.station, "synced": at.synced}
        spooled: evidence.Data = {
            "state": State.SPOOLED.value,
            "sha256": arrival.sha256,
            "bytes": arrival.size_bytes,
            "duplicate_of": first[0] if first else None,
        }
        evidence.append(self.conn, at.wall_ns, scan_id, "arrived", arrived)
        evidence.append(self.conn, at.wall_ns, scan_id, "spooled", spooled)
        return self.get(seq)

    def next_seq(self) -> int:
        """The number that the next scan will get."""
        row = self.conn.execute("SELECT seq FROM sqlite_sequence WHERE name = 'scan'").fetchone()
        return (row[0] if row else 0) + 1

    def _first_of(self, arrival: Arrival) -> tuple[str] | None:
        """The id of the first scan with these bytes from this station, within its window.

        What came before a clock was right is within every window: rather once too often than overlooked.
        """
        window_s = self._windows_s.get(arrival.station, 0)
        since = arrival.at.wall_ns - int(window_s * 1e9) if window_s and arrival.at.synced else 0
        found: tuple[str] | None = self.conn.execute(
            "SELECT id FROM scan WHERE sha256 = ? AND station = ? AND (arrived_ns >= ? OR synced = 0)"
            " ORDER BY seq LIMIT 1",
            (arrival.sha256, arrival.station, since),
        ).fetchone()
        return found

    def get(self, seq: int) -> Scan:
        """The scan with this number. Raises KeyError."""
        row = self.conn.execute(f"SELECT {_COLUMNS} FROM scan WHERE seq = ?", (seq,)).fetchone()  # noqa: S608 - our own column names
        if row is None:
            raise KeyError(seq)
        return _scan(row)

    def find(self, where: str, parameters: tuple[str | int, ...], limit: int) -> list[Scan]:
        """Scans by a condition written in this package (never from outside), at most `limit`."""
        sql = f"SELECT {_COLUMNS} FROM scan WHERE {where} LIMIT ?"  # noqa: S608 - conditions are our own constants
        return [_scan(row) for row in self.conn.execute(sql, (*parameters, limit))]

    def wants_blob(self, sha256: str) -> bool:
        """Whether any scan has these bytes and keeps them."""
        sql = "SELECT 1 FROM scan WHERE sha256 = ? AND state != ? LIMIT 1"
        return self.conn.execute(sql, (sha256, State.PURGED)).fetchone() is not None

    def move(
        self, scan: Scan, to: State, at_ns: int, reason: Reason | None = None, **data: str | int | bool | None
    ) -> Scan:
        """Change the state and write the evidence. Raises BadMove; KeyError when the row has moved on meanwhile."""
        check_move(scan.state, to)
        return self._put(scan, to, at_ns, to.value, reason, data)

    def take_back(self, scan: Scan, to: State, at_ns: int, event: str, **data: str | int | bool | None) -> Scan:
        """A release: `move` with an event of its own."""
        check_move(scan.state, to, back=True)
        return self._put(scan, to, at_ns, event, None, data)

    def _put(self, scan: Scan, to: State, at_ns: int, event: str, reason: Reason | None, data: evidence.Data) -> Scan:
        done = self.conn.execute(
            "UPDATE scan SET state = ?, reason = ?, changed_ns = ? WHERE seq = ? AND state = ?",
            (to, reason, at_ns, scan.seq, scan.state),
        )
        if done.rowcount != 1:
            raise KeyError(scan.seq)
        entry: evidence.Data = {"state": to.value, **data}
        if reason is not None:
            entry["reason"] = reason.value
        evidence.append(self.conn, at_ns, scan.id, event, entry)
        return self.get(scan.seq)

    def note(self, scan: Scan, event: str, at_ns: int, **data: str | int | bool | None) -> None:
        """Evidence of something that changes no state."""
        evidence.append(self.conn, at_ns, scan.id, event, data)

    def enter(self, event: str, at_ns: int, scan: str | None = None, **data: str | int | bool | None) -> None:
        """Evidence of something that is about no scan, or about one that is known by its id."""
        evidence.append(self.conn, at_ns, scan, event, data)

    def head(self, at_ns: int) -> evidence.Head:
        """Where the evidence chain stands."""
        seq, digest = evidence.last(self.conn)
        return evidence.Head(self.store, seq, digest.hex(), at_ns)


def _scan(row: tuple[object, ...]) -> Scan:
    values = dict(zip(Scan.__struct_fields__, row, strict=True))
    values["flags"] = tuple(str(values["flags"]).split())
    values["codes"] = msgspec.json.decode(str(values["codes"]), type=tuple[Code, ...])
    values["told"] = msgspec.json.decode(str(values["told"]), type=Told)
    return msgspec.convert(values, Scan, builtin_types=(bytes,))


class ScansDb:
    """The open store. `store` is its id, 8 hex digits. sqlite3.Error leaves `run` when the disk is full or broken."""

    def __init__(
        self, path: Path, site: str, windows_s: Mapping[str, float] = _NONE, keys: SpoolKeys | None = None
    ) -> None:
        self._keys = keys
        self.path = path
        self._site = site
        self._windows_s = windows_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="scans-db")
        self._conn: sqlite3.Connection | None = None
        self.store = ""

    @property
    def is_open(self) -> bool:
        """Whether `run` may be called."""
        return self._conn is not None

    async def open(self) -> None:
        """Open or create; again after a close, too. Raises StoreRefused, sqlite3.Error."""
        self._thread.shutdown(wait=False)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="scans-db")
        await asyncio.get_running_loop().run_in_executor(self._thread, self._open)

    def _open(self) -> None:
        conn = sqlite3.connect(self.path, isolation_level=None)
        try:
            self.path.chmod(0o600)
            check_ours(conn)
            conn.execute("PRAGMA journal_mode = WAL")
            conn.execute("PRAGMA synchronous = FULL")
            conn.execute("PRAGMA foreign_keys = ON")
            conn.execute("PRAGMA secure_delete = ON")
            bring_up(conn)
            self.store = conn.execute("SELECT store FROM store").fetchone()[0]
        except BaseException:
            conn.close()
            raise
        self._conn = conn

    async def run(self, work: Callable[[Tx], T]) -> T:
        """Run `work` in one transaction on the store's thread; committed (fsync'd) when this returns."""
        try:
            done = asyncio.get_running_loop().run_in_executor(self._thread, self._transact, work)
        except RuntimeError as error:  # its thread has ended
            raise sqlite3.OperationalError("the store is not open") from error
        return await done

    def _transact(self, work: Callable[[Tx], T]) -> T:
        conn = self._conn
        if conn is None:
            raise sqlite3.OperationalError("the store is not open")
        conn.execute("BEGIN IMMEDIATE")
        try:
            result = work(Tx(conn, self._site, self.store, self._windows_s, self._keys))
            self._commit(conn)
        except BaseException:
            if conn.in_transaction:
                conn.execute("ROLLBACK")
            raise
        return result

    async def checkpoint(self) -> None:
        """Take what was deleted out of the write-ahead log as well. Raises sqlite3.Error."""
        conn = self._conn
        assert conn is not None, "not open"
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, lambda: conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone())

    def key_row(self, ref: bytes) -> Row | None:
        """What is kept of a spool file's key. Blocks; never from the store's own thread. Raises sqlite3.Error."""
        conn = self._conn
        if conn is None:
            raise sqlite3.OperationalError("the store is not open")
        return self._thread.submit(key_in, conn, ref).result()

    def _commit(self, conn: sqlite3.Connection) -> None:
        conn.execute("COMMIT")

    async def close(self) -> None:
        """Close; may be called twice. What is just being opened, for one who was cancelled, is closed as well."""
        try:
            closing = asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        except RuntimeError:  # closed before
            return
        self._thread.shutdown(wait=False)  # after what waits
        await asyncio.shield(closing)

    def _close(self) -> None:
        conn, self._conn = self._conn, None
        if conn is not None:
            conn.close()
