"""Alarms go out before everything else: as they come, after an outage, after a restart."""

from pathlib import Path

import pytest

from tests.daemon.forward_fakes import FarSide, Site, alarm, on_site, reading, seq_of, take_all
from torhaus.codecs.model import Value
from torhaus.daemon.forward.base import Item, Outcome, Unavailable
from torhaus.daemon.outbox.record import Record, Verdict
from torhaus.daemon.outbox.store import MAIN


def test_after_an_outage_the_alarm_goes_before_the_backlog_and_before_what_is_new(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        far = FarSide(max_batch=4)
        far.refuse_open = True
        runner = await s.start(far)
        await s.readings(40)
        await s.put([alarm(40)])
        await s.readings(40)
        far.concurrency = 1
        far.refuse_open = False
        await s.until(lambda: len(far.arrived) == 81)
        first = next(i for i, m in enumerate(far.arrived) if m.alarm)
        assert first <= 2 * far.max_batch, "at most what was under way already is before it"
        assert far.arrived[first].late
        assert sorted(far.seqs) == list(range(81))
        assert runner.cursor.backlog(0) == 0

    on_site(tmp_path, body)


def test_while_others_are_stuck_an_alarm_gets_through(tmp_path: Path) -> None:
    """Two sends at once are allowed, and both hang: an alarm has a turn of its own."""

    async def body(s: Site) -> None:
        far = FarSide(max_batch=4)
        await s.readings(8)
        far.hanging = True
        await s.start(far)
        await s.until(lambda: len(far.calls) == 1)
        await s.readings(1)
        await s.until(lambda: len(far.calls) == 2)
        far.hanging = False
        await s.readings(1)
        await s.put([alarm(10)])
        await s.until(lambda: len(far.arrived) == 1)
        assert far.arrived[0].alarm
        assert not far.arrived[0].late

    on_site(tmp_path, body)


def test_an_alarm_is_found_again_after_a_restart(tmp_path: Path) -> None:
    async def before(s: Site) -> None:
        await s.readings(30)
        await s.put([alarm(30), alarm(31)])
        log = s.outbox.logs[MAIN]
        log.segment_bytes = 1
        await s.outbox.on_state(lambda _: log.roll(s.clock.wall_ns()))
        await s.readings(30)

    async def after(s: Site) -> None:
        far = FarSide(max_batch=2)
        await s.start(far)
        await s.until(lambda: len(far.arrived) == 62)
        places = [i for i, m in enumerate(far.arrived) if m.alarm]
        assert max(places) <= 4 * far.max_batch

    on_site(tmp_path, before)
    on_site(tmp_path, after)


def test_what_a_script_finds_out_is_an_alarm_too(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        far = FarSide(max_batch=2)
        far.refuse_open = True
        await s.start(far)
        pending = Record("frame", "gw", "keller", codec="script", raw=b"raw", payload=b"x", pending=True)
        await s.readings(20)
        await s.put([pending])
        await s.readings(20)
        (one,) = await s.outbox.pending(0, 10)
        s.outbox.put_verdict(one, Verdict({"leak": Value(1)}, alarm=True))
        await s.until(lambda: not s.outbox.has_waiting())
        far.refuse_open = False
        await s.until(lambda: len(far.arrived) == 41)
        assert next(i for i, m in enumerate(far.arrived) if m.alarm) <= 3 * far.max_batch

    on_site(tmp_path, body)


@pytest.mark.parametrize("how", ["refused for now", "connection lost"])
def test_an_alarm_that_was_not_taken_still_goes_first(tmp_path: Path, how: str) -> None:
    async def body(s: Site) -> None:
        refusals = 3

        def script(batch: list[Item]) -> Outcome:
            nonlocal refusals
            if batch[0].message.alarm and refusals:
                refusals -= 1
                if how == "connection lost":
                    raise Unavailable("lost")
                return Outcome(kept={0: "not now"})
            return take_all(batch)

        far = FarSide(script, max_batch=2)
        far.concurrency = 1
        await s.start(far, backfill_per_s=5)
        await s.until(lambda: far.opened == 1)
        await s.put([alarm(0), *(reading(n) for n in range(1, 5))])
        await s.until(lambda: len(far.arrived) == 5)
        assert sorted(map(seq_of, far.arrived)) == list(range(5))
        assert refusals == 0

    on_site(tmp_path, body)
