"""The limits of a whole outbox, and how often its state is saved."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from tests.daemon.outbox_fakes import Box, numbers, reading, replace, with_box
from torhaus.daemon.outbox import retention
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.state import Flush
from torhaus.daemon.outbox.store import MAIN, STRANGERS, Limits


def files_in(folder: Path) -> dict[Path, int]:
    return {p: p.stat().st_size for p in folder.rglob("*") if p.is_file() and p.name != "outbox.lock"}


def test_no_more_records_than_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "LEAST_RECORDS", 1)

    async def work(box: Box) -> None:
        settled = Ranges([(3, 5)])
        box.settled_by[MAIN] = {"mqtt": settled}
        for n in range(200):
            await box.store(reading(n))
            if n % 5 == 4:
                await box.settled()
            assert box.logs[MAIN].records <= 80 + 5
        await box.save()
        await box.settled()
        log = box.logs[MAIN]
        assert 70 <= log.records <= 80  # a segment is dropped whole
        assert numbers(await box.everything()) == list(range(log.head, 200))
        assert {(f, why) for _, f, _, why in box.told.drops} == {("mqtt", "records")}
        assert sum(n for _, _, n, _ in box.told.drops) == log.head - 2

    with_box(work, lambda: Box(tmp_path, Limits(max_records=80, commit_window_s=0)))


def test_a_segment_is_closed_in_time_for_a_limit_by_age(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        for n in range(40):
            await box.store(reading(n))
            box.fake.advance(100)
            await box.save()
        await box.settled()
        log = box.logs[MAIN]
        assert numbers(await box.everything()) == list(range(log.head, 40))
        assert 10 <= log.records <= 13  # an eighth of the age more, and what came while that was noticed
        assert {why for _, _, _, why in box.told.drops} == {"age"}

    with_box(work, lambda: Box(tmp_path, Limits(max_age_s=1000, commit_window_s=0)))


def test_every_file_counts_towards_a_limit(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        for log in (MAIN, STRANGERS):
            await box.store(reading(1, weight=100_000), log=log)
        (tmp_path / "state.db.corrupt-1795000000").write_bytes(b"x" * 7000)
        await box.save()
        files = files_in(tmp_path)
        parts = box.parts()
        assert sum(parts.values()) == sum(files.values())
        assert parts["set_aside"] == 7000
        assert parts["state"] == sum(n for p, n in files.items() if p.name.startswith(("state.db", "settled"))) - 7000
        assert parts["reserve"] == files[tmp_path / "reserve"] == 4 << 20
        strangers = sum(n for p, n in files.items() if p.parent.name == "strangers")
        assert box.logs[STRANGERS].bytes_on_disk == strangers
        assert box.logs[MAIN].bytes_on_disk == sum(files.values()) - strangers

    with_box(work, lambda: Box(tmp_path))


def test_a_small_store_has_a_small_reserve(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        assert (tmp_path / "reserve").stat().st_size == 1 << 20

    with_box(work, lambda: Box(tmp_path, Limits(max_bytes=16 << 20)))


def test_the_state_is_saved_as_often_as_wanted(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        saved: list[Flush] = []
        save = box.state.save

        def noting(flush: Flush) -> None:
            saved.append(flush)
            save(flush)

        replace(box.state, "save", noting)
        box.before_flush.append(lambda flush: flush.settled.__setitem__(("mqtt", MAIN), [(0, len(saved) + 1)]))
        running = asyncio.get_running_loop().create_task(box.run())

        async def after(seconds: int) -> int:
            for _ in range(seconds):
                await box.until(lambda: box.fake.sleeping == 1)
                box.fake.advance(1)
                await box.until(lambda: box.fake.sleeping == 1)
            return len(saved)

        assert await after(29) == 0
        assert await after(1) == 1
        assert await after(29) == 1
        assert await after(31) == 3

        def fails(_: Flush) -> None:
            raise sqlite3.OperationalError("disk I/O error")

        replace(box.state, "save", fails)
        await after(30)
        replace(box.state, "save", noting)
        assert await after(1) == 4  # while anything fails there is no waiting
        assert [bool(e) for e in box.told.episodes] == [True, False]
        running.cancel()

    with_box(work, lambda: Box(tmp_path, Limits(commit_window_s=0, state_interval_s=30)))
