"""Deletes the box's own copies when their time is over, with a record: what, when, by which rule or whose word.

The document's row, its hash and its journal stay. The bytes go when no other scan has the same ones; a sealed spool
file becomes unreadable at once, for its key is deleted in the same transaction (crypto-erase), wherever copies are.
"""

import asyncio
from functools import partial
from typing import Final

from torhaus.daemon.evidence.notes import scan_of
from torhaus.daemon.scans.config import ScanConfig
from torhaus.daemon.scans.db import Scan, ScansDb, Tx
from torhaus.daemon.scans.release.config import DAY_NS, Retention
from torhaus.daemon.scans.release.papers import MOST, PROVED, Result, class_of, quality_of
from torhaus.daemon.scans.spool import Spool
from torhaus.daemon.scans.states import State

AT_ONCE: Final = 200
_Gone = tuple[list[Scan], list[str]]


class Retaining:
    """Looks at a few documents a time, and goes through all of them in turn."""

    def __init__(self, config: ScanConfig, db: ScansDb, spool: Spool) -> None:
        self._config = config.retention
        self._wants_quality = config.release is not None
        self._db = db
        self._spool = spool
        self._after = 0
        self._left: set[str] = set()  # blobs that are still there, for the disk refused

    @property
    def is_wanted(self) -> bool:
        """Whether anything is ever deleted."""
        return self._config is not None

    async def purge_some(self, now_ns: int) -> list[Scan]:
        """Delete what was kept long enough. Returns what was. Raises sqlite3.Error, OSError."""
        if self._config is None:
            return []
        purged, blobs = await self._db.run(partial(self._purge, config=self._config, now_ns=now_ns))
        await self._remove(blobs)
        return purged

    def _purge(self, tx: Tx, config: Retention, now_ns: int) -> _Gone:
        proved = tuple(sorted(PROVED)) if config.from_ == "verified" else ()
        marks = ",".join("?" * len(proved)) or "NULL"
        # of released ones `changed_ns` may be later than what their time is counted from: they are looked at anyhow
        where = f"(state IN ({marks}) AND changed_ns <= ? OR state = ?) AND seq > ? ORDER BY seq"
        before = now_ns - config.least_days * DAY_NS
        found = tx.find(where, (*proved, before, State.RELEASED.value, self._after), AT_ONCE)
        self._after = found[-1].seq if len(found) == AT_ONCE else 0
        purged, blobs = [], []
        for scan in found:
            class_ = class_of(tx, scan)
            days, rule = config.keep(scan.station, class_)
            verified, may_go = self._known(tx, scan)
            since = verified if config.from_ == "verified" else scan.changed_ns
            if since + days * DAY_NS > now_ns or not may_go:
                continue
            gone = self._forget(tx, scan, now_ns, verified, rule=rule, days=days, since=config.from_)
            if gone is not None:
                purged.append(gone)
                blobs.append(scan.sha256)
        return purged, blobs

    def _known(self, tx: Tx, scan: Scan) -> tuple[int, bool]:
        """When its target's bytes were proved, and whether quality control needs the copy no more.

        BSI TR-03138 V1.5, A.NB.2: what was scanned is kept until quality control is through.
        """
        sql = "SELECT verified_ns, quality, released_ns FROM paper WHERE scan = ?"
        row = tx.conn.execute(sql, (scan.seq,)).fetchone() or (None, None, None)
        verified = scan.changed_ns if row[0] is None else int(row[0])
        if not self._wants_quality or row[2] is not None:
            return verified, True
        lot = tx.conn.execute("SELECT lot FROM scan WHERE seq = ?", (scan.seq,)).fetchone()[0]
        if lot is None or row[1] not in {None, Result.OK}:
            return verified, False
        sql = "SELECT sampled, quality FROM paper WHERE scan IN (SELECT seq FROM scan WHERE lot = ?) LIMIT ?"
        return verified, quality_of(tx.conn.execute(sql, (lot, MOST)).fetchall()) is None

    def _forget(
        self, tx: Tx, scan: Scan, now_ns: int, verified_ns: int | None, **data: str | int | bool | None
    ) -> Scan | None:
        """The record, and the key of the file, in one transaction; None when its bytes are just coming again."""

        def forget() -> None:
            tx.move(scan, State.PURGED, now_ns, None, sha256=scan.sha256, bytes=scan.size_bytes, **data)
            tx.conn.execute("INSERT OR IGNORE INTO paper (scan) VALUES (?)", (scan.seq,))
            tx.conn.execute("UPDATE paper SET verified_ns = ? WHERE scan = ?", (verified_ns, scan.seq))
            if not tx.wants_blob(scan.sha256):
                self._spool.keys.erase(tx.conn, scan.sha256)

        return tx.get(scan.seq) if self._spool.let_go(scan.sha256, forget) else None

    async def discard(self, scan_id: str, by: str, account: str, now_ns: int) -> Scan:
        """Delete what is held or in quarantine. Raises KeyError, ValueError (in no such state; just coming again)."""

        def work(tx: Tx) -> Scan:
            scan = scan_of(tx, scan_id)
            if scan.state not in {State.HELD, State.QUARANTINED}:
                raise ValueError(
                    f"a scan that is {scan.state.value} cannot be discarded: only one that waits for a person"
                )
            gone = self._forget(tx, scan, now_ns, None, by=by, account=account, was=scan.state.value)
            if gone is None:
                raise ValueError("its bytes came less than an hour ago, and may be coming again: try later")
            return gone

        scan = await self._db.run(work)
        await self._remove([scan.sha256])
        return scan

    async def _remove(self, blobs: list[str]) -> None:
        """What the disk refuses is tried again next time, and at each start."""
        self._left.update(blobs)
        if not self._left:
            return

        def unwanted(tx: Tx) -> list[str]:
            return [sha256 for sha256 in self._left if not tx.wants_blob(sha256)]

        gone = await self._db.run(unwanted)
        self._left = set(gone)
        for sha256 in gone:
            await asyncio.to_thread(self._spool.remove, sha256)
            self._left.discard(sha256)
        await self._db.checkpoint()
