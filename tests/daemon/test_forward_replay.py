import asyncio
import threading
from pathlib import Path

from tests.daemon.forward_fakes import FarSide, Site, on_site, reading
from torhaus.daemon.forward.base import Item, Outcome
from torhaus.daemon.forward.replay import replay
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.state import Flush
from torhaus.daemon.outbox.store import MAIN


def test_what_was_delivered_comes_again_late_and_under_the_same_ids(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        far = FarSide()
        runner = await s.start(far)
        await s.until(lambda: far.is_open)
        await s.readings(10)
        await s.until(lambda: len(far.arrived) == 10)
        ids = [m.id for m in far.arrived]
        assert (await replay(s.outbox, runner, 4, 100, dry_run=True)).records == 6
        assert runner.cursor.backlog(0) == 0
        done = await replay(s.outbox, runner, 4, 8)
        assert (done.records, done.backlog) == (4, 4)
        await s.until(lambda: len(far.arrived) == 14)
        assert [m.id for m in far.arrived[10:]] == ids[4:8]
        assert all(m.late for m in far.arrived[10:])
        await s.readings(1)
        await s.until(lambda: len(far.arrived) == 15)
        assert not far.arrived[14].late

    on_site(tmp_path, body)


def test_it_is_on_disk_at_once(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        far = FarSide()
        runner = await s.start(far)
        await s.readings(10)
        await s.until(lambda: len(far.arrived) == 10)
        await s.stop_runners()
        await replay(s.outbox, runner, 2, 5)
        found = await s.outbox.on_state(lambda state: state.settled("city", MAIN))
        assert found == Ranges([(0, 2), (5, 10)])

    on_site(tmp_path, body)


def test_what_is_being_sent_is_left_alone(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        far = FarSide()
        runner = await s.start(far)
        await s.until(lambda: far.is_open)
        await s.readings(3)
        await s.until(lambda: len(far.arrived) == 3)
        far.hanging = True
        await s.readings(2)
        await s.until(lambda: len(far.calls) == 5 or len(far.calls[-1]) > 1)
        done = await replay(s.outbox, runner, 0, 100)
        assert (done.records, done.backlog) == (3, 5)
        assert runner.cursor.gap(0) == (0, 3)

    on_site(tmp_path, body)


def test_dead_letters_and_records_set_aside_have_their_own_way(tmp_path: Path) -> None:
    def script(batch: list[Item]) -> Outcome:
        out = Outcome()
        for i, item in enumerate(batch):
            if item.message.id.endswith("/1"):
                out.rejected = out.rejected | {i: "no"}
            else:
                out.accepted = [*out.accepted, i]
        return out

    async def body(s: Site) -> None:
        far = FarSide(script)
        runner = await s.start(far)
        await s.readings(4)
        await s.until(lambda: runner.cursor.backlog(0) == 0)
        assert (await replay(s.outbox, runner, 0, 100, dry_run=True)).records == 3  # it waits for the next save
        await s.outbox.save()
        assert (await replay(s.outbox, runner, 0, 100)).records == 3
        await s.until(lambda: runner.tally.accepted == 6)
        assert runner.tally.rejected == 1

    on_site(tmp_path, body)


def test_holes_are_not_counted(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        far = FarSide()
        runner = await s.start(far)
        await s.put(reading(n) for n in range(10))
        await s.until(lambda: len(far.arrived) == 10)
        s.outbox.logs[MAIN].holes = Ranges([(3, 6)])
        done = await replay(s.outbox, runner, 2, 7)
        assert (done.records, done.backlog) == (2, 2)
        assert (await replay(s.outbox, runner, 3, 6)).records == 0

    on_site(tmp_path, body)


def test_a_segment_that_is_being_thinned_out_is_left_alone(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        far = FarSide()
        runner = await s.start(far)
        await s.readings(10)
        await s.until(lambda: len(far.arrived) == 10)
        assert runner.cursor.hold(0, 6)
        assert (await replay(s.outbox, runner, 4, 8)).records == 2
        assert list(runner.cursor.settled) == [(0, 6), (8, 10)]
        runner.cursor.let_go(0, 6, None)

    on_site(tmp_path, body)


def test_what_is_about_to_be_unlinked_is_not_promised(tmp_path: Path) -> None:
    """A save is under way that removes what everybody has: either it is sent again, or it is not counted."""

    async def body(s: Site) -> None:
        log = s.outbox.logs[MAIN]
        far = FarSide()
        runner = await s.start(far)
        await s.readings(10)
        log.segment_bytes = 1
        await s.outbox.on_writer(lambda: log.roll(s.clock.wall_ns()))
        log.segment_bytes = 1 << 30
        await s.readings(10)
        await s.until(lambda: len(far.arrived) == 20)
        await s.stop_runners()
        s.outbox.scanned_to = 1 << 62
        gate, save_state = threading.Event(), s.outbox._save_state

        def slow(flush: Flush, *, rest: bool) -> None:
            assert gate.wait(10)
            save_state(flush, rest=rest)

        s.outbox._save_state = slow  # type: ignore[method-assign]
        saving = asyncio.create_task(s.outbox.save())
        await asyncio.sleep(0.01)
        replaying = asyncio.create_task(replay(s.outbox, runner, 0, 100))
        await asyncio.sleep(0.01)
        gate.set()
        done = await replaying
        await saving
        there = [r for r in await s.outbox.read(MAIN, log.head, 100) if r.pos not in runner.cursor.settled]
        assert len(there) == done.records == 10

    on_site(tmp_path, body)
