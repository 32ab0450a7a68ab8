"""The scan queue as one part of the daemon: made from the configuration, run, and counted."""

import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

from torhaus.daemon.clock import Clock
from torhaus.daemon.config.load import Loaded
from torhaus.daemon.driver_host import DriverHost
from torhaus.daemon.httpd import Route
from torhaus.daemon.page.users import Users
from torhaus.daemon.scans.config import Station
from torhaus.daemon.scans.migrate import StoreRefused
from torhaus.daemon.scans.pages import ScanPages
from torhaus.daemon.scans.pull.codes import Codes
from torhaus.daemon.scans.pull.pulls import Pull
from torhaus.daemon.scans.queue import ScanQueue, StoreBusy
from torhaus.daemon.scans.watch import ScanWatch
from torhaus.drivers.base import DriverGone


class ScanRoom:
    """All of it on one site."""

    def __init__(self, loaded: Loaded, clock: Clock) -> None:
        self.watch = ScanWatch(s.name for s in loaded.scan.station if isinstance(s, Station))
        store = Path(loaded.store.path)
        self.queue = ScanQueue(loaded.scan, store, loaded.site.id, clock, self.watch, files=loaded.files)
        self.queue.evidence.people = Users(Path(loaded.http.users_file)).rights
        self.queue.pulls.begun = self._begun
        self._codes = Codes(loaded.scan, self.queue.pulls)

    async def _begun(self, job: Pull, account: str) -> None:
        await self.queue.evidence.used("scan_started", account, None, station=job.station, job=job.job)

    def hear(self, driver: str, host: DriverHost) -> None:
        """Listen to a driver whose codes start jobs."""
        listener = self._codes.listener(driver)
        if listener is not None:
            host.overheard_by(listener)

    def open_queue(self) -> ScanQueue | None:
        """The queue, while its store is open."""
        return self.queue if self.queue.is_open else None

    def routes(self) -> list[tuple[str, str, Route]]:
        """Its calls on the control socket."""
        return ScanPages(self.queue).routes()

    async def run(self) -> None:
        """A store that cannot be had is a state of the box, told once; it is tried again like a driver's device."""
        try:
            await self.queue.run()
        except (StoreBusy, StoreRefused, OSError, sqlite3.Error) as e:
            raise DriverGone(str(e)) from e

    def more_parts(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """What is supervised by itself: a door that cannot be opened must not end the queue."""
        reception = self.queue.reception
        return {"scan uploads": reception.door.run} if reception.stations else {}

    async def refresh(self) -> None:
        """How many scans stand where, for status and metrics. Raises sqlite3.Error."""
        await self.watch.refresh(self.queue)
