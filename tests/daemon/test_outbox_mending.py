import asyncio
import contextlib
import errno
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.damage_fakes import everything, read
from tests.daemon.outbox_fakes import Box, number, numbers, reading, replace, with_box
from torhaus.daemon.forward.cursor import Cursor
from torhaus.daemon.outbox import mending
from torhaus.daemon.outbox.aside import Report
from torhaus.daemon.outbox.mending import MAX_TRIES, Salvaging
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.record import Damaged, Stored
from torhaus.daemon.outbox.segment import path_of
from torhaus.daemon.outbox.store import MAIN


async def fill(box: Box) -> None:
    """Three segments of ten records: 0, 10, 20."""
    log = box.logs[MAIN]
    for n in range(30):
        await box.store(reading(n, weight=600))
        if n in (9, 19):
            log.segment_bytes = 1
            await box.on_writer(lambda: log.roll(1))
            log.segment_bytes = 1 << 30


def break_page(box: Box, first: int, page: int) -> None:
    with path_of(box.logs[MAIN].folder, first).open("r+b") as file:
        file.seek(page * 4096)
        file.write(bytes(4096))


def test_damage_in_the_middle_is_met_once_and_comes_back_by_backfill(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        await fill(box)
        log = box.logs[MAIN]
        settled = Ranges([(0, 12), (15, 30)])
        cursor = Cursor(settled, 30, holes=box.holes_of(MAIN))
        break_page(box, 10, 0)
        assert cursor.gap(0) == (12, 15)
        with pytest.raises(Salvaging):
            await box.read(MAIN, 12, 3)
        assert (log.waiting, cursor.gap(0), cursor.backlog(0)) == ((10,), None, 0)
        assert [p.name for p in box.set_aside] == [f"{10:020d}.db.corrupt-1795000000"]
        await box.mender.mend()
        assert (log.waiting, cursor.gap(0), cursor.backlog(0)) == ((), (12, 15), 3)
        assert numbers(await box.read(MAIN, 12, 3)) == [12, 13, 14]
        assert box.mender.reports["main", 10].text() == "10 records salvaged, none lost"

    with_box(work, lambda: Box(tmp_path))


def test_what_is_lost_is_damaged_from_then_on_and_not_looked_for_again(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        await fill(box)
        data = path_of(box.logs[MAIN].folder, 10).read_bytes()
        break_page(box, 10, data.index(b"d13") // 4096)
        there = await everything(box)
        lost = set(range(30)) - set(there)
        assert lost
        for _ in range(2):
            damaged = [r for r in await box.everything() if isinstance(r, Damaged)]
            assert {p for r in damaged for p in range(r.pos, r.pos + r.count)} == lost
        assert len(box.set_aside) == 1
        assert box.mender.reports["main", 10].lost_records == len(lost)

    async def again(box: Box) -> None:
        assert len(box.mender.files) == 1
        assert box.mender.reports["main", 10].lost_records > 0
        assert await everything(box)
        assert len(box.mender.files) == 1  # it knows what it was made of

    with_box(work, lambda: Box(tmp_path))
    with_box(again, lambda: Box(tmp_path))
    for path in (tmp_path / "log").glob("*.corrupt-*"):
        path.unlink()
    with_box(_nothing_aside, lambda: Box(tmp_path))


async def _nothing_aside(box: Box) -> None:
    await everything(box)
    assert (box.mender.files, box.mender.reports, box.set_aside) == ([], {}, [])


def test_more_damage_to_a_salvaged_segment_is_salvaged_again(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        await fill(box)
        break_page(box, 10, 0)
        assert len(await everything(box)) == 30
        await box.on_reader(box.logs[MAIN].trim_readers)
        box.fake.advance(5)
        break_page(box, 10, 0)
        await box.on_reader(box.logs[MAIN]._readers.close)
        assert len(await everything(box)) == 30
        assert len(box.set_aside) == 2

    with_box(work, lambda: Box(tmp_path))


def test_what_can_be_read_before_the_damage_is_given_out_at_once(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        await fill(box)
        break_page(box, 10, 0)
        assert numbers(await box.read(MAIN, 5, 100)) == [5, 6, 7, 8, 9]
        with pytest.raises(Salvaging):
            await box.read(MAIN, 10, 100)
        assert numbers(await box.read(MAIN, 5, 100)) == [5, 6, 7, 8, 9]
        with pytest.raises(Salvaging):  # a hole that is one for a while must not be taken for settled
            await box.read(MAIN, 12, 100)
        assert numbers(await box.read(MAIN, 20, 100)) == [*range(20, 30)]

    with_box(work, lambda: Box(tmp_path))


def test_damage_near_the_end_is_seen_at_the_start(tmp_path: Path) -> None:
    async def first(box: Box) -> None:
        await fill(box)

    async def second(box: Box) -> None:
        assert box.logs[MAIN].damaged
        await box.mender.look_at_ends()
        assert box.logs[MAIN].waiting == (20,)
        await box.store(reading(30))
        await box.mender.mend()
        found = {number(r) for r in await box.everything() if isinstance(r, Stored)}
        assert found >= {*range(21), 30}
        assert found < {*range(31)}

    with_box(first, lambda: Box(tmp_path))
    path = path_of(tmp_path / "log", 20)
    data = bytearray(path.read_bytes())
    at = data.index(b"d22")
    data[at] ^= 1
    path.write_bytes(data)
    with_box(second, lambda: Box(tmp_path))


def test_it_runs_in_the_background_and_tells_once(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        await fill(box)
        break_page(box, 10, 0)
        told: list[str] = []
        replace(box.told, "salvaging", lambda path: told.append(path.name))
        replace(box.told, "salvaged", lambda log, report, lost: told.append(f"{log} {report.salvaged} {lost}"))
        async with asyncio.TaskGroup() as group:
            task = group.create_task(box.mender.run())
            await box.until(lambda: box.fake.sleeping > 0)
            with contextlib.suppress(Salvaging):
                await box.read(MAIN, 10, 1)
            box.fake.advance(1)
            await box.until(lambda: not box.logs[MAIN].waiting and len(told) == 2)
            task.cancel()
        assert told == [f"{10:020d}.db.corrupt-1795000000", "main 10 0"]

    with_box(work, lambda: Box(tmp_path))


def test_one_that_fails_is_tried_again_and_given_up_with_its_loss_stated(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        await fill(box)
        break_page(box, 10, 0)
        with contextlib.suppress(Salvaging):
            await box.read(MAIN, 10, 1)
        failures: list[str] = []
        replace(box.told, "salvage_failed", lambda path, error: failures.append(str(error)))

        def full(job: object, stop: threading.Event) -> Report:
            raise sqlite3.OperationalError("database or disk is full")

        monkeypatch.setattr(mending, "salvage", full)
        for _ in range(MAX_TRIES - 1):
            await box.mender.mend()
        assert (len(failures), box.logs[MAIN].waiting) == (MAX_TRIES - 1, (10,))
        await box.mender.mend()
        report = box.mender.reports["main", 10]
        assert (box.logs[MAIN].waiting, report.lost_records, report.problem) == ((), 10, "database or disk is full")
        assert numbers(r for r in await box.everything()) == [*range(10), *range(20, 30)]

    with pytest.MonkeyPatch.context() as monkeypatch:
        with_box(work, lambda: Box(tmp_path))


def test_a_full_disk_does_not_make_it_give_up(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        await fill(box)
        break_page(box, 10, 0)
        with contextlib.suppress(Salvaging):
            await box.read(MAIN, 10, 1)

        def full(job: object, stop: threading.Event) -> Report:
            raise OSError(errno.ENOSPC, "No space left on device")

        with pytest.MonkeyPatch.context() as monkeypatch:
            monkeypatch.setattr(mending, "salvage", full)
            for _ in range(MAX_TRIES + 1):
                await box.mender.mend()
        assert box.logs[MAIN].waiting == (10,)
        await box.mender.mend()
        assert numbers(await box.everything()) == [*range(30)]

    with_box(work, lambda: Box(tmp_path))


def test_a_file_that_is_gone_is_stated_as_lost(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        await fill(box)
        break_page(box, 10, 0)
        with contextlib.suppress(Salvaging):
            await box.read(MAIN, 10, 1)
        box.set_aside[0].unlink()
        await box.mender.mend()
        assert box.mender.reports["main", 10].lost == [(10, 20)]

    async def unlinked(box: Box) -> None:
        await fill(box)
        path_of(box.logs[MAIN].folder, 10).unlink()
        found = [r for r in await box.everything() if isinstance(r, Damaged)]
        assert [(r.pos, r.count) for r in found] == [(10, 10)]

    with_box(work, lambda: Box(tmp_path / "a"))
    with_box(unlinked, lambda: Box(tmp_path / "b"))


def test_a_stop_does_not_wait_for_it(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        await fill(box)
        break_page(box, 10, 0)
        with contextlib.suppress(Salvaging):
            await read_once(box)
        await box.mender.close()
        box.mender._thread = ThreadPoolExecutor(1)
        await box.mender.mend()
        assert box.logs[MAIN].waiting == (10,)

    async def later(box: Box) -> None:
        assert box.logs[MAIN].waiting == (10,)
        assert len(await everything(box)) == 30
        assert await read(box, 29)

    with_box(work, lambda: Box(tmp_path))
    with_box(later, lambda: Box(tmp_path))


async def read_once(box: Box) -> Any:
    return await box.read(MAIN, 10, 1)
