"""A wall clock that is wrong, late or put back and forth: nothing expires, waits or changes because of it."""

import asyncio
from pathlib import Path

import pytest

from tests.daemon.clocks import FakeClock
from tests.daemon.forward_fakes import FarSide, on_site
from tests.daemon.forward_fakes import Site as ForwardSite
from tests.daemon.outbox_fakes import Box, copy_of, reading, with_box
from torhaus.daemon.forward.message import Message
from torhaus.daemon.forward.render import render
from torhaus.daemon.outbox.record import Stored
from torhaus.daemon.outbox.store import MAIN, Limits
from torhaus.daemon.timekeeping import Timekeeper

YEAR_S = 365 * 86_400
DAY_S = 86_400
SYNCED_NS = 1_795_000_000 * 10**9


@pytest.mark.parametrize("step_s", [-YEAR_S, YEAR_S, -DAY_S])
def test_what_is_set_aside_is_tried_again_whatever_happened_to_the_clock(tmp_path: Path, step_s: float) -> None:
    async def body(s: ForwardSite) -> None:
        far_side = FarSide()
        runner = await s.start(far_side)
        await s.readings(2)
        await s.until(lambda: far_side.seqs == [0, 1])
        runner.books._put_aside(s.fed[1], 0, "not now")
        await s.outbox.save()
        s.clock.step_wall(step_s)
        await s.rest(3)
        assert far_side.seqs == [0, 1, 1]

    on_site(tmp_path, body)


def aged_box(path: Path, clock: FakeClock | None = None) -> Box:
    return Box(path, Limits(max_bytes=1 << 24, max_age_s=1000, commit_window_s=0), clock)


async def fill_segments(box: Box) -> None:
    """A closed segment with records of now."""
    box.logs[MAIN].segment_bytes = 20_000
    for n in range(3):
        await box.store(reading(n, weight=30_000))
    await box.save()
    await box.settled()
    assert len(box.logs[MAIN].segments) > 1


@pytest.mark.parametrize("step_s", [YEAR_S, -YEAR_S])
def test_ages_are_not_judged_by_a_clock_that_was_stepped(tmp_path: Path, step_s: float) -> None:
    async def work(box: Box) -> None:
        watch = Timekeeper(box.fake, box)
        watch.look()
        await box.save()
        await fill_segments(box)
        box.fake.step_wall(step_s)
        await box.store(reading(3))
        await fill_segments(box)  # stamped while the clock was wrong
        box.fake.step_wall(-step_s)
        await box.save()
        await box.settled()
        assert box.told.drops == []
        box.fake.step_wall(step_s)
        await box.save()
        await box.settled()
        assert box.told.drops == []

    with_box(work, lambda: aged_box(tmp_path))


def test_what_is_old_goes_although_the_clock_is_right(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        Timekeeper(box.fake, box).look()
        await box.save()
        await fill_segments(box)
        box.fake.advance(1001)
        await box.save()
        await box.settled()
        assert {(why, log) for log, _, _, why in box.told.drops} == {("age", MAIN)}

    with_box(work, lambda: aged_box(tmp_path))


def test_times_from_before_the_first_synchronisation_are_corrected_once_and_for_ever(tmp_path: Path) -> None:
    """1970 at boot, synchronised after days, stepped, killed, started again, another boot: always the same time."""

    async def rendered(box: Box) -> list[Message]:
        return [
            render(s, box.site, box.boots, kind="reading", late=True)
            for s in await box.everything()
            if isinstance(s, Stored)
        ]

    async def main() -> None:
        clock = FakeClock(wall_ns=0, boot_ns=10**9, synced=False)
        box = Box(tmp_path / "a", clock=clock)
        await box.open()
        watch = Timekeeper(clock, box)
        await box.store(reading(0))
        clock.advance(3 * DAY_S)
        await box.store(reading(1))
        assert [m.clock for m in await rendered(box)] == ["unsynced", "unsynced"]
        clock.step_wall(SYNCED_NS / 1e9)
        clock.is_synced = True
        watch.look()
        assert [m.clock for m in await rendered(box)] == ["unsynced", "unsynced"]  # not on disk yet
        copy_of(tmp_path / "a", tmp_path / "early")
        await box.save()
        known = await rendered(box)
        assert [m.clock for m in known] == ["corrected", "corrected"]
        copy_of(tmp_path / "a", tmp_path / "b")
        clock.step_wall(500)
        watch.look()
        await box.save()
        assert await rendered(box) == known
        await box.close()
        for boot_id in ("b" * 32, "c" * 32):  # the same boot, and another
            other = FakeClock(SYNCED_NS + 10**15, 10**12, boot_id=boot_id)
            box = Box(tmp_path / "b", clock=other)
            await box.open()
            Timekeeper(other, box).look()
            await box.save()
            assert await rendered(box) == known
            await box.close()
        box = Box(tmp_path / "early", clock=clock)  # killed before it was on disk, and so never sent by it
        await box.open()
        assert [m.clock for m in await rendered(box)] == ["unsynced", "unsynced"]
        await box.close()

    asyncio.run(main())
