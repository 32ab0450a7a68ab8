"""A site that scans and releases, looked at in a browser: documents of a batch that was delivered and closed."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.daemon.page_scene import Visitor, home_of, opened_queue, visited
from tests.daemon.scans_fakes import MagicCheck, fake_pdf, make_pdf
from torhaus.daemon.clock import SystemClock
from torhaus.daemon.scans import queue as scan_queue
from torhaus.daemon.scans.db import Scan, Tx
from torhaus.daemon.scans.queue import ScanQueue
from torhaus.daemon.scans.release.lots import close_some
from torhaus.daemon.scans.release.papers import Paper

DAY_NS = 86_400 * 10**9
BATCH = "7 post/a&b"
SCAN = """[[scan.station]]
name = "post"
type = "folder"
path = "{0}/in"
target = "akten"
scan_interval_s = 0.05
stable_s = 0.01
[[scan.target]]
name = "akten"
type = "folder"
path = "{0}/out"
[scan.release]
sample_percent = 50.0
delay_days = {1}
"""


class Town:
    """`queue` of the running site; `lot`: the closed batch's name."""

    def __init__(self, visitor: Visitor, queue: ScanQueue, lot: str) -> None:
        self.visitor = visitor
        self.queue = queue
        self.lot = lot
        self.get = visitor.get
        self.do = visitor.do

    async def papers(self) -> list[Paper]:
        return await self.queue.release.papers(self.lot)

    async def sample(self) -> list[Paper]:
        return [p for p in await self.papers() if p.sampled]

    async def scans(self) -> list[Scan]:
        return list(reversed(await self.queue.list()))

    async def events(self, id_: str) -> list[tuple[str, object]]:
        return [(e.event, e.data.get("by", e.data.get("account"))) for e in (await self.queue.show(id_))[1]]


def with_batch(
    folder: Path,
    body: Callable[[Town], Awaitable[None]],
    monkeypatch: pytest.MonkeyPatch,
    *,
    count: int = 4,
    delay_days: int = 0,
    pages: int = 0,
) -> None:
    """A batch of so many documents has come, is delivered and closed. `pages`: they have some that can be drawn."""
    monkeypatch.setattr(SystemClock, "synced", lambda _: True)
    if not pages:  # no process has to be started for them
        monkeypatch.setattr(scan_queue, "ProcessCheck", lambda *_: MagicCheck())

    async def go() -> None:
        for name in ("in", "out"):
            (folder / name).mkdir()
        for n in range(count):
            (folder / "in" / f"brief{n}.pdf").write_bytes(make_pdf(pages + n) if pages else fake_pdf(n))
        async with visited(home_of(folder, SCAN.format(folder, delay_days))) as visitor:
            queue = await opened_queue(visitor)
            await close(queue, count, visitor.app.clock.wall_ns())
            await body(Town(visitor, queue, BATCH))
            assert visitor.app.watch.defects == {}

    asyncio.run(go())


async def close(queue: ScanQueue, count: int, now_ns: int) -> None:
    """Wait until so many documents are delivered, and close their batch."""
    async with asyncio.timeout(30):
        while len([s for s in await queue.list() if s.state in {"verified", "filed"}]) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    release = queue._config.release
    assert release is not None

    def work(tx: Tx) -> None:
        tx.conn.execute("UPDATE scan SET batch = ?", (BATCH,))
        assert close_some(tx, release, now_ns + DAY_NS) == 1
        tx.conn.execute("UPDATE lot SET drawn_ns = ?", (now_ns,))

    await queue._db.run(work)
