"""Limits of one forwarder's backlog: the oldest go, for it alone, and every one is counted."""

from pathlib import Path

from tests.daemon.forward_fakes import FarSide, Site, on_site
from tests.daemon.outbox_fakes import Listener
from torhaus.daemon.forward.cursor import Cursor
from torhaus.daemon.forward.trim import BacklogLimits, Trimmer
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.store import MAIN


def trimmer(s: Site, cursor: Cursor, **limits: float) -> Trimmer:
    return Trimmer("city", BacklogLimits(**limits), cursor, s.outbox, MAIN, s.clock)  # type: ignore[arg-type]


def listen(s: Site) -> Listener:
    s.outbox.report = told = Listener()
    return told


async def roll(s: Site) -> None:
    log = s.outbox.logs[MAIN]
    before, log.segment_bytes = log.segment_bytes, 1
    await s.outbox.on_state(lambda _: log.roll(s.clock.wall_ns()))
    log.segment_bytes = before


def test_by_number_the_oldest_that_nobody_has_in_hand(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        told = listen(s)
        await s.readings(20)
        cursor = Cursor(Ranges([(2, 4)]), 20)
        cursor.take(1)
        await trimmer(s, cursor, records=10).look()
        assert list(cursor.settled) == [(0, 1), (2, 11)]
        assert cursor.backlog(0) == 10
        assert told.drops == [(MAIN, "city", 8, "limit_records")]
        await trimmer(s, cursor, records=10).look()
        assert len(told.drops) == 1

    on_site(tmp_path, body)


def test_by_age_what_is_known_to_be_too_old(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        told = listen(s)
        await s.readings(5)
        s.clock.advance(100)
        s.clock.is_synced = False
        await s.readings(2)
        s.clock.advance(100)
        s.clock.is_synced = True
        await s.readings(5)
        cursor = Cursor(Ranges(), 12)
        old = trimmer(s, cursor, age_s=150)
        s.clock.is_synced = False
        await old.look()
        assert told.drops == [], "while the clock is not right nothing is too old"
        s.clock.is_synced = True
        await old.look()
        assert list(cursor.settled) == [(0, 5)], "of the next two nobody knows when it was"
        stamp = s.clock.stamp()
        s.outbox.boots[s.clock.boot_id] = stamp.wall_ns - stamp.boot_ns
        s.clock.advance(100)
        await old.look()
        assert list(cursor.settled) == [(0, 7)]
        assert told.drops == [(MAIN, "city", 5, "limit_age"), (MAIN, "city", 2, "limit_age")]

    on_site(tmp_path, body)


def test_by_bytes_as_much_of_the_files_as_waits(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        told = listen(s)
        for _ in range(3):
            await s.readings(10)
            await roll(s)
        await s.readings(10)
        log = s.outbox.logs[MAIN]
        sizes = [size for _, _, size in log.weights()]
        cursor = Cursor(Ranges([(0, 5)]), 40)
        await trimmer(s, cursor, bytes_=sum(sizes[2:]) + sizes[1] // 2).look()
        kept = cursor.backlog(0)
        assert 24 <= kept <= 25
        assert list(cursor.settled) == [(0, 40 - kept)]
        assert told.drops == [(MAIN, "city", 35 - kept, "limit_bytes")]

    on_site(tmp_path, body)


def test_a_runner_goes_on_behind_what_was_dropped(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        far = FarSide()
        far.refuse_open = True
        runner = await s.start(far)
        await s.readings(50)
        await trimmer(s, runner.cursor, records=7).look()
        far.refuse_open = False
        await s.until(lambda: runner.cursor.backlog(0) == 0)
        assert far.seqs == list(range(43, 50))

    on_site(tmp_path, body)
