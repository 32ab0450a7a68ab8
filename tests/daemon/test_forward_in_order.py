"""Forwarders whose order must hold whatever the far side refuses for now; and the hours in which the backlog may go."""

import random
import time
from pathlib import Path

import pytest

from tests.daemon.forward_fakes import FarSide, Site, on_site, reading, seq_of, take_all
from torhaus.codecs.model import Value
from torhaus.daemon.forward.base import Item, Outcome, Unavailable
from torhaus.daemon.forward.windows import parse_window
from torhaus.daemon.outbox.record import Record, Verdict
from torhaus.daemon.outbox.store import MAIN

DEVICES = ("flur", "keller", "dach")


def moody(rng: random.Random) -> FarSide:
    """Takes some, refuses some for now, loses the connection now and then."""

    def script(batch: list[Item]) -> Outcome:
        dice = rng.random()
        if dice < 0.1:
            raise Unavailable("lost")
        outcome = Outcome([], {}, {})
        for i in range(len(batch)):
            if rng.random() < 0.6:
                outcome.accepted.append(i)
            elif rng.random() < 0.5:
                outcome.kept[i] = "not now"
        return outcome

    return FarSide(script, max_batch=8)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("order", ["device", "strict"])
def test_the_order_holds_whatever_is_refused_for_now(tmp_path: Path, order: str, seed: int) -> None:
    async def body(s: Site) -> None:
        rng = random.Random(seed)
        far = moody(rng)
        await s.put(reading(n, rng.choice(DEVICES)) for n in range(30))
        runner = await s.start(far, order=order)
        for start in (30, 60):
            await s.rest(rng.uniform(0, 5))
            await s.put(reading(n, rng.choice(DEVICES)) for n in range(start, start + 30))
        await s.until(lambda: runner.cursor.backlog(0) == 0)
        assert sorted(far.seqs) == list(range(90))
        if order == "strict":
            assert far.seqs == list(range(90))
        for device in DEVICES:
            own = [seq_of(m) for m in far.arrived if m.device == device]
            assert own == sorted(own)
        assert runner.books.aside == 0

    on_site(tmp_path, body)


def test_with_nothing_in_the_log_new_records_go_from_memory(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        far = FarSide()
        runner = await s.start(far, order="device")
        await s.until(lambda: runner.cursor.is_live)
        await s.put(reading(n, f"d{n % 3}") for n in range(20))
        await s.until(lambda: len(far.arrived) == 20)
        assert not any(m.late for m in far.arrived)
        assert far.seqs == list(range(20))

    on_site(tmp_path, body)


def test_a_record_whose_script_has_not_answered_is_not_overtaken(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        far = FarSide()
        runner = await s.start(far, order="strict")
        await s.until(lambda: runner.cursor.is_live)
        pending = Record("frame", "gw", "flur", codec="script", raw=b"raw", payload=b"x", pending=True)
        await s.put([reading(0), pending, reading(2), reading(3)])
        await s.rest(5)
        assert far.seqs == [0]
        (one,) = await s.outbox.pending(0, 10)
        s.outbox.put_verdict(one, Verdict({"n": Value(1)}))
        await s.until(lambda: len(far.arrived) == 4)
        assert far.seqs == [0, 1, 2, 3]

    on_site(tmp_path, body)


def test_more_than_memory_holds_keeps_its_order_too(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        far = FarSide(max_batch=4)
        far.hanging = True
        runner = await s.start(far, order="strict")
        await s.until(lambda: runner.cursor.is_live)
        runner.cursor._limit = 5
        await s.readings(40)
        s.tasks.pop().cancel()
        far.hanging = False
        await s.start(far, order="strict", name="again")
        await s.until(lambda: len(far.arrived) == 40)
        assert far.seqs == list(range(40))

    on_site(tmp_path, body)


def test_the_backlog_waits_for_its_hours_and_what_is_new_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(s: Site) -> None:
        await s.readings(10)
        s.clock.step_wall(-(s.clock.wall_ns() / 1e9 % 86_400) + 12 * 3600)  # noon
        far = FarSide(take_all)
        runner = await s.start(far, windows=(parse_window("22:00-06:00"),))
        await s.until(lambda: runner.tally.up)
        await s.readings(3)
        await s.rest(3600, step_s=10)
        assert [m.late for m in far.arrived] == [False] * 3
        s.clock.step_wall(10 * 3600)
        await s.until(lambda: len(far.arrived) == 13, step_s=5)
        assert [m.late for m in far.arrived][3:] == [True] * 10

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    on_site(tmp_path, body)
    monkeypatch.undo()
    time.tzset()


def test_a_clock_that_nobody_has_set_keeps_no_hours(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        await s.readings(10)
        s.clock.is_synced = False
        now = time.localtime(s.clock.wall_ns() // 10**9)
        window = f"{(now.tm_hour + 2) % 24}:00-{(now.tm_hour + 3) % 24}:00"
        far = FarSide()
        await s.start(far, windows=(parse_window(window),))
        await s.until(lambda: len(far.arrived) == 10)

    on_site(tmp_path, body)


def test_what_becomes_unsettled_in_the_middle_is_sent_before_what_is_new(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        far = FarSide()
        runner = await s.start(far, order="strict")
        await s.readings(5)
        await s.until(lambda: len(far.arrived) == 5)
        runner.cursor.settled.remove(1, 3)
        await s.until(lambda: len(far.arrived) == 7, step_s=0.5)
        assert far.seqs[5:] == [1, 2]
        assert s.outbox.logs[MAIN].head == 0

    on_site(tmp_path, body)
