"""A person lets a held scan go on, or has one in quarantine checked again."""

import asyncio

from torhaus.daemon.clock import Clock
from torhaus.daemon.evidence.desk import EvidenceDesk
from torhaus.daemon.evidence.notes import scan_of
from torhaus.daemon.scans.check import Check
from torhaus.daemon.scans.checker import codes_json
from torhaus.daemon.scans.config import Station
from torhaus.daemon.scans.db import Scan, ScansDb, Tx
from torhaus.daemon.scans.events import Report, ScanMoved
from torhaus.daemon.scans.prepare import judged
from torhaus.daemon.scans.refusals import Refusal, Refused
from torhaus.daemon.scans.release.redrawing import draw_again
from torhaus.daemon.scans.sealing import Sealing
from torhaus.daemon.scans.spool import Spool
from torhaus.daemon.scans.states import State
from torhaus.daemon.scans.uploads.config import HttpStation


class Retrying:
    """By the rules of the configuration as it is now. `stations`: those whose rules are known, by name."""

    def __init__(
        self,
        stations: dict[str, Station | HttpStation],
        sealing: Sealing,
        db: ScansDb,
        spool: Spool,
        check: Check,
        clock: Clock,
        desk: EvidenceDesk,
        report: Report,
    ) -> None:
        self._stations = stations
        self._sealing = sealing
        self._db = db
        self._spool = spool
        self._check = check
        self._clock = clock
        self._desk = desk
        self._report = report

    async def retry(self, scan_id: str, target: str | None = None, account: str = "") -> Scan:
        """A held one goes on; one in quarantine stays there unless it passes now.

        `target`: where a held one goes; else where the same rules send it as at first. `account`: who wants it.
        Raises KeyError (no such scan), Refused (in no state to be retried; no rule says where), CheckUnavailable,
        OSError.
        """
        scan = await self._db.run(lambda tx: scan_of(tx, scan_id))
        if scan.state in {State.HELD, State.QUARANTINED}:
            await self._desk.used("retried", account, scan_id, target=target)
        if scan.state is State.HELD:
            moved = await self._db.run(lambda tx: self._sealing.let_go(tx, scan, target, self._clock.wall_ns()))
        elif scan.state is State.QUARANTINED:
            moved = await self._check_again(scan)
        else:
            raise Refused(Refusal.NOT_RETRIED, state=scan.state.value)
        self._report(ScanMoved(moved.id, moved.station, moved.target, moved.state, moved.reason, moved.size_bytes))
        return moved

    async def _check_again(self, scan: Scan) -> Scan:
        if not await asyncio.to_thread(self._spool.intact, scan.sha256):
            raise Refused(Refusal.BYTES_CHANGED)
        station = self._stations.get(scan.station)
        sheets = station is not None and station.cover_sheets != "off"
        verdict = await self._check.check(await asyncio.to_thread(self._spool.content, scan.sha256), codes=sheets)
        if station is not None:
            verdict = judged(station, verdict)
        at_ns = self._clock.wall_ns()

        def work(tx: Tx) -> Scan:
            if verdict.reason is not None:
                tx.note(scan, "checked_again", at_ns, reason=verdict.reason.value)
                return scan
            tx.conn.execute(
                "UPDATE scan SET media_type = ?, pages = ?, flags = ?, codes = ? WHERE seq = ?",
                (verdict.media_type, verdict.pages, " ".join(verdict.flags), codes_json(verdict.codes), scan.seq),
            )
            good = tx.move(scan, State.SPOOLED, at_ns, sha256=scan.sha256)
            if good.lot is not None:
                draw_again(tx, good, at_ns)
            return good

        return await self._db.run(work)
