"""Deletes the box's own copies when their time is over, with a record: what, when, by which rule or whose word.

The document's row, its hash and its journal stay; what may name somebody goes with it (forgetting.py). The bytes go
when no other scan has the same ones; a sealed spool file becomes unreadable at once, for its key is deleted in the same
transaction (crypto-erase), wherever copies are.
"""

import asyncio
from functools import partial
from typing import Final

import msgspec

from torhaus.daemon.evidence.notes import scan_of
from torhaus.daemon.scans.config import ScanConfig
from torhaus.daemon.scans.db import Scan, ScansDb, Tx
from torhaus.daemon.scans.refusals import Refusal, Refused
from torhaus.daemon.scans.release.config import DAY_NS, Retention
from torhaus.daemon.scans.release.forgetting import FORGOTTEN, forget_names
from torhaus.daemon.scans.release.papers import PROVED, Result, class_of, is_made_good, quality_of_lot
from torhaus.daemon.scans.release.redrawing import draw_again
from torhaus.daemon.scans.release.stacks import is_discarded, parts_of
from torhaus.daemon.scans.spool import Spool
from torhaus.daemon.scans.states import State

AT_ONCE: Final = 200
_Gone = tuple[list[Scan], list[str]]


class _End(msgspec.Struct, frozen=True, order=True):
    """When a copy's time is over, by which rule, and when its target's bytes were proved."""

    at_ns: int
    rule: str
    days: int
    verified_ns: int


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
        # later than now: by a clock that was fast, so that the time is not to be found there.
        # of released ones `changed_ns` may be later than what their time is counted from: they are looked at anyhow
        where = (
            f"(state IN ({marks}) AND changed_ns NOT BETWEEN ? AND ? OR state IN (?, ?)"  # noqa: S608 - our own words
            " OR state IN ('verified', 'filed') AND seq IN (SELECT scan FROM paper WHERE settled_ns IS NOT NULL))"
            " AND seq > ? ORDER BY seq"
        )
        since = now_ns - config.least_days * DAY_NS + 1
        others = (State.RELEASED.value, State.SPLIT.value)
        found = tx.find(where, (*proved, since, now_ns, *others, self._after), AT_ONCE)
        self._after = found[-1].seq if len(found) == AT_ONCE else 0
        purged, blobs = [], []
        for scan in found:
            parts = parts_of(tx, scan.id)
            end = self._end_of_stack(tx, parts, config) if parts else self._end(tx, scan, config)
            if end is None or end.at_ns > now_ns:
                continue
            verified = None if parts else end.verified_ns
            said = {"parts": len(parts)} if parts else {}
            gone = self._forget(
                tx, scan, now_ns, verified, rule=end.rule, days=end.days, since=config.from_, **said
            )  # fmt: skip
            if gone is not None:
                purged.append(gone)
                blobs.append(scan.sha256)
        return purged, blobs

    def _end(self, tx: Tx, scan: Scan, config: Retention) -> _End | None:
        """Of one document; None while it may not go, however long that is."""
        sql = "SELECT verified_ns, released_ns, quality, settled_ns FROM paper WHERE scan = ?"
        verified, released, quality, settled = tx.conn.execute(sql, (scan.seq,)).fetchone() or (None,) * 4
        if verified is None:
            verified = scan.changed_ns
        days, rule = config.keep(scan.station, class_of(tx, scan))
        if scan.state is State.PURGED:  # a document of a stack, which has gone before; what is found since counts
            may_go = quality in {None, Result.OK} or is_made_good(tx, scan.seq)
        elif scan.state is State.RELEASED or (config.from_ == "verified" and scan.state in PROVED):
            may_go = released is not None or self._is_looked_at(tx, scan)
        elif settled is not None and scan.state in PROVED:  # its paper is never released: what was said of it counts
            may_go = is_made_good(tx, scan.seq) and self._is_looked_at(tx, scan)
        else:
            may_go = False
        if not may_go:
            return None
        if config.from_ == "verified" or is_discarded(tx, scan):
            return _End(verified + days * DAY_NS, rule, days, verified)
        since = released or settled or scan.changed_ns
        return _End(since + days * DAY_NS, rule, days, verified)

    def _end_of_stack(self, tx: Tx, parts: list[Scan], config: Retention) -> _End | None:
        """The last of its documents'; None while one of them may not go."""
        ends = [self._end(tx, part, config) for part in parts]
        known = [end for end in ends if end is not None]
        return max(known) if len(known) == len(parts) else None

    def _is_looked_at(self, tx: Tx, scan: Scan) -> bool:
        """Whether quality control needs the copy no more.

        BSI TR-03138 V1.5, A.NB.2: what was scanned is kept until quality control is through.
        """
        if not self._wants_quality:
            return True
        sql = "SELECT s.lot, p.quality FROM scan s LEFT JOIN paper p ON p.scan = s.seq WHERE s.seq = ?"
        lot, quality = tx.conn.execute(sql, (scan.seq,)).fetchone()
        if lot is None or (quality not in {None, Result.OK} and not is_made_good(tx, scan.seq)):
            return False
        return quality_of_lot(tx, lot) is None

    def _forget(
        self, tx: Tx, scan: Scan, now_ns: int, verified_ns: int | None, **data: str | int | bool | None
    ) -> Scan | None:
        """The record, and the key of the file, in one transaction; None when its bytes are just coming again."""

        def forget() -> None:
            tx.move(
                scan, State.PURGED, now_ns, None, sha256=scan.sha256, bytes=scan.size_bytes, forgotten=FORGOTTEN,
                **data,
            )  # fmt: skip
            forget_names(tx, scan)
            tx.conn.execute("INSERT OR IGNORE INTO paper (scan) VALUES (?)", (scan.seq,))
            tx.conn.execute("UPDATE paper SET verified_ns = ? WHERE scan = ?", (verified_ns, scan.seq))
            if not tx.wants_blob(scan.sha256):
                self._spool.keys.erase(tx.conn, scan.sha256)

        return tx.get(scan.seq) if self._spool.let_go(scan.sha256, forget) else None

    async def discard(self, scan_id: str, by: str, account: str, now_ns: int) -> Scan:
        """Delete what is held or in quarantine. Raises KeyError, Refused (in no such state; just coming again)."""

        def work(tx: Tx) -> Scan:
            scan = scan_of(tx, scan_id)
            if scan.state not in {State.HELD, State.QUARANTINED}:
                raise Refused(Refusal.STATE, state=scan.state.value)
            gone = self._forget(tx, scan, now_ns, None, by=by, account=account, was=scan.state.value)
            if gone is None:
                raise Refused(Refusal.COMING_AGAIN)
            if gone.lot is not None:
                draw_again(tx, gone, now_ns)
            return gone

        scan = await self._db.run(work)
        await self._remove([scan.sha256])
        return scan

    async def _remove(self, blobs: list[str]) -> None:
        """What the disk refuses is tried again next time, and at each start."""
        self._left.update(blobs)
        if not self._left:
            return

        asked = tuple(self._left)  # somebody may throw a document away meanwhile

        def unwanted(tx: Tx) -> list[str]:
            return [sha256 for sha256 in asked if not tx.wants_blob(sha256)]

        gone = await self._db.run(unwanted)
        self._left -= set(asked) - set(gone)
        for sha256 in gone:
            await asyncio.to_thread(self._spool.remove, sha256)
            self._left.discard(sha256)
        await self._db.checkpoint()
