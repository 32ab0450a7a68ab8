"""Alarms that lie in the log go first: those of before the start, and those that come back with a salvaged segment."""

import contextlib
import sqlite3
from pathlib import Path

from tests.daemon.forward_fakes import FarSide, Site, alarm, on_site
from torhaus.daemon.outbox.mending import Salvaging
from torhaus.daemon.outbox.record import Damaged, Stored
from torhaus.daemon.outbox.segment import path_of
from torhaus.daemon.outbox.store import MAIN


async def roll(s: Site) -> None:
    log = s.outbox.logs[MAIN]
    before, log.segment_bytes = log.segment_bytes, 1
    await s.outbox.on_writer(lambda: log.roll(s.clock.wall_ns()))
    log.segment_bytes = before


async def fill(s: Site) -> None:
    """Three segments; the alarm is at the end of the second."""
    await s.readings(30)
    await roll(s)
    await s.readings(30)
    await s.put([alarm(60)])
    await roll(s)
    await s.readings(30)


def test_an_alarm_in_a_segment_that_was_salvaged_later_goes_before_the_backlog(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        await fill(s)
        path = path_of(s.outbox.logs[MAIN].folder, 30)
        with path.open("r+b") as file:
            file.write(bytes(4096))  # not to be opened any more; all records are on other pages
        far = FarSide(max_batch=2)
        far.refuse_open = True
        runner = await s.start(far, backfill_per_s=10)
        with contextlib.suppress(Salvaging):
            await s.outbox.read(MAIN, 30, 1)
        assert s.outbox.logs[MAIN].waiting == (30,)
        far.refuse_open = False
        await s.until(lambda: len(far.arrived) >= 4)
        assert not any(m.alarm for m in far.arrived)
        await s.outbox.mender.mend()
        sent = len(far.arrived)
        await s.until(lambda: any(m.alarm for m in far.arrived))
        assert len(far.arrived) - sent < 30, "the backlog goes at 10 a second, so the alarm did not wait for its turn"
        await s.until(lambda: len(far.arrived) == 91)
        assert sorted(far.seqs) == list(range(91))
        assert runner.cursor.backlog(0) == 0

    on_site(tmp_path, body)


def test_what_cannot_be_read_is_looked_at_again(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        await fill(s)
        alarms, failures = s.outbox.alarms, 3

        async def flaky(log: str, first: int) -> list[int]:
            nonlocal failures
            if first == 30 and failures:
                failures -= 1
                raise sqlite3.OperationalError("unable to open database file")
            return await alarms(log, first)

        s.outbox.alarms = flaky  # type: ignore[method-assign]
        far = FarSide(max_batch=1)
        await s.start(far, backfill_per_s=1)
        await s.until(lambda: any(m.alarm for m in far.arrived), limit_s=20)
        assert failures == 0

    on_site(tmp_path, body)


def test_an_alarm_does_not_wait_for_the_pause_of_another(tmp_path: Path) -> None:
    """A read that fails again and again, in the backlog too: the lane for alarms looks again within seconds."""

    async def body(s: Site) -> None:
        await fill(s)
        read, is_bad = s.outbox.read, True

        async def flaky(log: str, pos: int, max_records: int) -> list[Stored | Damaged]:
            if is_bad:
                raise sqlite3.OperationalError("unable to open database file")
            return await read(log, pos, max_records)

        s.outbox.read = flaky  # type: ignore[method-assign]
        far = FarSide()
        runner = await s.start(far)
        for pause in (runner.sender.backlog_pause, runner._alarm_pause):
            pause._rand = lambda: 1.0
        await s.until(lambda: runner.sender.backlog_pause.tries > 9, limit_s=2000)
        await s.rest(3)
        await s.put([alarm(91)])
        await s.until(lambda: len(far.arrived) == 1, limit_s=3)
        is_bad = False
        await s.until(lambda: len(far.arrived) >= 2, limit_s=5)
        assert far.arrived[1].alarm

    on_site(tmp_path, body)
