"""A scan queue with one station that is pulled from."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.daemon.scans_fakes import SITE, FakeClock
from torhaus.daemon.scans.config import ScanConfig
from torhaus.daemon.scans.db import Scan
from torhaus.daemon.scans.disk import Disk
from torhaus.daemon.scans.events import Event
from torhaus.daemon.scans.pull.pulls import Pull
from torhaus.daemon.scans.queue import ScanQueue
from torhaus.daemon.scans.stations import PulledStation
from torhaus.daemon.scans.targets import folder


class YieldingClock(FakeClock):
    """Sleeping moves it, and lets others go on."""

    async def sleep(self, seconds: float) -> None:
        self.pass_s(seconds)
        await asyncio.sleep(0)


class PullBench:
    """Driven step by step."""

    def __init__(self, root: Path, station: PulledStation, check: Any = None) -> None:
        (root / "state").mkdir(exist_ok=True)
        (root / "out").mkdir(exist_ok=True)
        self.root = root
        self.clock = YieldingClock()
        self.events: list[Event] = []
        self.config = ScanConfig((station,), (folder.Config("archive", path=str(root / "out")),))
        self.queue = ScanQueue(
            self.config, root / "state", SITE, self.clock, self.events.append,
            disk=Disk(), check=check, rng=random.Random(7),
        )  # fmt: skip

    async def pull(self) -> Pull:
        """One job, and what became of it after two looks."""
        name = self.config.station[0].name
        self.queue.pulls.start(name, "uid:1000")
        await self.queue.pulls.pull(name)
        await self.look()
        return self.queue.pulls.last[name]

    async def look(self) -> int:
        taken = 0
        for _ in range(3):
            taken += await self.queue.intakes[0].step()
            self.clock.pass_s(2)
        return taken

    async def scans(self) -> list[Scan]:
        """Oldest first."""
        return list(reversed(await self.queue.list()))

    async def states(self) -> list[tuple[str, str | None]]:
        return [(s.state.value, s.reason.value if s.reason else None) for s in await self.scans()]


def with_pull(
    root: Path, station: PulledStation, work: Callable[[PullBench], Awaitable[None]], check: Any = None
) -> None:
    async def go() -> None:
        b = PullBench(root, station, check)
        await b.queue.open()
        try:
            await work(b)
            assert (await b.queue.verify_evidence()).faults == []
        finally:
            await b.queue.close()

    asyncio.run(go())
