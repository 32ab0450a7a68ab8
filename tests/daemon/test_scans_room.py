"""The scan queue as a part of the daemon: what it cannot have is said; whoever keeps parts running tries it again."""

import asyncio
from pathlib import Path

import pytest

from tests.daemon.home import Home
from torhaus.daemon.clock import SystemClock
from torhaus.daemon.config.load import load
from torhaus.daemon.scans.room import ScanRoom
from torhaus.daemon.scans.watch import Place
from torhaus.drivers.base import DriverGone

SCANS = """
[[scan.station]]
type = "folder"
name = "counter"
path = "/nowhere/hot"
target = "archive"
[[scan.target]]
type = "folder"
name = "archive"
path = "/nowhere/out"
"""


def room(home: Home) -> ScanRoom:
    home.write(SCANS)
    home.store.mkdir(exist_ok=True)  # the outbox, which is first, makes it
    return ScanRoom(load(home.config, check_only=True), SystemClock())


def test_it_runs_and_counts(tmp_path: Path) -> None:
    async def go() -> None:
        made = room(Home(tmp_path))
        assert {path for _, path, _ in made.routes()} >= {"/scans", "/scans/show", "/scans/retry", "/scans/sheets"}
        task = asyncio.create_task(made.run())
        async with asyncio.timeout(20):
            while not made.queue.is_open:  # noqa: ASYNC110 - its own thread opens the file
                await asyncio.sleep(0.01)
        await made.refresh()
        assert made.watch.table() == {"station counter": {}, "target archive": {}}
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(go())


def test_a_folder_can_be_read_until_it_is_said_otherwise(tmp_path: Path) -> None:
    assert room(Home(tmp_path)).watch.stations == {"counter": Place()}


def test_a_store_that_somebody_else_has(tmp_path: Path) -> None:
    async def go() -> None:
        home = Home(tmp_path)
        first, second = room(home), room(home)
        await first.queue.open()
        with pytest.raises(DriverGone, match="in use by another torhaus"):
            await second.run()
        await first.queue.close()

    asyncio.run(go())
