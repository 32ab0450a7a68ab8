"""One forwarder over a real outbox: poison, defects, records set aside, a log that is not perfect."""

import asyncio
import logging
from pathlib import Path

import pytest

from tests.daemon.forward_fakes import FarSide, Site, dead_letters, number, on_site, reading, take_all
from torhaus.daemon.forward.base import Item, Outcome, Unavailable
from torhaus.daemon.forward.runner import HANG_S
from torhaus.daemon.forward.sender import DEFECTS_IN_A_ROW
from torhaus.daemon.forward.settle import INLINE_TRIES, SET_ASIDE_S
from torhaus.daemon.outbox.state import SetAside
from torhaus.daemon.outbox.store import MAIN


@pytest.mark.parametrize("live", [False, True])
def test_a_defect_on_one_record_costs_that_record_alone(tmp_path: Path, live: bool) -> None:
    def script(batch: list[Item]) -> Outcome:
        if any(number(item) == 13 for item in batch):
            raise TypeError("13")
        return take_all(batch)

    async def body(s: Site) -> None:
        far = FarSide(script)
        if not live:
            await s.readings(30)
        runner = await s.start(far)
        await s.until(lambda: runner.tally.up)
        if live:
            await s.readings(30)
        await s.until(lambda: runner.cursor.backlog(0) == 0)
        assert sorted(far.seqs) == [n for n in range(30) if n != 13]
        (dead,) = await dead_letters(s)
        assert (dead.stored.seq, dead.reason) == (13, "defect: TypeError: 13")
        assert runner.tally.connects == 1

    on_site(tmp_path, body)


def test_a_connection_lost_while_the_poison_is_looked_for(tmp_path: Path) -> None:
    """The halves that were not sent any more are not forgotten."""

    def script(batch: list[Item]) -> Outcome:
        if len(batch) == 8:
            raise TypeError("some")
        if len(batch) == 4 and far.opened == 1:
            raise Unavailable("gone")
        return take_all(batch)

    far = FarSide(script)

    async def body(s: Site) -> None:
        await s.readings(8)
        await s.start(far)
        await s.until(lambda: len(far.arrived) == 8)
        assert await dead_letters(s) == []

    on_site(tmp_path, body)


def test_a_forwarder_that_is_broken_does_not_bury_everything(tmp_path: Path) -> None:
    def broken(batch: list[Item]) -> Outcome:
        raise TypeError("a library has changed")

    async def body(s: Site) -> None:
        await s.readings(100)
        far = FarSide(broken)
        runner = await s.start(far)
        await s.rest(600, step_s=1)
        assert len(await dead_letters(s)) == DEFECTS_IN_A_ROW
        assert runner.tally.detail == "defect: TypeError: a library has changed"
        far.script = take_all
        await s.until(lambda: len(far.arrived) == 100 - DEFECTS_IN_A_ROW, step_s=1)
        assert runner.cursor.backlog(0) == 0

    on_site(tmp_path, body)


