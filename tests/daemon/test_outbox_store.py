import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.outbox_fakes import SITE, Box, copy_of, number, numbers, pending, reading, replace, with_box
from torhaus.codecs.model import Value
from torhaus.daemon.outbox.log import Log
from torhaus.daemon.outbox.record import Damaged, Stored, Verdict
from torhaus.daemon.outbox.segment import path_of
from torhaus.daemon.outbox.store import MAIN, STRANGERS


def test_done_means_on_disk(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        fed: list[int] = []
        box.subscribe(MAIN, lambda batch: fed.extend(numbers(batch)))
        for n in range(5):
            assert await box.store(reading(n))
            copy = copy_of(tmp_path / "a", tmp_path / f"copy{n}")
            log = Log(copy / "log", SITE, max_bytes=1 << 30, max_age_ns=0, now_ns=0, machine="m1")
            assert numbers(log.read(0, 100)) == list(range(n + 1))
            log.close()
        assert fed == [0, 1, 2, 3, 4]
        assert box.told.commits == [1] * 5
        found = await box.everything()
        assert [(s.pos, s.seq, s.at, s.boot) for s in found if isinstance(s, Stored)][2] == (
            2, 2, box.fake.stamp(), box.fake.boot_id,
        )  # fmt: skip

    with_box(work, lambda: Box(tmp_path / "a"))


def test_a_second_daemon_is_refused(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        second = Box(tmp_path)
        with pytest.raises(OSError, match="in use"):
            await second.open()
        assert await box.store(reading(1))

    with_box(work, lambda: Box(tmp_path))
    with_box(work, lambda: Box(tmp_path))


def fail_on(box: Box, name: str, error: BaseException) -> None:
    def fails(*_: object) -> Any:
        raise error

    replace(box.logs[name], "append", fails)


def full() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    return error


def test_disk_full_is_told_once_and_ends_by_itself(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        await box.store(reading(0))
        conn = box.logs[MAIN]._newest._conn
        conn.execute("PRAGMA max_page_count = 12")
        for _ in range(3):
            assert not await box.store(reading(1, weight=200_000))
            box.flush.settled["mqtt", MAIN] = [(0, 1)]
            await box.save()  # the state can be written: that does not end the episode
        assert box.failing
        assert box.failing.startswith("main: disk_full")
        assert box.told.refusals == [(1, "disk_full")] * 3
        conn.execute("PRAGMA max_page_count = 1000000")
        assert await box.store(reading(1, weight=200_000))
        assert not box.failing
        assert [bool(e) for e in box.told.episodes] == [True, False]
        assert numbers(await box.everything()) == [0, 1]

    with_box(work, lambda: Box(tmp_path))


def test_strangers_that_cannot_be_stored_do_not_hold_up_readings(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        fail_on(box, STRANGERS, full())
        answers: list[tuple[str, bool]] = []
        box.put(MAIN, [(box.fake.stamp(), reading(1))], 1)
        box.commit(lambda ok: answers.append(("main", ok)))
        box.put(STRANGERS, [(box.fake.stamp(), reading(2))], 1)
        box.commit(lambda ok: answers.append(("strangers", ok)))
        await box.until(lambda: len(answers) == 2)
        assert answers == [("main", True), ("strangers", False)]
        assert numbers(await box.everything()) == [1]
        assert box.told.refusals == [(1, "disk_full")]

    with_box(work, lambda: Box(tmp_path))


def test_a_defect_is_told_and_acknowledges_nothing(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        handled: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: handled.append(context))
        fail_on(box, MAIN, RuntimeError("defect"))
        assert not await box.store(reading(1))
        assert [str(c["exception"]) for c in handled] == ["defect"]
        assert box.failing
        assert box.told.refusals == [(1, "defect")]

    with_box(work, lambda: Box(tmp_path))


def test_a_feed_that_raises_does_not_keep_the_others_from_hearing(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        handled: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: handled.append(context))
        fed: list[int] = []

        def bad(_: list[Stored]) -> None:
            raise RuntimeError("defect")

        box.subscribe(MAIN, bad)
        box.subscribe(MAIN, lambda batch: fed.extend(s.pos for s in batch))
        await box.store(reading(1), pending(2))
        await box.store(reading(3))
        box.unsubscribe(MAIN, bad)
        await box.store(reading(4))
        assert fed == [0, 1, 2, 3]
        assert list(box.undecoded) == [(1, 2)]
        assert len(handled) == 2

    with_box(work, lambda: Box(tmp_path))


def test_a_verdict_is_fed_under_the_same_id_and_survives(tmp_path: Path) -> None:
    async def first(box: Box) -> None:
        fed: list[Stored] = []
        box.subscribe(MAIN, fed.extend)
        await box.store(reading(0), pending(1), pending(2))
        assert box.decoded_to() == 0  # nobody has looked for pending records of before yet
        box.scanned_to = 1 << 62
        assert box.decoded_to() == 1
        assert [s.pos for s in await box.pending(0, 10)] == [1, 2]
        box.put_verdict(fed[1], Verdict({"t": Value(1)}))
        await box.until(lambda: not box.has_waiting())
        again = fed[3]
        assert (again.pos, again.seq, again.record.kind, again.record.pending) == (1, 1, "reading", False)
        assert box.decoded_to() == 2
        box.flush.boots["boot"] = 1  # saved along with whatever changes

    async def second(box: Box) -> None:
        assert box.scanned_to == 2
        assert [s.pos for s in await box.pending(0, 10)] == [2]
        found = await box.everything()
        assert [s.record.kind for s in found if isinstance(s, Stored)] == ["reading", "reading", "frame"]

    with_box(first, lambda: Box(tmp_path))
    with_box(second, lambda: Box(tmp_path))


def test_a_damaged_verdict_is_asked_for_again(tmp_path: Path) -> None:
    async def first(box: Box) -> None:
        box.scanned_to = 1 << 62
        await box.store(pending(0), reading(1))
        (one,) = await box.pending(0, 1)
        box.put_verdict(one, Verdict({"t": Value(1)}))

    async def second(box: Box) -> None:
        box.scanned_to = 1 << 62
        fed: list[Stored] = []
        box.subscribe(MAIN, fed.extend)
        found = await box.everything()
        assert [s.record.pending for s in found if isinstance(s, Stored)] == [True, False]
        await box.everything()
        assert [s.pos for s in fed] == [0]  # once
        assert box.decoded_to() == 0
        box.put_verdict(fed[0], Verdict({"t": Value(2)}))
        await box.until(lambda: not box.has_waiting())
        assert box.decoded_to() == 2

    with_box(first, lambda: Box(tmp_path))
    conn = sqlite3.connect(path_of(tmp_path / "log", 0))
    conn.execute("UPDATE verdict SET crc = crc + 1")
    conn.commit()
    conn.close()
    with_box(second, lambda: Box(tmp_path))


def test_verdicts_wait_while_they_cannot_be_written(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        fed: list[Stored] = []
        box.subscribe(MAIN, fed.extend)
        box.scanned_to = 1 << 62
        await box.store(pending(0))
        add = box.logs[MAIN].add_verdicts

        def fails(_: object) -> None:
            raise full()

        replace(box.logs[MAIN], "add_verdicts", fails)
        box.put_verdict(fed[0], Verdict({"t": Value(1)}))
        assert await box.store(reading(1))  # records are stored all the same
        assert box.failing
        assert box.decoded_to() == 0
        replace(box.logs[MAIN], "add_verdicts", add)
        assert await box.store(reading(2))
        await box.settled()
        assert box.decoded_to() == 3
        assert not box.failing
        assert [bool(e) for e in box.told.episodes] == [True, False]

    with_box(work, lambda: Box(tmp_path))


def test_pending_records_that_are_committed_but_not_told_yet_are_not_taken_for_decoded(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        box.scanned_to = 1 << 62
        box.logs[MAIN].append([(box.fake.stamp(), pending(0))], "boot")  # the writer thread is ahead of the loop
        assert box.decoded_to() == 0

    with_box(work, lambda: Box(tmp_path))


def test_a_broken_state_is_set_aside_and_all_is_there_under_the_same_ids(tmp_path: Path) -> None:
    ids: list[tuple[str, int]] = []

    async def first(box: Box) -> None:
        await box.store(reading(0), reading(1))
        box.flush.settled["mqtt", MAIN] = [(0, 2)]
        ids.extend((s.store, s.seq) for s in await box.everything() if isinstance(s, Stored))

    async def second(box: Box) -> None:
        assert [p.name[:17] for p in box.set_aside] == ["state.db.corrupt-"]
        assert list(await box.on_state(lambda s: s.settled("mqtt", MAIN))) == [(0, 2)]  # from the second copy
        assert [(s.store, s.seq) for s in await box.everything() if isinstance(s, Stored)] == ids

    with_box(first, lambda: Box(tmp_path))
    (tmp_path / "state.db").write_bytes(b"x" * 9000)
    with_box(second, lambda: Box(tmp_path))


def test_a_lost_write_ahead_log_does_not_make_settled_positions_new_again(tmp_path: Path) -> None:
    async def first(box: Box) -> None:
        for n in range(4):
            await box.store(reading(n))
        box.flush.settled["mqtt", MAIN] = [(0, 4)]
        await box.save()
        copy_of(tmp_path / "a", tmp_path / "b")

    async def second(box: Box) -> None:
        await box.store(reading(9))
        await box.mender.mend()
        assert box.mender.reports[MAIN, 0].lost_records == 4
        (found,) = [s for s in await box.everything() if not isinstance(s, Damaged)]
        settled = await box.on_state(lambda s: s.settled("mqtt", MAIN))
        assert (number(found), found.pos in settled) == (9, False)

    with_box(first, lambda: Box(tmp_path / "a"))
    Path(f"{path_of(tmp_path / 'b' / 'log', 0)}-wal").unlink()
    with_box(second, lambda: Box(tmp_path / "b"))


def test_nothing_is_left_running_when_it_cannot_be_opened(tmp_path: Path) -> None:
    import threading

    async def go() -> None:
        (tmp_path / "strangers").mkdir()
        conn = sqlite3.connect(path_of(tmp_path / "strangers", 0))
        conn.execute("PRAGMA user_version = 9")
        conn.close()
        box = Box(tmp_path)
        with pytest.raises(Exception, match="newer"):
            await box.open()
        assert box._lock is None

    before = threading.active_count()
    asyncio.run(go())
    assert threading.active_count() == before
