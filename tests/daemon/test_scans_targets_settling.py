import asyncio
from pathlib import Path

import pytest

from tests.daemon.scans_fakes import FakeClock
from tests.daemon.target_scene import parcel
from torhaus.daemon.scans.targets.base import Pending
from torhaus.daemon.scans.targets.settling import Posted, keep, way_of


def waits_s(way: Posted, clock: FakeClock) -> float:
    """How long in all, asked again and again."""
    began = clock.boot_ns()
    while True:
        try:
            way.let_settle(clock, 60.0, 10.0)
        except Pending as wait:
            clock.pass_s(min(wait.after_s, 10.0))
        else:
            return (clock.boot_ns() - began) / 1e9


@pytest.mark.parametrize("jump_s", [0, 1, 3600, -1, -3600, 10**9, -(10**9)])
def test_a_wall_clock_that_is_set_neither_shortens_nor_lengthens_it(jump_s: int) -> None:
    clock, way = FakeClock(), Posted()
    assert waits_s(way, clock) == 0  # nothing was posted
    way.now(clock)
    clock.wall_offset_ns += jump_s * 10**9
    clock.pass_s(20)
    assert waits_s(way, clock) == pytest.approx(40)
    assert waits_s(way, clock) == 0


def test_after_a_new_start_of_the_machine_it_counts_from_there() -> None:
    clock, way = FakeClock(), Posted()
    way.now(clock)
    clock.boot_id, clock.now_ns = "c" * 32, 15 * 10**9
    assert waits_s(way, clock) == pytest.approx(45)


def test_what_an_older_version_kept() -> None:
    clock = FakeClock()
    way = Posted(posted_ns=clock.wall_ns())
    clock.pass_s(50)
    assert waits_s(way, clock) == pytest.approx(10)


@pytest.mark.parametrize("kept", ["https://tus.example/files/1", "ready", "[]", '{"posted_ns": "x"}', ""])
def test_what_a_target_of_another_type_kept_under_the_name_is_nothing(tmp_path: Path, kept: str) -> None:
    one = parcel(tmp_path, progress=kept)
    assert way_of(one, Posted) == Posted()
    way = Posted(1, 2, "b")
    asyncio.run(keep(one, way))
    assert way_of(one, Posted) == way
