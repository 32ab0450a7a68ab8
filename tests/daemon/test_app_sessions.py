"""What the composition root does about counters and forwarders that are not running."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.home import METER, Home, archive, frame, running, sender, until
from tests.daemon.outbox_fakes import Box, reading
from torhaus.codecs.model import Frame, Radio, Reception
from torhaus.daemon.demo.sensors import Sensor
from torhaus.daemon.lora import counters
from torhaus.daemon.offline import read_only_state
from torhaus.daemon.outbox.sessions import CounterSearch
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
    monkeypatch.setattr(CounterSearch, "look", no_scan)
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


def test_ready_does_not_wait_for_all_counters_of_a_long_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = [Sensor(0)]
    home = Home(tmp_path, archive(tmp_path), known)

    async def go() -> None:
        may_read = asyncio.Event()
        look = CounterSearch.look

        async def slow(self: CounterSearch, records: int = 1) -> None:
            await may_read.wait()
            await look(self, records)

        monkeypatch.setattr(CounterSearch, "look", slow)
        monkeypatch.setattr(counters, "FIRST_RECORDS", 0)
        radio = Radio(868_100_000, "LORA", "SF7BW125", "4/5", [Reception("aa555a0000000101")])
        app = home.app({"meter": sender([Frame("meter", known[0].uplink(), frame().at, radio)])})
        async with running(app):
            assert app.started.is_set()
            assert app.watch.committed_records == 0, "the frame waits for its device's counter"
            may_read.set()
            await until(lambda: len(home.lines()) == 4)

    async def before() -> None:
        box = Box(home.store)
        box.site = "test"
        await box.open()
        await box.store(*[reading(n) for n in range(3)])
        await box.close()

    asyncio.run(before())
    asyncio.run(go())
