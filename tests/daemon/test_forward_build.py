"""The configured forwarders and what each has settled before, from one start to the next."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from tests.daemon.home import Home, archive
from tests.daemon.outbox_fakes import Box, reading
from torhaus.daemon.forward.build import before_waiting, build_forwarders
from torhaus.daemon.forward.runner import Runner
from torhaus.daemon.outbox.folder import SKIP_AFTER_DAMAGE
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.second import read_copy
from torhaus.daemon.outbox.state import Flush, State
from torhaus.daemon.outbox.store import MAIN

OFF = "enabled = false\n"
CITY = '[[forwarder]]\nname = "city"\ntype = "file"\npath = "x.jsonl"\n'

Work = Callable[[Box, dict[str, tuple[str, Runner]]], Awaitable[None]]


def start(home: Home, work: Work) -> Box:
    """Open the store, build what is configured, work, close: one life of the daemon."""

    async def go() -> Box:
        box = Box(home.store)
        await box.open()
        runners = (await build_forwarders(home.load(), box, box.fake)).runners
        try:
            await work(box, runners)
        finally:
            await box.close()
        return box

    return asyncio.run(go())


async def nothing(box: Box, runners: dict[str, tuple[str, Runner]]) -> None:
    """Only start and stop."""


async def fill(box: Box, count: int = 5) -> None:
    """Records, and a new segment after them."""
    await box.store(*[reading(n) for n in range(count)])
    log = box.logs[MAIN]
    log.segment_bytes = 1
    await box.on_state(lambda _: log.roll(box.fake.wall_ns()))


def settle(runners: dict[str, tuple[str, Runner]], name: str, count: int) -> None:
    runners[name][1].cursor.settle(0, count)


def test_the_enabled_ones_with_their_options(tmp_path: Path) -> None:
    devices = '[[device]]\nname = "meter"\ntags = ["water"]\n[[device]]\nname = "flur"\n'
    more = archive(tmp_path) + 'tags = ["water"]\nkinds = ["frame"]\n' + CITY + OFF
    home = Home(tmp_path, more, devices=devices)

    async def work(box: Box, runners: dict[str, tuple[str, Runner]]) -> None:
        assert list(runners) == ["archive"]
        type_, runner = runners["archive"]
        assert type_ == "file"
        assert runner.options.devices == frozenset({"meter"})
        assert runner.options.kinds == frozenset({"frame"})
        assert list(box.settled_by[MAIN]) == ["archive"], "one that has never run pins nothing"

    start(home, work)


def test_from_now_on(tmp_path: Path) -> None:
    home = Home(tmp_path)
    start(home, lambda box, _: fill(box))
    home.write(archive(tmp_path) + 'start = "now"\n')

    async def work(box: Box, runners: dict[str, tuple[str, Runner]]) -> None:
        assert runners["archive"][1].cursor.backlog(0) == 0
        await box.store(reading(9))

    start(home, work)

    async def again(box: Box, runners: dict[str, tuple[str, Runner]]) -> None:
        assert runners["archive"][1].cursor.backlog(0) == 1
        assert box.told.drops == []

    start(home, again)


def test_one_that_is_disabled_keeps_its_backlog(tmp_path: Path) -> None:
    home = Home(tmp_path, archive(tmp_path) + CITY)

    async def first(box: Box, runners: dict[str, tuple[str, Runner]]) -> None:
        await fill(box)
        settle(runners, "archive", 5)
        settle(runners, "city", 2)

    async def disabled(box: Box, runners: dict[str, tuple[str, Runner]]) -> None:
        box.scanned_to = 8  # no script has anything to say
        assert list(runners) == ["archive"]
        await fill(box, 3)
        settle(runners, "archive", 8)
        await box.save()
        assert box.logs[MAIN].head == 0

    async def enabled(box: Box, runners: dict[str, tuple[str, Runner]]) -> None:
        assert runners["city"][1].cursor.gap(box.logs[MAIN].head) == (2, 8)

    start(home, first)
    home.write(archive(tmp_path) + CITY + OFF)
    start(home, disabled)
    home.write(archive(tmp_path) + CITY)
    assert start(home, enabled).told.drops == []


def test_a_disabled_one_does_not_keep_more_than_the_limits_allow(tmp_path: Path) -> None:
    home = Home(tmp_path, CITY)

    async def first(box: Box, _: dict[str, tuple[str, Runner]]) -> None:
        await box.store(reading(0))

    async def disabled(box: Box, _: dict[str, tuple[str, Runner]]) -> None:
        await fill(box, 4)
        await fill(box, 1)
        log = box.logs[MAIN]
        log.limit = msgspec.structs.replace(log.limit, max_bytes=1)
        await box.save()
        await box.settled()
        assert ("main", "city", 5, "size") in box.told.drops
        assert box.logs[MAIN].head > 0

    start(home, first)
    home.write(CITY + OFF)
    start(home, disabled)


@pytest.mark.parametrize("more", ["", OFF])
def test_what_is_gone_meanwhile_is_counted_once(tmp_path: Path, more: str) -> None:
    home = Home(tmp_path, archive(tmp_path) + CITY)

    async def first(box: Box, runners: dict[str, tuple[str, Runner]]) -> None:
        await fill(box)
        settle(runners, "archive", 5)
        settle(runners, "city", 2)

    async def removed(box: Box, runners: dict[str, tuple[str, Runner]]) -> None:
        box.scanned_to = 5  # no script has anything to say
        await box.save()
        assert box.logs[MAIN].head == 5, "what is not configured pins nothing"

    start(home, first)
    home.write(archive(tmp_path))
    start(home, removed)
    home.write(archive(tmp_path) + CITY + more)
    assert start(home, nothing).told.drops == [("main", "city", 3, "gone")]
    again = start(home, nothing)
    assert again.told.drops == []

    async def counted(box: Box, _: dict[str, tuple[str, Runner]]) -> None:
        assert await box.on_state(lambda s: s.dropped()) == {("city", "gone"): 3}

    start(home, counted)


def test_positions_that_were_left_out_after_damage_are_not_taken_for_records(tmp_path: Path) -> None:
    home = Home(tmp_path, CITY)

    async def first(box: Box, runners: dict[str, tuple[str, Runner]]) -> None:
        await box.store(*[reading(n) for n in range(5)])
        box.flush.merge(Flush(snapshot={MAIN: 5}))
        settle(runners, "city", 2)

    start(home, first)
    [segment] = (home.store / "log").glob("*.db")
    segment.write_bytes(b"no database" * 500)

    async def after(box: Box, runners: dict[str, tuple[str, Runner]]) -> None:
        cursor = runners["city"][1].cursor
        assert (box.logs[MAIN].head, cursor.backlog(0)) == (0, 0), "it waits to be salvaged"
        await box.mender.mend()
        assert (box.logs[MAIN].tail, cursor.backlog(0)) == (5 + SKIP_AFTER_DAMAGE, 0)
        [report] = box.mender.reports.values()
        assert (report.salvaged, report.lost_records) == (0, 5)
        assert box.told.drops == []

    start(home, after)


def test_a_renamed_one_goes_on_where_it_was(tmp_path: Path) -> None:
    home = Home(tmp_path, archive(tmp_path))

    async def first(box: Box, runners: dict[str, tuple[str, Runner]]) -> None:
        await fill(box)
        settle(runners, "archive", 3)

    async def renamed(box: Box, runners: dict[str, tuple[str, Runner]]) -> None:
        assert runners["new"][1].cursor.gap(0) == (3, 5)
        assert [name for name, _, _ in await box.on_state(State.forwarders)] == ["new"]
        await box.save()
        copy = read_copy(home.store)
        assert copy is not None
        assert [name for name, _, _ in copy.settled] == ["new"], "the second copy knows no other, within the minute too"
        assert box.told.drops == []

    start(home, first)
    home.write(archive(tmp_path).replace('"archive"', '"new"') + 'renamed_from = "archive"\n')
    start(home, renamed)
    start(home, renamed)


def test_the_limits_of_one_that_is_disabled_hold_too(tmp_path: Path) -> None:
    home = Home(tmp_path, archive(tmp_path))
    start(home, nothing)
    home.write(archive(tmp_path) + OFF + "max_backlog_records = 4\n")

    async def go() -> None:
        box = Box(home.store)
        await box.open()
        built = await build_forwarders(home.load(), box, box.fake)
        assert built.runners == {}
        await fill(box, 10)
        await built.trimmers[0].look()
        await box.close()
        assert box.told.drops == [(MAIN, "archive", 6, "limit_records")]
        state = State(home.store / "state.db")
        assert state.settled("archive", MAIN) == Ranges([(0, 6)])
        state.close()

    asyncio.run(go())


@pytest.mark.parametrize(("start_at", "first"), [("2026-11-18T10:30:00Z", 5), ("2026-11-18", 0), ("2030-01-01", 10)])
def test_from_a_time_on(tmp_path: Path, start_at: str, first: int) -> None:
    home = Home(tmp_path)

    async def two_hours(box: Box, _: object) -> None:
        box.fake.step_wall(datetime(2026, 11, 18, 10, tzinfo=UTC).timestamp() - box.fake.wall_ns() / 1e9)
        await fill(box)
        box.fake.step_wall(3600)
        await fill(box)

    async def new(box: Box, runners: dict[str, tuple[str, Runner]]) -> None:
        assert runners["archive"][1].cursor.gap(0) == ((first, 10) if first < 10 else None)

    start(home, two_hours)
    home.write(archive(tmp_path) + f'start = "{start_at}"\n')
    start(home, new)


@pytest.mark.parametrize(
    ("start_at", "waiting", "first"),
    [(20, (10,), 10), (20, (0, 10), 0), (20, (0,), 20), (25, (10,), 25), (30, (20,), 20), (35, (20,), 35)],
)
def test_from_a_time_on_while_a_segment_waits(start_at: int, waiting: tuple[int, ...], first: int) -> None:
    segments = tuple(s for s in (0, 10, 20, 30) if s not in waiting)
    assert before_waiting(start_at, segments, waiting) == first
