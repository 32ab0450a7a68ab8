"""Runs quality control and release beside the scan queue: closes lots, takes what people say, frees paper."""

import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from torhaus.daemon.clock import Clock
from torhaus.daemon.scans.config import ScanConfig
from torhaus.daemon.scans.db import Scan, ScansDb, Tx
from torhaus.daemon.scans.disk import errno_name
from torhaus.daemon.scans.events import ReleaseWithdrawn, Report, ScanMoved, StoreStalled
from torhaus.daemon.scans.refusals import Refusal, Refused
from torhaus.daemon.scans.release.config import DAY_NS, Release
from torhaus.daemon.scans.release.forgetting import forget_batches
from torhaus.daemon.scans.release.lots import Lot, close_some, newest
from torhaus.daemon.scans.release.papers import VERIFIED, Paper, Result, Waits, free, papers_of
from torhaus.daemon.scans.release.quality import Kind, say, say_of_rest
from torhaus.daemon.scans.release.redrawing import mend_some
from torhaus.daemon.scans.release.replacing import replace, settle
from torhaus.daemon.scans.release.retaining import Retaining
from torhaus.daemon.scans.release.stacks import release_some
from torhaus.daemon.scans.release.standing import LotStanding, newest_standings, standing_of, standings_of, to_look_at
from torhaus.daemon.scans.release.withdrawing import withdrawn
from torhaus.daemon.scans.shipment import count_from_now
from torhaus.daemon.scans.spool import Spool

INTERVAL_S: Final = 60.0
LOTS_AT_ONCE: Final = 20
LOTS_LOOKED_AT: Final = 200
_LOTS: Final = (
    "SELECT name, EXISTS (SELECT 1 FROM scan s JOIN paper p ON p.scan = s.seq WHERE s.lot = lot.name"  # noqa: S608 - our own pieces
    f" AND p.released_ns IS NULL AND p.settled_ns IS NULL AND {VERIFIED} <= ?) FROM lot WHERE name > ?"
    " ORDER BY name LIMIT ?"
)
"""Lots in their order, and whether paper of any may have to be released: its copy may have gone long before."""


class NotConfigured(ValueError):  # noqa: N818 - a fact
    """There is no [scan.release]."""


