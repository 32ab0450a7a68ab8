"""What the composition root does about counters and forwarders that are not running."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.home import METER, Home, archive, frame, running, sender, until
from tests.daemon.outbox_fakes import Box, reading
from torhaus.codecs.model import Frame
from torhaus.daemon.demo.sensors import Sensor
from torhaus.daemon.offline import read_only_state
from torhaus.daemon.outbox.store import MAIN


def test_a_forwarder_that_is_not_enabled_and_one_that_starts_now(tmp_path: Path) -> None:
    home = Home(tmp_path, archive(tmp_path) + "enabled = false\n", devices=METER)

    async def go(frames: list[Frame], lines: int) -> None:
        app = home.app({"meter": sender(frames)})
        async with running(app):
            await until(lambda: app.watch.committed_records == len(frames) and len(home.lines()) >= lines)

    asyncio.run(go([frame(), frame()], 0))
    home.write(archive(tmp_path) + 'start = "now"\n')
    asyncio.run(go([frame(bytes.fromhex("016700c8"))], 1))
    assert [line["fields"] for line in home.lines()] == [{"temperature_1": {"value": 20.0, "unit": "Cel"}}]


def test_without_sessions_the_start_does_not_depend_on_the_backlog(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path, archive(tmp_path), devices=METER)

    async def before() -> None:
        box = Box(home.store)
        box.site = "test"
        await box.open()
        await box.store(*[reading(n) for n in range(3)])
        await box.close()

    async def no_scan(*_: object) -> Any:
        raise AssertionError("the log is read")

    async def go() -> None:
        app = home.app({})
        async with running(app):
            await until(lambda: len(home.lines()) == 3)

    asyncio.run(before())
    monkeypatch.setattr("torhaus.daemon.outbox.store.last_counters", no_scan)
    asyncio.run(go())


def test_the_snapshot_of_sessions_follows_what_is_stored(tmp_path: Path) -> None:
    known = [Sensor(0)]
    home = Home(tmp_path, archive(tmp_path), known, METER)

    async def go() -> None:
        app = home.app({"meter": sender([frame(), frame()])})
        async with running(app):
            await until(lambda: len(home.lines()) == 2)
        state = read_only_state(home.store)
        assert state is not None
        assert state.sessions()[1][MAIN] == 2
        state.close()

    asyncio.run(go())
