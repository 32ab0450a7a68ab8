"""Ready before all counters are known, and never wrong about one."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.daemon.merge_fakes import Air, opened
from tests.daemon.outbox_fakes import reading, replace
from tests.daemon.pipeline_fakes import ELSYS, LPP, device_of, uplink
from torhaus.daemon.demo.sensors import Sensor
from torhaus.daemon.lora import counters
from torhaus.daemon.lora.counters import Counters
from torhaus.daemon.lora.network import Network
from torhaus.daemon.outbox.state import Session, State
from torhaus.daemon.outbox.store import MAIN

NEW = Sensor(55)


async def fill(air: Air) -> None:
    """Counters: ELSYS 9 at the old end, a device that is not configured any more, LPP 4 at the new one."""
    gone = Sensor(77)
    air.pipeline._network = Network([device_of(ELSYS), device_of(gone)], "EU868")
    air.pipeline.readings._devices[gone.name] = device_of(gone)
    await air.heard(uplink(ELSYS, 9), 0)
    await air.heard(uplink(gone, 3), 0)
    await air.put(reading(n) for n in range(60))
    air.pipeline._network = Network([device_of(LPP)], "EU868")
    await air.heard(uplink(LPP, 4), 0)
    air.clock.advance(10)


class Start:
    """A start of a site whose snapshot is lost; the search is at a stop after its first part until `go_on`."""

    def __init__(self, air: Air) -> None:
        self.air = air

    async def load(self) -> None:
        air = self.air
        devices = [device_of(s) for s in (ELSYS, LPP, NEW)]
        network = Network(devices, "EU868")
        self.counters = await Counters.load(air.outbox, network)
        air.outbox.before_flush.append(network.save)
        air.pipeline._network, air.pipeline.readings._devices = network, {d.name: d for d in devices}
        self.parts = self.counters.guard(air.pipeline)

    async def go_on(self) -> None:
        task = asyncio.ensure_future(self.parts["counters"]())
        for _ in range(1000):
            if self.counters.is_complete:
                break
            await asyncio.sleep(0.001)
        task.cancel()
        assert self.counters.is_complete
        await self.air.committed()

    async def saved(self) -> dict[str, int]:
        await self.air.outbox.save()
        sessions: list[Session] = (await self.air.outbox.on_state(State.sessions))[0]
        return {s.dev_eui: s.fcnt_up for s in sessions}


def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: Callable[[Start], Awaitable[None]]) -> None:
    monkeypatch.setattr(counters, "FIRST_RECORDS", 10)
    monkeypatch.setattr(counters, "READ_RECORDS", 10)

    async def main() -> None:
        async with asyncio.timeout(60), opened(Air(tmp_path)) as air:
            await fill(air)
            air.acked.clear()
            it = Start(air)
            await it.load()
            await body(it)

    asyncio.run(main())


def test_a_known_one_is_taken_in_at_once_and_the_others_when_they_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(it: Start) -> None:
        air = it.air
        assert it.parts.keys() == {"counters"}
        before = len(await air.on_disk())
        await air.heard(uplink(LPP, 4), 0)  # a recording, and then the next
        await air.heard(uplink(LPP, 5), 1)
        assert air.acked == [0, 1]
        assert air.watch.rejects["roof", "lorawan", "duplicate"] == 1
        await air.heard(uplink(ELSYS, 9), 2)  # a recording of one that is not known yet
        await air.heard(uplink(ELSYS, 8), 3)
        await air.heard(uplink(ELSYS, 10), 4)
        await air.heard(uplink(NEW, 1), 5)
        assert air.acked == [0, 1], "what cannot be judged is not acknowledged"
        assert len(await air.on_disk()) == before + 1
        await it.go_on()
        assert air.acked == [0, 1, 2, 3, 4, 5]
        assert air.pipeline.waits is None
        lora = [r.record.lora for r in (await air.on_disk())[before:]]
        assert [(x.dev_addr, x.fcnt) for x in lora if x is not None] == [
            (f"{LPP.dev_addr:08x}", 5),
            (f"{ELSYS.dev_addr:08x}", 10),
            (f"{NEW.dev_addr:08x}", 1),
        ]
        assert air.watch.rejects["roof", "lorawan", "replay"] == 1
        assert air.watch.rejects["roof", "lorawan", "duplicate"] == 2
        gone = Sensor(77).dev_eui
        assert await it.saved() == {ELSYS.dev_eui: 10, LPP.dev_eui: 5, NEW.dev_eui: 1, gone: 3}
        upto = (await air.outbox.on_state(State.sessions))[1][MAIN]
        assert upto == air.outbox.logs[MAIN].tail

    start(tmp_path, monkeypatch, body)


def test_until_all_are_known_the_snapshot_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(it: Start) -> None:
        await it.air.heard(uplink(LPP, 5), 1)
        await it.saved()
        assert MAIN not in (await it.air.outbox.on_state(State.sessions))[1]

    start(tmp_path, monkeypatch, body)


def test_what_waits_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(it: Start) -> None:
        air = it.air
        monkeypatch.setattr(counters, "MAX_WAITING_BYTES", 1200)
        refused: list[tuple[int, str]] = []
        replace(air.outbox.report, "refused", lambda n, why: refused.append((n, why)))
        air.hear(uplink(ELSYS, 10), 0)
        air.hear(uplink(ELSYS, 11), 1)
        air.hear(uplink(ELSYS, 12), 2)
        assert refused == [(1, "backlog")]
        await it.go_on()
        assert air.acked == [0, 1]

    start(tmp_path, monkeypatch, body)


def test_with_a_snapshot_and_without_sessions_there_is_nothing_to_wait_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(it: Start) -> None:
        await it.go_on()
        await it.saved()
        again = await Counters.load(it.air.outbox, Network([device_of(ELSYS)], "EU868"))
        assert again.guard(it.air.pipeline) == {}
        assert it.air.pipeline.waits is None

    async def nobody(it: Start) -> None:
        none = await Counters.load(it.air.outbox, Network([], "EU868"))
        assert none.guard(it.air.pipeline) == {}
        assert it.air.outbox.looked_to is None, "the snapshot stays for the day on which there are sessions"

    start(tmp_path / "a", monkeypatch, body)
    start(tmp_path / "b", monkeypatch, nobody)
