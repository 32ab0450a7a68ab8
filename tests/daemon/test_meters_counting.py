"""What counters have counted: between readings, over the end of their range, over restarts; and meters exchanged."""

import asyncio
from pathlib import Path

import pytest

from tests.daemon.outbox_fakes import AT, Box, copy_of
from torhaus.codecs.model import Fields, Stamp, Value
from torhaus.daemon.config.counters import CounterRule
from torhaus.daemon.config.devices import DeviceConfig
from torhaus.daemon.meters.counting import Counting
from torhaus.daemon.outbox.record import Record, Stored
from torhaus.daemon.outbox.store import MAIN

ENERGY = "1-0:1.8.0*255"
QUARTER_NS = 900_000_000_000


def at(quarter: float, *, synced: bool = True) -> Stamp:
    return Stamp(AT.wall_ns + int(quarter * QUARTER_NS), AT.boot_ns, synced)


def device(rule: CounterRule | None = None) -> DeviceConfig:
    return DeviceConfig(name="meter", codec="sml", counters={ENERGY: rule or CounterRule()})


class Meter:
    """One meter at a box: readings as the pipeline puts them."""

    def __init__(self, box: Box, counting: Counting) -> None:
        self.box = box
        self.counting = counting

    async def says(self, value: float, quarter: float, *, unit: str = "W.h", synced: bool = True) -> Fields:
        derived = self.derive(value, quarter, unit=unit, synced=synced)
        fields = {ENERGY: Value(value, unit)} | derived
        done = asyncio.get_running_loop().create_future()
        self.box.put(MAIN, [(at(quarter, synced=synced), Record("reading", "m", "meter", fields=fields))], 100)
        self.box.commit(done.set_result)
        assert await done
        return derived

    def derive(self, value: float, quarter: float, *, unit: str = "W.h", synced: bool = True) -> Fields:
        assert self.counting.hook is not None
        return self.counting.hook("meter", "m", at(quarter, synced=synced), {ENERGY: Value(value, unit)})


async def opened(path: Path, config: DeviceConfig) -> Meter:
    box = Box(path)
    await box.open()
    return Meter(box, await Counting.begin([config], box, box.fake))


def counted(delta: float, seconds: float | None = 900) -> Fields:
    fields = {f"{ENERGY}_delta": Value(delta, "W.h", derived=True)}
    return fields if seconds is None else fields | {f"{ENERGY}_delta_s": Value(seconds, "s", derived=True)}


def test_consumption_between_readings(tmp_path: Path) -> None:
    async def main() -> None:
        meter = await opened(tmp_path, device())
        assert await meter.says(100, 0) == {}
        assert await meter.says(130, 1) == counted(30)
        assert await meter.says(130, 2) == counted(0)
        assert await meter.says(131.5, 2.5) == counted(1.5, 450)
        assert await meter.says(140, 1) == {}  # it came late
        assert await meter.says(141.5, 4, synced=False) == counted(10, None)
        assert meter.derive(1, 5, unit="kW.h") == {}
        assert meter.counting.hook is not None
        assert meter.counting.hook("other", "m", at(6), {}) == {}
        assert meter.counting.hook("meter", "m", at(6), {ENERGY: Value("x")}) == {}
        assert meter.counting.hook("meter", "m", at(6), {ENERGY: Value(-1, "W.h")}) == {}
        await meter.box.close()

    asyncio.run(main())


def test_nobody_counts_where_no_device_wants_it(tmp_path: Path) -> None:
    async def main() -> None:
        box = Box(tmp_path)
        await box.open()
        counting = await Counting.begin([DeviceConfig(name="meter")], box, box.fake)
        assert counting.hook is None
        assert box.before_flush == []
        await box.close()

    asyncio.run(main())


@pytest.mark.parametrize("clean", [True, False])
def test_a_restart_loses_nothing_and_counts_nothing_twice(tmp_path: Path, clean: bool) -> None:
    """Stopped, or cut off with the state as it was saved before the newest reading."""

    async def main() -> None:
        meter = await opened(tmp_path / "a", device())
        await meter.says(100, 0)
        await meter.box.save()
        assert await meter.says(130, 1) == counted(30)
        if not clean:
            copy_of(tmp_path / "a", tmp_path / "b")
        await meter.box.close()
        again = await opened(tmp_path / ("a" if clean else "b"), device())
        assert await again.says(145, 2) == counted(15)
        await again.box.close()

    asyncio.run(main())


def test_an_overflow_an_exchange_and_what_cannot_be(tmp_path: Path) -> None:
    async def main() -> None:
        meter = await opened(tmp_path, device(CounterRule(full=1000, most_per_h=400)))
        await meter.says(950, 0)
        assert await meter.says(20, 1) == counted(70)
        assert await meter.says(130, 2) == {}  # 110 in a quarter of an hour: more than can be
        assert await meter.says(140, 3) == counted(10)
        assert await meter.says(5, 4) == {}
        assert await meter.says(8, 5) == counted(3)
        assert meter.counting.exchanged == 2
        found = await meter.box.read(MAIN, 0, 100)
        events = [r.record for r in found if isinstance(r, Stored) and r.record.kind == "event"]
        assert [(e.device, e.event) for e in events] == [
            ("meter", {"event": "meter_exchanged", "field": ENERGY, "before": 20, "now": 130}),
            ("meter", {"event": "meter_exchanged", "field": ENERGY, "before": 140, "now": 5}),
        ]
        await meter.box.close()

    asyncio.run(main())


def test_a_reading_that_was_refused_is_counted_with_the_next(tmp_path: Path) -> None:
    async def main() -> None:
        meter = await opened(tmp_path, device())
        await meter.says(100, 0)
        assert meter.derive(110, 1) == counted(10)  # and it is never written
        meter.box.fake.advance(2)
        assert await meter.says(125, 2) == counted(25, 1800)
        await meter.box.close()

    asyncio.run(main())


def test_several_readings_in_one_delivery(tmp_path: Path) -> None:
    async def main() -> None:
        meter = await opened(tmp_path, device())
        assert [meter.derive(100 + n, n) for n in range(3)] == [{}, counted(1), counted(1)]
        await meter.box.close()

    asyncio.run(main())


def test_a_changed_state_begins_anew(tmp_path: Path) -> None:
    async def main() -> None:
        meter = await opened(tmp_path, device())
        await meter.says(100, 0)
        await meter.box.save()
        change = "UPDATE device_counters SET facts = replace(facts, '100', '200')"
        await meter.box.on_state(lambda state: state.conn.execute(change))
        await meter.box.close()
        again = await opened(tmp_path, device())
        assert await again.says(300, 1) == {}
        await again.box.close()

    asyncio.run(main())
