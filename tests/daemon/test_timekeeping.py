"""When the clock comes to be synchronised, what was stamped before can be corrected."""

import asyncio
from types import SimpleNamespace
from typing import cast

import pytest

from tests.daemon.clocks import BOOT_NS, WALL_NS, FakeClock
from torhaus.daemon.outbox.state import Flush
from torhaus.daemon.outbox.store import Outbox
from torhaus.daemon.timekeeping import CHECK_S, Timekeeper


def keeper(clock: FakeClock) -> tuple[Timekeeper, Outbox]:
    outbox = cast("Outbox", SimpleNamespace(boots={}, flush=Flush()))
    return Timekeeper(clock, outbox), outbox


def test_the_first_synchronisation_is_kept_and_goes_to_disk() -> None:
    clock = FakeClock(wall_ns=0, synced=False)  # no battery: 1970
    watch, outbox = keeper(clock)
    watch.look()
    assert outbox.boots == {}
    clock.advance(60)
    clock.step_wall(WALL_NS / 1e9)
    watch.look()
    assert outbox.boots == {}
    assert watch.steps == 1
    clock.is_synced = True
    watch.look()
    offset = WALL_NS - BOOT_NS
    assert outbox.flush.boots == {clock.boot_id: offset}
    assert outbox.boots == {}, "used before it is on disk"
    assert watch.steps == 1


def test_later_steps_are_counted_and_change_nothing() -> None:
    clock = FakeClock()
    watch, outbox = keeper(clock)
    watch.look()
    known = dict(outbox.flush.boots)
    clock.step_wall(-3600)
    watch.look()
    clock.step_wall(3600)
    watch.look()
    assert watch.steps == 2
    assert outbox.flush.boots == known


@pytest.mark.parametrize(("seconds", "steps"), [(0.9, 0), (1.1, 1), (-0.9, 0), (-1.1, 1)])
def test_drift_is_no_step(seconds: float, steps: int) -> None:
    clock = FakeClock()
    watch, _ = keeper(clock)
    watch.look()
    clock.step_wall(seconds)
    watch.look()
    assert watch.steps == steps


def test_a_boot_that_is_known_is_left_alone() -> None:
    clock = FakeClock()
    watch, outbox = keeper(clock)
    outbox.boots[clock.boot_id] = 5
    watch.look()
    assert outbox.boots == {clock.boot_id: 5}
    assert outbox.flush.boots == {}


def test_it_looks_every_few_seconds() -> None:
    async def main() -> None:
        clock = FakeClock()
        watch, _ = keeper(clock)
        task = asyncio.create_task(watch.run())
        await clock.pass_s(0.1)
        for n in (1, 2):
            clock.step_wall(100)
            await clock.pass_s(CHECK_S, step_s=1)
            assert watch.steps == n
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(main())