class ReleaseDesk:
    """Lots are closed, and paper is freed, only while the clock is right: days would mean nothing otherwise."""

    def __init__(self, config: ScanConfig, db: ScansDb, spool: Spool, clock: Clock, report: Report) -> None:
        self._config = config.release
        self.retention = Retaining(config, db, spool)
        self._db = db
        self._clock = clock
        self._report = report
        self._after = ""
        self._after_stack = 0
        self._after_batch = ""
        self._stalled = False

    async def run(self) -> None:
        """Until cancelled; comes back at once where nothing is released or deleted."""
        while self._config is not None or self.retention.is_wanted:
            await self.step()
            await self._clock.sleep(INTERVAL_S)

    async def step(self) -> None:
        """Close lots, release and delete what may be; trouble of our own disk is reported once, not raised."""
        try:
            await self._step()
            self._stalled = False
        except sqlite3.Error as error:
            self._stall(type(error).__name__)
        except OSError as error:
            self._stall(errno_name(error))

    def _stall(self, detail: str) -> None:
        if not self._stalled:
            self._report(StoreStalled("release", detail))
        self._stalled = True

    async def _step(self) -> None:
        if not self._clock.synced():
            return
        now_ns, release = self._clock.wall_ns(), self._config
        await self._db.run(lambda tx: count_from_now(tx, now_ns))
        if release is not None:
            await self._db.run(lambda tx: close_some(tx, release, now_ns))
            await self._db.run(lambda tx: mend_some(tx, now_ns))
            if release.automatic:
                self._tell(await self._db.run(partial(self._free_some, release=release, now_ns=now_ns)))
            after = self._after_stack
            freed, self._after_stack = await self._db.run(lambda tx: release_some(tx, after, now_ns))
            self._tell(freed)
        self._tell(await self.retention.purge_some(now_ns))
        behind, wants_paper = self._after_batch, release is not None
        self._after_batch = await self._db.run(lambda tx: forget_batches(tx, behind, now_ns, wants_paper=wants_paper))

    async def discard(self, scan_id: str, by: str, account: str) -> Scan:
        """A person throws away what is held or in quarantine. Raises KeyError, Refused, sqlite3.Error, OSError."""
        scan = await self.retention.discard(scan_id, by, account, self._clock.wall_ns())
        self._tell([scan])
        return scan

    def _free_some(self, tx: Tx, release: Release, now_ns: int) -> list[Scan]:
        """Of a few lots, others each time: lots that wait for somebody do not keep the rest waiting."""
        shortest = min([release.delay_days, *(r.delay_days for r in release.rule if r.delay_days is not None)])
        values = (now_ns - shortest * DAY_NS, self._after, LOTS_LOOKED_AT)
        lots: list[str] = []
        looked = 0
        for name, is_open in tx.conn.execute(_LOTS, values):
            self._after, looked = str(name), looked + 1
            lots += [str(name)] if is_open else []
            if len(lots) == LOTS_AT_ONCE:
                break
        else:
            self._after = self._after if looked == LOTS_LOOKED_AT else ""
        papers = [paper for lot in lots for paper in papers_of(tx, lot, release, now_ns)]
        # what was taken back once is for a person
        ready = [paper for paper in papers if paper.waits_for == Waits.PERSON and paper.withdrawn_ns is None]
        return [free(tx, paper, now_ns, rule="scan.release.automatic") for paper in ready]

    async def say(self, kind: Kind, scan_id: str, result: Result, by: str, account: str) -> bool:
        """Somebody has looked at a document; whether that takes its paper's release back.

        Raises KeyError, Refused, sqlite3.Error.
        """
        at_ns = self._clock.wall_ns()
        taken_back = await self._db.run(lambda tx: say(tx, kind, scan_id, result, by, account, at_ns))
        if taken_back is not None:
            self._report(ReleaseWithdrawn(taken_back.id, taken_back.station))
        return taken_back is not None

    async def say_of_rest(self, lot: str, result: Result, by: str, account: str) -> int:
        """Somebody has looked at all the rest of a lot. Raises KeyError, Refused, sqlite3.Error."""
        at_ns = self._clock.wall_ns()
        return len(await self._db.run(lambda tx: say_of_rest(tx, lot, result, by, account, at_ns)))

    async def replaced(self, scan_id: str, new_id: str, by: str, account: str) -> None:
        """A bad document was scanned again as `new_id`. Raises KeyError, Refused, sqlite3.Error."""
        at_ns = self._clock.wall_ns()
        await self._db.run(lambda tx: replace(tx, scan_id, new_id, by, account, at_ns))

    async def settled(self, scan_id: str, by: str, account: str) -> None:
        """What was wrong with a document is settled without a new scan. Raises KeyError, Refused, sqlite3.Error."""
        at_ns = self._clock.wall_ns()
        await self._db.run(lambda tx: settle(tx, scan_id, by, account, at_ns))

    async def lots(self, most: int = 100) -> list[Lot]:
        """Those that were closed last."""
        return await self._db.run(lambda tx: newest(tx, most))

    async def standings(self, most: int = 100, *, of: Sequence[str] | None = None) -> list[LotStanding]:
        """How the batches stand that were closed last, or these. Raises NotConfigured."""
        release = self._configured()
        if of is not None:
            return await self._db.run(lambda tx: standings_of(tx, release, of))
        return await self._db.run(lambda tx: newest_standings(tx, release, most))

    async def standing(self, lot: str) -> LotStanding:
        """How one batch stands. Raises KeyError, NotConfigured."""
        release = self._configured()
        return await self._db.run(lambda tx: standing_of(tx, release, lot))

    async def to_look_at(self) -> dict[str, int] | None:
        """How many documents wait for quality control, by station; None where there is none."""
        return None if self._config is None else await self._db.run(to_look_at)

    async def withdrawn(self) -> dict[str, int] | None:
        """How many complaints after release are open, by station; None where nothing is released."""
        return None if self._config is None else await self._db.run(withdrawn)

    async def papers(self, lot: str) -> list[Paper]:
        """A lot's release list. Raises KeyError, NotConfigured."""
        return await self._db.run(self._listing(lot))

    def _configured(self) -> Release:
        if self._config is None:
            raise NotConfigured("there is no [scan.release]")
        return self._config

    def _listing(self, lot: str) -> Callable[[Tx], list[Paper]]:
        release, now_ns = self._configured(), self._clock.wall_ns()
        return lambda tx: papers_of(tx, lot, release, now_ns)

    async def release(self, lot: str, by: str, account: str) -> list[Paper]:
        """A person frees all of a lot that may be. Returns the list as it then stands.

        Raises KeyError, NotConfigured, Refused (the clock is not right).
        """
        listing = self._listing(lot)
        if not self._clock.synced():
            raise Refused(Refusal.CLOCK)
        at_ns = self._clock.wall_ns()

        def work(tx: Tx) -> tuple[list[Scan], list[Paper]]:
            count_from_now(tx, at_ns)
            ready = [paper for paper in listing(tx) if paper.waits_for == Waits.PERSON]
            freed = [free(tx, paper, at_ns, by=by, account=account) for paper in ready]
            return freed, listing(tx)

        freed, papers = await self._db.run(work)
        self._tell(freed)
        return papers

    def _tell(self, scans: list[Scan]) -> None:
        for scan in scans:
            self._report(ScanMoved(scan.id, scan.station, scan.target, scan.state, scan.reason, scan.size_bytes))
