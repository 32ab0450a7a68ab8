"""The scan queue as the daemon sees it: wires stations, store, spool and targets, runs them, and answers questions."""

import asyncio
import fcntl
import os
import random
import sqlite3
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from torhaus.codecs.cover_sheet import CoverSheet
from torhaus.daemon.clock import Clock
from torhaus.daemon.evidence.desk import RECORD_INTERVAL_S, EvidenceDesk
from torhaus.daemon.evidence.notes import scan_of
from torhaus.daemon.evidence.report import Report as Verified
from torhaus.daemon.evidence.stamping import Stamping
from torhaus.daemon.scans import evidence
from torhaus.daemon.scans.check import Check, ProcessCheck
from torhaus.daemon.scans.config import ScanConfig, Station
from torhaus.daemon.scans.counts import Arrived, BatchCount, Counts, arrived_since, by_state, newest_batches
from torhaus.daemon.scans.db import Scan, ScansDb, Tx
from torhaus.daemon.scans.delivery import Delivery, Standing
from torhaus.daemon.scans.disk import Disk, errno_name
from torhaus.daemon.scans.events import Event, Report, ScanMoved, StoreStalled
from torhaus.daemon.scans.finished import hot_folder
from torhaus.daemon.scans.intake import Intake
from torhaus.daemon.scans.pull.pulls import Pulls
from torhaus.daemon.scans.release.desk import ReleaseDesk
from torhaus.daemon.scans.release.stacks import parts_of
from torhaus.daemon.scans.retrying import Retrying
from torhaus.daemon.scans.sealing import Sealing
from torhaus.daemon.scans.sheets.desk import SheetDesk
from torhaus.daemon.scans.splitting import Splitting
from torhaus.daemon.scans.spool import Spool
from torhaus.daemon.scans.spool_keys import SpoolKeys
from torhaus.daemon.scans.states import State
from torhaus.daemon.scans.threads import to_end
from torhaus.daemon.scans.uploads.config import HttpStation
from torhaus.daemon.scans.uploads.reception import Reception
from torhaus.daemon.scans.viewing import Viewing

SEAL_INTERVAL_S: Final = 1.0
"""How often newly spooled scans are looked for: what a scan waits at most before its target knows of it."""
MAX_LIST: Final = 1000


class StoreBusy(Exception):  # noqa: N818 - a fact
    """Another process runs this scan queue."""


