import asyncio
import sqlite3
from pathlib import Path

from tests.daemon.clocks import FakeClock
from tests.daemon.outbox_fakes import Box, numbers, pending, reading, replace, with_box
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.record import Stored
from torhaus.daemon.outbox.state import Flush, SetAside
from torhaus.daemon.outbox.store import MAIN, STRANGERS, Limits


async def fill(box: Box, *n: int, log: str = MAIN) -> None:
    """Each record in a segment of its own."""
    for i in n:
        box.logs[log].segment_bytes = 1
        assert await box.store(reading(i, weight=50_000), log=log)
        await box.settled()


def small(clock: FakeClock | None = None, *, max_age_s: float = 0, max_bytes: int = 400_000) -> Limits:
    return Limits(max_bytes=max_bytes, strangers_max_bytes=200_000, max_age_s=max_age_s, commit_window_s=0)


def test_the_oldest_go_by_size_and_are_counted_for_those_who_had_not_got_them(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        fast, slow = Ranges([(0, 1)]), Ranges()
        box.settled_by[MAIN] = {"fast": fast, "slow": slow}
        await fill(box, *range(8))
        await box.save()
        await box.settled()
        log = box.logs[MAIN]
        assert log.room.over(400_000) <= 0
        gone = log.head
        assert 0 < gone < 8
        assert numbers(await box.everything()) == list(range(gone, 8))
        assert list(fast) == list(slow) == [(0, gone)]
        await box.save()
        dropped = await box.on_state(lambda s: s.dropped())
        assert dropped == {("fast", "size"): gone - 1, ("slow", "size"): gone}
        assert sum(n for log_, f, n, _ in box.told.drops if (log_, f) == (MAIN, "slow")) == gone
        assert await box.on_state(lambda s: s.settled("slow", MAIN)) == slow

    with_box(work, lambda: Box(tmp_path, small()))


def test_strangers_displace_only_strangers(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        await fill(box, 1, 2, 3)
        await fill(box, *range(30), log=STRANGERS)
        await box.save()
        await box.settled()
        assert numbers(await box.everything()) == [1, 2, 3]
        assert box.logs[STRANGERS].bytes_on_disk <= 200_000
        assert {(log, f, why) for log, f, _, why in box.told.drops} == {(STRANGERS, "", "size")}
        assert sum(n for _, _, n, _ in box.told.drops) == box.logs[STRANGERS].head

    with_box(work, lambda: Box(tmp_path, small(max_bytes=4_000_000)))


def test_the_oldest_go_by_age_once_the_clock_is_right(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        await fill(box, 0)
        box.fake.advance(500)
        await fill(box, 1)
        box.fake.advance(600)
        box.fake.is_synced = False
        await fill(box, 2)
        await box.save()
        assert box.logs[MAIN].head == 0  # who knows what time it is
        box.fake.is_synced = True
        await box.save()
        await box.settled()
        assert numbers(await box.everything()) == [1, 2]
        assert box.told.drops == [(MAIN, "", 1, "age")]

    with_box(work, lambda: Box(tmp_path, small(max_age_s=1000, max_bytes=1_000_000)))


def test_records_of_before_the_first_sync_are_not_taken_for_old(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        box.fake.step_wall(-50 * 365 * 86400)
        box.fake.is_synced = False
        await fill(box, 0, 1)
        box.fake.step_wall(50 * 365 * 86400)
        box.fake.is_synced = True
        await box.save()
        box.boots[box.fake.boot_id] = box.fake.wall_ns() - box.fake.boot_ns()
        await box.save()
        assert box.logs[MAIN].head == 0
        box.fake.advance(2000)
        await fill(box, 2)
        await box.save()
        await box.settled()
        assert numbers(await box.everything()) == [2]

    with_box(work, lambda: Box(tmp_path, small(max_age_s=1000)))


def test_drained_segments_are_unlinked_and_undecoded_ones_are_not(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        settled = Ranges()
        box.settled_by[MAIN] = {"mqtt": settled}
        box.scanned_to = 1 << 62
        fed: list[Stored] = []
        box.subscribe(MAIN, fed.extend)
        await fill(box, 0)
        await box.store(pending(1))
        await fill(box, 2, 3)
        settled.add(0, 4)
        await box.save()
        assert box.logs[MAIN].head == 1
        assert box.told.drops == []
        box.undecoded.remove(1, 2)
        await box.save()
        await box.settled()
        assert len(box.logs[MAIN].segments) == 1
        assert len(list((tmp_path / "log").glob("*.db"))) == 1

    with_box(work, lambda: Box(tmp_path, small(max_bytes=1 << 30)))


def test_a_flush_that_cannot_be_written_is_kept_and_written_once(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        await box.store(reading(0))
        (one,) = [s for s in await box.everything() if isinstance(s, Stored)]
        settled = [(0, 1)]
        box.before_flush.append(lambda flush: flush.settled.__setitem__(("mqtt", MAIN), list(settled)))
        save = box.state.save

        def fails(_: Flush) -> None:
            raise sqlite3.OperationalError("disk I/O error")

        replace(box.state, "save", fails)
        box.flush.dead["mqtt", MAIN] = [SetAside(0, 0, 0, "400", one)]
        box.flush.dropped["mqtt", "size"] = 2
        for n in range(3):
            box.flush.set_aside.setdefault(("mqtt", MAIN), []).append(SetAside(n + 5, 1, 1, "quota", one))
            await box.save()
        assert [bool(e) for e in box.told.episodes] == [True]
        replace(box.state, "save", save)
        settled[0] = (0, 9)
        await box.save()
        await box.save()
        assert [bool(e) for e in box.told.episodes] == [True, False]
        assert await box.on_state(lambda s: s.counts()) == {"mqtt": (3, 1)}
        assert await box.on_state(lambda s: s.dropped()) == {("mqtt", "size"): 2}
        assert await box.on_state(lambda s: s.settled("mqtt", MAIN)) == Ranges([(0, 9)])

    with_box(work, lambda: Box(tmp_path))


def test_a_save_that_is_cancelled_loses_nothing(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        box.flush.boots["boot"] = 5
        task = asyncio.create_task(box.save())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await box.save()
        assert await box.on_state(lambda s: s.boots()) == {"boot": 5}

    with_box(work, lambda: Box(tmp_path))


def test_the_reserve_lets_the_state_be_saved_on_a_full_disk(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        assert (tmp_path / "reserve").stat().st_size > 0
        save, tries = box.state.save, []

        def needs_room(flush: Flush) -> None:
            tries.append(flush)
            if (tmp_path / "reserve").exists():
                error = sqlite3.OperationalError("database or disk is full")
                error.sqlite_errorcode = sqlite3.SQLITE_FULL
                raise error
            save(flush)

        replace(box.state, "save", needs_room)
        box.flush.boots["boot"] = 5
        await box.save()
        assert len(tries) == 2
        assert box.failing is None
        replace(box.state, "save", save)
        assert (tmp_path / "reserve").exists()  # taken again as soon as there is room

    with_box(work, lambda: Box(tmp_path))


def test_a_collector_that_raises_keeps_nothing_from_being_saved(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)

        def bad(_: Flush) -> None:
            raise RuntimeError("defect")

        box.before_flush.append(bad)
        box.flush.boots["boot"] = 5
        await box.save()
        box.before_flush.clear()
        assert await box.on_state(lambda s: s.boots()) == {"boot": 5}

    with_box(work, lambda: Box(tmp_path))


def test_it_saves_once_a_second_and_proves_that_the_writer_answers(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        task = asyncio.create_task(box.run())
        await box.until(lambda: bool(box.fake.sleeping))
        box.last_answer = 0.0
        box.flush.boots["boot"] = 5
        box.fake.advance(1)
        await box.until(lambda: bool(box.fake.sleeping and not box.flush))
        assert box.silent_s() < 60
        assert await box.on_state(lambda s: s.boots()) == {"boot": 5}
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    with_box(work, lambda: Box(tmp_path))


def test_those_who_only_wait_for_the_disk_share_one_write_and_nothing_is_unlinked(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        box.scanned_to = 1 << 62
        box.subscribe(MAIN, lambda _: None)
        await fill(box, 0, 1, 2)
        settled = Ranges([(0, 3)])
        box.settled_by[MAIN] = {"fast": settled}
        box.flush.settled["fast", MAIN] = list(settled)
        saved: list[Flush] = []
        save = box.state.save

        def counted(flush: Flush) -> None:
            saved.append(flush)
            save(flush)

        replace(box.state, "save", counted)
        await asyncio.gather(*(box.save(rest=False) for _ in range(5)))
        assert len(saved) == 1
        assert box.logs[MAIN].head == 0
        assert await box.on_state(lambda s: s.settled("fast", MAIN)) == settled
        assert await box.on_writer(lambda: box.second._is_old)
        await box.save()
        assert box.logs[MAIN].head > 0

    with_box(work, lambda: Box(tmp_path, Limits(commit_window_s=0)))