def test_a_defect_in_open_says_so_and_leaves(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        far = FarSide()
        runner = await s.start(far)
        await s.until(lambda: runner.tally.up)
        await s.stop_runners()

        async def bad() -> None:
            raise ZeroDivisionError

        far.open = bad  # type: ignore[method-assign]
        with pytest.raises(ZeroDivisionError):
            await runner.run()
        assert (runner.tally.up, runner.tally.detail) == (False, "defect: ZeroDivisionError")
        assert not far.is_open

    on_site(tmp_path, body)


def test_a_send_that_hangs_is_given_up(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        far = FarSide()
        far.hanging = True
        runner = await s.start(far)
        await s.until(lambda: runner.tally.up)
        await s.readings(5)
        await s.rest(HANG_S - 20, step_s=10)
        assert (runner.tally.up, len(far.calls)) == (True, 1)
        await s.until(lambda: not runner.tally.up, step_s=5, limit_s=60)
        assert runner.tally.detail == "no answer within 900 s"
        far.hanging = False
        await s.until(lambda: len(far.arrived) == 5, step_s=1)
        assert runner.tally.connects == 2

    on_site(tmp_path, body)


# -- set aside ---------------------------------------------------------------------------------------------------------


def test_one_that_is_kept_again_and_again_is_set_aside_and_tried_later(tmp_path: Path) -> None:
    allowed: set[int] = set()

    def script(batch: list[Item]) -> Outcome:
        outcome = Outcome([], {}, {})
        for i, item in enumerate(batch):
            if number(item) == 0 and 0 not in allowed:
                outcome.kept[i] = "no such table"
            else:
                outcome.accepted.append(i)
        return outcome

    async def body(s: Site) -> None:
        far = FarSide(script)
        runner = await s.start(far)
        await s.until(lambda: runner.tally.up)
        for n in range(100):
            await s.put([reading(n)])
            await s.rest(1, step_s=0.2)
            if runner.books.aside:
                break
        assert runner.books.aside == 1
        assert runner.cursor.backlog(0) == 0
        assert max(item.tries for call in far.calls for item in call) == INLINE_TRIES - 1
        calls = len(far.calls)
        await s.outbox.save()
        await s.rest(SET_ASIDE_S - 5, step_s=1)
        assert len(far.calls) == calls
        await s.until(lambda: len(far.calls) == calls + 1, step_s=1, limit_s=10)
        await s.until(lambda: len(far.calls) == calls + 2, step_s=1, limit_s=3 * SET_ASIDE_S)
        allowed.add(0)
        await s.until(lambda: runner.books.aside == 0, step_s=5)
        assert (far.seqs[-1], far.arrived[-1].late) == (0, True)
        assert await s.outbox.on_state(lambda state: state.counts()) == {}

    on_site(tmp_path, body)


def test_a_dead_letter_is_tried_again_when_a_person_says_so(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        far = FarSide(lambda batch: Outcome(rejected=dict.fromkeys(range(len(batch)), "bad")))
        runner = await s.start(far)
        await s.readings(2)
        await s.until(lambda: runner.cursor.backlog(0) == 0)
        first, second = await dead_letters(s)
        far.script = take_all
        await s.outbox.on_state(lambda state: state.retry_dead_letter(first.number, s.clock.wall_ns()))
        await s.until(lambda: len(far.arrived) == 1, limit_s=30)
        assert far.arrived[0].late
        assert runner.books.aside == 0
        assert [d.number for d in await dead_letters(s)] == [second.number]
        far.script = lambda batch: Outcome(rejected={0: "still"})
        await s.outbox.on_state(lambda state: state.retry_dead_letter(second.number, s.clock.wall_ns()))
        await s.until(lambda: runner.tally.rejected == 3, limit_s=30)
        assert [d.reason for d in await dead_letters(s)] == ["still"]

    on_site(tmp_path, body)


def test_a_defect_on_one_that_was_set_aside_does_not_stop_the_rest(tmp_path: Path) -> None:
    def script(batch: list[Item]) -> Outcome:
        if number(batch[0]) == 0:
            raise TypeError("poison")
        return take_all(batch)

    async def body(s: Site) -> None:
        far = FarSide(lambda batch: Outcome(rejected=dict.fromkeys(range(len(batch)), "bad")))
        runner = await s.start(far)
        await s.put([reading(0)])
        await s.until(lambda: runner.cursor.backlog(0) == 0)
        (dead,) = await dead_letters(s)
        far.script = script
        await s.outbox.on_state(lambda state: state.retry_dead_letter(dead.number, s.clock.wall_ns()))
        await s.until(lambda: len(far.calls) == 2, limit_s=30)
        await s.put([reading(1)])
        await s.until(lambda: far.seqs == [1], limit_s=30)
        assert runner.tally.connects == 1
        await s.rest(30, step_s=1)
        assert len(far.calls) == 3

    on_site(tmp_path, body)


# -- the log is not perfect --------------------------------------------------------------------------------------------


def test_one_line_when_the_far_side_goes_and_one_when_it_comes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("torhaus"), "propagate", True)
    caplog.set_level(logging.INFO, "torhaus")

    def told() -> list[dict[str, object]]:
        return [r.__dict__["fields"] for r in caplog.records if r.getMessage() == "forwarder"]

    async def body(s: Site) -> None:
        await s.readings(3)
        far = FarSide()
        far.refuse_open = True
        far.note = "status message refused"
        runner = await s.start(far)
        await s.rest(60)
        down = {"forwarder": "city", "up": False, "detail": "nobody there", "backlog": 3}
        assert told() == [down]
        far.refuse_open = False
        await s.until(lambda: len(far.arrived) == 3)
        assert told() == [down, {"forwarder": "city", "up": True, "detail": far.note, "backlog": 3}]
        assert runner.tally.detail == far.note, "it stays after records were taken"
        far.note = None
        await s.readings(1)
        await s.until(lambda: len(far.arrived) == 4)
        assert not runner.tally.detail

        def lost(batch: list[Item]) -> Outcome:
            far.refuse_open = True
            raise Unavailable("connection lost")

        far.script = lost
        await s.readings(1)
        await s.rest(60)
        assert told()[2:] == [{"forwarder": "city", "up": False, "detail": "connection lost", "backlog": 1}]

    on_site(tmp_path, body)


def test_one_set_aside_that_is_not_wanted_any_more_is_skipped(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        await s.readings(1, "keller")
        old = SetAside(0, 0, 0, "no", s.fed[0])
        s.outbox.flush.set_aside["city", MAIN] = [old]
        s.outbox.flush.settled["city", MAIN] = [(0, 1)]
        await s.outbox.save()
        far = FarSide()
        runner = await s.start(far, kinds=frozenset({"reading", "frame"}), devices=frozenset({"flur"}))
        await s.until(lambda: runner.tally.skipped == 1)
        await s.rest(5)
        assert (far.calls, runner.books.aside) == ([], 0)
        assert await s.outbox.on_state(lambda state: state.counts()) == {}

    on_site(tmp_path, body)


def test_refused_for_good_without_room_for_dead_letters_it_is_not_hammered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torhaus.daemon.forward.settle.MAX_DEAD_LETTERS", 2)

    async def body(s: Site) -> None:
        await s.readings(5)
        far = FarSide(lambda batch: Outcome(rejected=dict.fromkeys(range(len(batch)), "never")))
        runner = await s.start(far)
        await s.rest(600)
        assert len(far.calls) < 60
        assert runner.tally.detail == "no room for dead letters: never"
        letters = await dead_letters(s)
        assert (len(letters), runner.cursor.backlog(0)) == (2, 3)
        await s.outbox.on_state(lambda state: [state.drop_dead_letter(one.number) for one in letters])
        far.script = take_all
        await s.until(lambda: len(far.arrived) == 3)

    on_site(tmp_path, body)


def test_told_to_end_at_the_very_moment_at_which_the_far_side_hangs_up(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        far = FarSide()
        runner = await s.start(far)
        await s.until(lambda: runner.tally.up)
        (task,) = s.tasks
        for turns in range(5):  # whichever of the two comes first
            far.hung_up.set()
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task], timeout=5)
            assert task.cancelled()
            s.tasks[0] = task = asyncio.create_task(runner.run())
            await s.until(lambda: far.is_open)

    on_site(tmp_path, body)
