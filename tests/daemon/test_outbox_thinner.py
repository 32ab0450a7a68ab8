"""Thinning in a running outbox: hands off while it is done, everything counted, nothing confused with anything."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from tests.daemon.outbox_fakes import Box, replace, with_box
from tests.daemon.thinner_fakes import LIMITS, backlog, forwarder, number, put
from torhaus.codecs.model import Value
from torhaus.daemon.outbox.record import Record, Stored
from torhaus.daemon.outbox.state import Flush, SetAside, State
from torhaus.daemon.outbox.store import MAIN, Limits
from torhaus.daemon.outbox.thinner import Thinner
from torhaus.daemon.outbox.thinning import rewrite, swap

MODULE: Final = "torhaus.daemon.outbox.thinner"


def test_near_the_limit_the_older_half_gets_thinner_and_nothing_is_dropped(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        box.scanned_to = 1 << 62
        await forwarder(box, "slow")
        thinner, log = Thinner(box, MAIN, 2), box.logs[MAIN]
        running = asyncio.get_running_loop().create_task(thinner.run())
        for n in range(160):
            rows = [Record("reading", "gw", f"d{i % 5}", fields={"n": Value(n)}, raw=bytes(4000)) for i in range(10)]
            assert await box.store(*rows)
            await box.save()
            await box.settled()
            box.fake.advance(1)
            await box.until(lambda: box.fake.sleeping == 1)
            assert log.room.over(4_000_000) <= 0
        running.cancel()
        assert {why for *_, why in box.told.drops} == {"thinned"}
        steps = [log.steps.get(s, 1) for s in log.segments]
        assert max(steps) >= 4
        assert steps[-len(steps) // 4 :] == [1] * len(steps[-len(steps) // 4 :])  # the newest are whole
        assert log.head == 0  # the oldest times are still covered
        await box.save()
        dropped = await box.on_state(lambda s: s.dropped())
        assert log.records + dropped["slow", "thinned"] == 1600

    with_box(work, lambda: SmallBox(tmp_path, Limits(max_bytes=4_000_000, commit_window_s=0)))


class SmallBox(Box):
    """Segments as small as its limit wants them: the real least is made for real disks."""

    async def open(self) -> None:
        await super().open()
        self.logs[MAIN].segment_bytes = 400_000
        replace(self.state, "size", lambda: 200_000)  # its write-ahead log would fill half of so small a store


def test_by_count_it_begins_before_records_are_dropped(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        thinner = Thinner(box, MAIN, 2)
        for n in range(5):
            assert not thinner.is_due()
            await put(box, *"aaa", start=3 * n)
        assert thinner.is_due()

    with_box(work, lambda: Box(tmp_path, Limits(max_records=16, commit_window_s=0)))


def test_what_somebody_has_in_hand_or_half_is_passed_over(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        box.scanned_to = 1 << 62
        cursor = await forwarder(box, "one")
        other = await forwarder(box, "two")
        for n in range(12):
            await put(box, *"aaaa", start=4 * n)
        cursor.take(1)  # of the first segment
        other.settle(5)  # of the second
        await box.save()
        thinner = Thinner(box, MAIN, 2)
        assert await thinner.look()
        assert box.logs[MAIN].steps == {8: 2}
        cursor.release(1)
        other.settle(4, 4)
        box.scanned_to = 2  # a script has not answered
        assert not await thinner.look()
        box.scanned_to = 1 << 62
        box.looked_to = 3  # a session's counter is not saved yet
        assert not await thinner.look()
        box.looked_to = None
        assert await thinner.look()
        assert await thinner.look()
        assert box.logs[MAIN].steps == {0: 2, 4: 2, 8: 2}
        assert [(f, n) for _, f, n, _ in box.told.drops] == [("one", 2), ("two", 2), ("one", 2), ("two", 2), ("one", 2)]

    with_box(work, lambda: Box(tmp_path, LIMITS))


def test_what_was_set_aside_keeps_its_position(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        box.scanned_to = 1 << 62
        cursor = await forwarder(box, "one")
        await forwarder(box, "two")
        for n in range(8):
            await put(box, *"aaaa", start=4 * n)
        (first, *_) = [s for s in await box.everything() if isinstance(s, Stored)]
        cursor.settle(0, 4)
        box.flush.set_aside["one", MAIN] = [SetAside(first.pos, 1, 0, "quota", first)]
        await box.save()
        thinner = Thinner(box, MAIN, 2)
        assert not await thinner.look()
        assert box.told.unthinned == [(MAIN, 0, "records of it were set aside")]
        assert await thinner.look()  # the next one
        assert box.logs[MAIN].steps == {4: 2}

    with_box(work, lambda: Box(tmp_path, LIMITS))


@pytest.mark.parametrize("how", ["set_aside", "dead"])
def test_what_was_set_aside_since_the_last_save_keeps_its_position_too(tmp_path: Path, how: str) -> None:
    async def work(box: Box) -> None:
        box.scanned_to = 1 << 62
        cursor = await forwarder(box, "one")
        for n in range(8):
            await put(box, *"aaaa", start=4 * n)
        (first, *_) = [s for s in await box.everything() if isinstance(s, Stored)]
        cursor.settle(0, 4)
        cursor.settled.remove(0, 4)
        getattr(box.flush, how)["one", MAIN] = [SetAside(first.pos, 1, 0, "quota", first)]
        assert not await Thinner(box, MAIN, 2).look()
        assert box.told.unthinned == [(MAIN, 0, "records of it were set aside")]

    with_box(work, lambda: Box(tmp_path, LIMITS))


def test_one_that_is_not_configured_at_present_gets_what_is_left_again(tmp_path: Path) -> None:
    """What it has settled of a segment speaks of positions that mean other records then."""

    async def work(box: Box) -> None:
        box.scanned_to = 1 << 62
        box.flush.settled["whole", MAIN] = [(0, 4)]
        box.flush.settled["half", MAIN] = [(0, 2), (4, 8)]
        for n in range(8):
            await put(box, *"aaaa", start=4 * n)
        await box.save()
        assert await Thinner(box, MAIN, 2).look()
        assert box.logs[MAIN].steps == {0: 2}
        settled = {name: list(ranges) for name, _, ranges in await box.on_state(State.forwarders)}
        assert settled == {"whole": [(0, 4)], "half": [(4, 8)]}

    with_box(work, lambda: Box(tmp_path, LIMITS))


def test_what_was_not_fed_yet_is_in_somebodys_hand(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        box.scanned_to = 1 << 62
        cursor = await forwarder(box, "one")
        for n in range(8):
            await put(box, *"aaaa", start=4 * n)
        cursor.tail = 3
        assert not await Thinner(box, MAIN, 2).look()
        cursor.tail = 32
        assert await Thinner(box, MAIN, 2).look()

    with_box(work, lambda: Box(tmp_path, LIMITS))


@pytest.mark.parametrize("ordered", [False, True])
def test_a_read_that_was_under_way_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ordered: bool) -> None:
    async def work(box: Box) -> None:
        box.scanned_to = 1 << 62
        cursor = await forwarder(box, "one", ordered=ordered)
        for n in range(8):
            await put(box, *"ab!a", start=4 * n)
        cursor.note_alarm(2)
        seen = []
        real = rewrite

        def rewriting(*args: Any) -> object:
            seen.append((cursor.gap(0), cursor.first_waiting(), cursor.alarm_gap(0), cursor.backlog(0)))
            assert box.drained_to(MAIN) == 0  # nothing of it may be unlinked for being out of sight
            return real(*args)

        monkeypatch.setattr(f"{MODULE}.rewrite", rewriting)
        reading = asyncio.get_running_loop().create_task(backlog(box, cursor).read(0, 32, 3))
        await asyncio.sleep(0)  # it is under way
        assert await Thinner(box, MAIN, 2).look()
        assert await reading == ([], 32)
        assert seen == [((4, 32), 0, None, 32)]  # one that keeps the order waits for it
        assert (cursor.gap(0), cursor.backlog(0)) == ((0, 3), 31)
        batch, _ = await backlog(box, cursor).read(0, 3, 10)
        assert [number(s) for s in batch] == [1, 2, 3]
        if not ordered:
            cursor.release(1)
            assert cursor.alarm_gap(0) == (1, 2)  # where it is now

    with_box(work, lambda: Box(tmp_path, LIMITS))


def test_where_it_fails_the_segment_stays_and_others_are_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(box: Box) -> None:
        box.scanned_to = 1 << 62
        cursor = await forwarder(box, "one")
        for n in range(12):
            await put(box, *"aaaa", start=4 * n)
        real = swap

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        def late(folder: Path, first: int) -> None:
            real(folder, first)
            full()

        thinner = Thinner(box, MAIN, 2)
        monkeypatch.setattr(f"{MODULE}.rewrite", full)
        assert not await thinner.look()
        monkeypatch.undo()
        monkeypatch.setattr(f"{MODULE}.swap", full)
        assert not await thinner.look()
        monkeypatch.setattr(f"{MODULE}.swap", late)  # renamed, but the folder could not be flushed
        assert await thinner.look()
        assert [first for _, first, _ in box.told.unthinned] == [0, 4]
        assert box.logs[MAIN].steps == {8: 2}
        assert cursor.gap(0) == (0, 10)
        assert len(await box.everything()) == 46

    with_box(work, lambda: Box(tmp_path, LIMITS))


def test_without_a_state_on_disk_nothing_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(box: Box) -> None:
        box.scanned_to = 1 << 62
        for n in range(8):
            await put(box, *"aaaa", start=4 * n)
        await box.save()

        def full(_: Flush) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as m:
            m.setattr(box.state, "save", full)
            assert not await Thinner(box, MAIN, 2).look()
        assert len(await box.everything()) == 32
        await box.save()
        assert await Thinner(box, MAIN, 2).look()
        assert {f for _, f, _, _ in box.told.drops} == {""}

    with_box(work, lambda: Box(tmp_path, LIMITS))


def test_nothing_is_unlinked_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(box: Box) -> None:
        box.scanned_to = 1 << 62
        cursor = await forwarder(box, "one")
        for n in range(8):
            await put(box, *"aaaa", start=4 * n)
        cursor.settle(0, 32)
        real, loop = rewrite, asyncio.get_running_loop()

        def rewriting(*args: Any) -> object:
            asyncio.run_coroutine_threadsafe(box.save(), loop).result(10)
            assert box.logs[MAIN].head == 0
            return real(*args)

        monkeypatch.setattr(f"{MODULE}.rewrite", rewriting)
        assert await Thinner(box, MAIN, 2).look()
        assert box.told.drops == []  # it has got all of them
        monkeypatch.undo()
        await box.save()
        await box.on_writer(partial(int))
        assert len(box.logs[MAIN].segments) == 1

    with_box(work, lambda: Box(tmp_path, LIMITS))
