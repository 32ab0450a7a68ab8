"""A scan queue that releases: documents of some days, drawn, looked at, and a clock that jumps."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from tests.daemon.scans_fakes import Bench, fake_pdf
from torhaus.daemon.scans.release.config import Release, Retention
from torhaus.daemon.scans.release.papers import Paper, Result

DAY_S = 86_400.0
MONTH = Release(delay_days=30)


class Scene(Bench):
    """`day`: so many documents come, are delivered, and the day is closed; the lot's name."""

    def __init__(self, root: Path, release: Release | None, retention: Retention | None = None) -> None:
        super().__init__(root)
        self.config = msgspec.structs.replace(self.config, release=release, retention=retention)
        self.new_queue()
        self.number = 0

    async def day(self, count: int = 3, *, deliver: bool = True) -> str:
        for _ in range(count):
            self.number += 1
            self.put(f"secret{self.number}.pdf", fake_pdf(self.number))
        await self.look()
        await self.queue.seal()
        if deliver:
            await self.deliver()
        self.clock.pass_s(DAY_S)
        await self.queue.release.step()
        lots = await self.queue.release.lots()
        return lots[0].name

    async def papers(self, lot: str) -> list[Paper]:
        return await self.queue.release.papers(lot)

    async def waits(self, lot: str) -> set[str | None]:
        return {paper.waits_for for paper in await self.papers(lot)}

    async def say(self, paper: Paper, result: Result = Result.OK) -> None:
        await self.queue.release.say("quality", paper.id, result, "S17", "uid:7")

    async def look_at_sample(self, lot: str, result: Result = Result.OK) -> list[Paper]:
        sample = [paper for paper in await self.papers(lot) if paper.sampled]
        for paper in sample:
            await self.say(paper, result)
        return sample


def with_scene(
    root: Path,
    work: Callable[[Scene], Awaitable[None]],
    release: Release | None = MONTH,
    retention: Retention | None = None,
) -> None:
    async def go() -> None:
        async with Scene(root, release, retention) as made:
            await work(made)
            assert (await made.queue.verify_evidence()).faults == []

    asyncio.run(go())