class ScanQueue:
    """One site's scans. `run` works until cancelled; the questions may be asked whenever the store is open."""

    def __init__(
        self, config: ScanConfig, state_dir: Path, site: str, clock: Clock, report: Report, *,
        disk: Disk | None = None, check: Check | None = None, rng: random.Random | None = None,
        files: Sequence[Path] = (),
    ) -> None:  # fmt: skip
        self._config = config
        self._root = state_dir / "scans"
        self._clock = clock
        self._disk = disk or Disk()
        self._check = check or ProcessCheck(self._disk, config.check)
        self._rng = rng or random.Random()
        keys = SpoolKeys(config.spool_key_files)
        self._spool = Spool(self._root, self._disk, config.min_free_bytes, keys)
        windows_s = {s.name: s.duplicates_window_s for s in config.station}
        self._db = ScansDb(self._root / "scans.db", site, windows_s, keys)
        self.evidence = EvidenceDesk(config.evidence, self._root, self._disk, self._db, clock, report, files)

        def told(event: Event) -> None:
            self.evidence.faults.watch(event)
            report(event)

        self._report = told
        self.stamping = Stamping(config.evidence, self._root / "roots", self._disk, self._db, clock, self._rng, told)
        self.evidence.figures.stamps = self.stamping.figures if self.stamping.configured else None
        self.desk = SheetDesk(self._root, self._disk, config.cover_sheets.key_files)
        self._sealing = Sealing(config, self.desk)
        self.release = ReleaseDesk(config, self._db, self._spool, clock, told)
        self.viewing = Viewing(self._db, self._spool, self._check, self.evidence, clock)
        self.splitting = Splitting(config, self._sealing, self._db, self._spool, self._check, clock, told)
        self._lock_fd = -1
        self._stalled: set[str] = set()
        self.pulls = Pulls(config, self._root / "pull", self._disk, clock)
        self._folders = [s for s in config.station if isinstance(s, Station)] + self.pulls.folders()
        folders = [hot_folder(s, self._disk, config.folders_of(s.name)) for s in self._folders]
        self.intakes = [
            Intake(s, folder, self._db, self._spool, self._check, clock, self._disk, told)
            for s, folder in zip(self._folders, folders, strict=True)
        ]
        self.reception = Reception(
            config, self._root / "uploads", self._db, self._spool, self._check, clock, self._disk, told,
            self.evidence,
        )  # fmt: skip
        rules: dict[str, Station | HttpStation] = {s.name: s for s in self._folders} | self.reception.stations
        self.retry = Retrying(
            rules, self._sealing, self._db, self._spool, self._check, clock, self.evidence, told
        ).retry
        self.deliveries = [
            Delivery(target, self._db, self._spool, self._disk, clock, self._rng, told) for target in config.target
        ]

    @property
    def is_open(self) -> bool:
        """Whether questions may be asked."""
        return self._db.is_open

    async def open(self) -> None:
        """Take the store: lock, tidy up after a crash, open. Raises StoreBusy, StoreRefused, OSError, sqlite3.Error."""
        try:
            await to_end(self._prepare)
            await self._db.open()
            await self._db.run(lambda tx: self._spool.keys.check(tx.conn))
            await self._db.run(lambda tx: self._spool.sweep(tx.wants_blob))
            await self.evidence.begin()
            await self.reception.open()
        except BaseException:
            await self.close()
            raise

    def _prepare(self) -> None:
        self._disk.make_dir(self._root)
        self._lock_fd = os.open(self._root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock_fd)
            self._lock_fd = -1
            raise StoreBusy(f"in use by another torhaus: {self._root}") from None
        self._spool.keys.load(self._db.key_row)
        self._spool.prepare()
        self.pulls.prepare()
        self.evidence.load()
        self.desk.load()

    async def close(self) -> None:
        """Give the store back."""
        try:
            await self._check.close()
            await self._db.close()
        finally:  # who is told twice to end must not keep the store locked
            if self._lock_fd >= 0:
                os.close(self._lock_fd)
                self._lock_fd = -1

    async def run(self) -> None:
        """Open, work until cancelled, close in order."""
        await self.open()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._seal_forever(), name="scans-seal")
                group.create_task(self.splitting.run(), name="scans-split")
                group.create_task(self._record_forever(), name="scans-head")
                group.create_task(self.stamping.run(), name="scans-stamps")
                group.create_task(self.pulls.run(), name="scans-pulls")
                group.create_task(self.release.run(), name="scans-release")
                if self.reception.stations:
                    group.create_task(self.reception.tend(), name="scans-uploads")
                for intake, station in zip(self.intakes, self._folders, strict=True):
                    group.create_task(intake.run(), name=f"scans-station-{station.name}")
                for delivery, target in zip(self.deliveries, self._config.target, strict=True):
                    group.create_task(delivery.run(), name=f"scans-target-{target.name}")
        finally:
            try:
                await self.record_head()
            finally:
                await self.close()

    async def _seal_forever(self) -> None:
        while True:
            await self.seal()
            await self._clock.sleep(SEAL_INTERVAL_S)

    async def _record_forever(self) -> None:
        while True:
            await self.record_head()
            await self._clock.sleep(RECORD_INTERVAL_S)

    async def seal(self) -> int:
        """Have what was spooled sealed. Returns how many were moved."""
        try:
            sealed = await self._db.run(partial(self._sealing.some, at_ns=self._clock.wall_ns()))
        except sqlite3.Error as error:
            self._stall("seal", type(error).__name__)
            return 0
        self._stalled.discard("seal")
        for scan in sealed:
            self._tell(scan)
        return len(sealed)

    async def record_head(self) -> None:
        """Have the journal's head, and the root that is due, written to disk; trouble is reported, not raised."""
        try:
            await self.evidence.record()
            self._stalled.discard("evidence")
        except sqlite3.Error as error:
            self._stall("evidence", type(error).__name__)
        except OSError as error:
            self._stall("evidence", errno_name(error))

    async def counts(self) -> Counts:
        """How many scans stand where."""
        stations, targets = [s.name for s in self._config.station], [t.name for t in self._config.target]
        return await self._db.run(lambda tx: by_state(tx, stations, targets))

    async def since(self, at_ns: int) -> list[Arrived]:
        """What has arrived since then, by station and state."""
        return await self._db.run(lambda tx: arrived_since(tx, at_ns))

    async def batches(self, most: int) -> list[BatchCount]:
        """The batches that came last, by state, the newest first."""
        return await self._db.run(lambda tx: newest_batches(tx, most))

    async def show(self, scan_id: str) -> tuple[Scan, tuple[evidence.Entry, ...]]:
        """A scan and its evidence, oldest first. Raises KeyError."""

        def work(tx: Tx) -> tuple[Scan, tuple[evidence.Entry, ...]]:
            scan = scan_of(tx, scan_id)
            rows = tx.conn.execute(
                "SELECT entry FROM evidence WHERE scan = ? ORDER BY seq LIMIT ?", (scan_id, MAX_LIST)
            )
            return scan, tuple(msgspec.json.decode(row[0], type=evidence.Entry) for row in rows)

        return await self._db.run(work)

    async def parts(self, scan_id: str) -> list[Scan]:
        """What a stack became that was split; none of any other scan."""
        return await self._db.run(lambda tx: parts_of(tx, scan_id))

    def standings(self) -> list[Standing]:
        """How each target stands."""
        return [delivery.standing() for delivery in self.deliveries]

    async def probe(self, target: str) -> str:
        """Whether documents could go there. Raises KeyError (no such target), TargetDown, NotNow, Refused."""
        found = {delivery.name: delivery for delivery in self.deliveries}
        return await found[target].probe()

    async def order_sheets(self, sheet: CoverSheet, count: int) -> list[str]:
        """Texts for new cover sheets that say the same. Raises sqlite3.Error."""
        return await self._db.run(lambda tx: self.desk.order(tx, sheet, count, self._clock.wall_ns()))

    async def verify_evidence(self) -> Verified:
        """Walk the whole journal, against the head on disk. Raises OSError, sqlite3.Error."""
        return await self.evidence.verify()

    async def list(
        self, states: tuple[State, ...] = tuple(State), before_seq: int = 1 << 62, limit: int = 100
    ) -> list[Scan]:
        """The newest scans in these states, newest first; `before_seq` pages on."""
        where = f"state IN ({','.join('?' * len(states))}) AND seq < ? ORDER BY seq DESC"
        values = (*(s.value for s in states), before_seq)
        return await self._db.run(lambda tx: tx.find(where, values, min(limit, MAX_LIST)))

    def _stall(self, where: str, detail: str) -> None:
        """Report trouble with our own disk, once until it is over."""
        if where not in self._stalled:
            self._stalled.add(where)
            self._report(StoreStalled(where, detail))

    def _tell(self, scan: Scan) -> None:
        self._report(ScanMoved(scan.id, scan.station, scan.target, scan.state, scan.reason, scan.size_bytes))


__all__ = ["Counts", "ScanQueue", "StoreBusy"]
