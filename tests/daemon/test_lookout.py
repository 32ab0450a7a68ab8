from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.daemon.forward_fakes import FarSide, Site, on_site
from tests.daemon.outbox_fakes import replace
from torhaus.codecs.model import Value
from torhaus.daemon.forward.runner import Runner
from torhaus.daemon.lookout import Lookout, free_bytes
from torhaus.daemon.outbox.record import Damaged, Record, Stored
from torhaus.daemon.outbox.store import MAIN


def reading(n: int) -> Record:
    return Record("reading", "roof", "flur", None, "elsys", {"n": Value(n)}, raw=b"x" * 1000)


def with_lookout(
    path: Path, body: Callable[[Site, Lookout, FarSide, Runner], Awaitable[None]], room: int = 1 << 50
) -> None:
    async def go(s: Site) -> None:
        far = FarSide()
        far.refuse_open = True
        runner = await s.start(far)
        await body(s, Lookout(s.clock, s.outbox, {"city": ("x", runner)}, lambda _: room), far, runner)

    on_site(path, go)


def test_nothing_waits(tmp_path: Path) -> None:
    async def body(s: Site, lookout: Lookout, far: FarSide, runner: Runner) -> None:
        assert lookout.oldest_ns("city") == 0
        await lookout.look()
        lane = lookout.lanes["city"]
        assert (lookout.oldest_ns("city"), lane.eta_s(), lane.waiting) == (0, 0.0, 0)

    with_lookout(tmp_path, body)


def test_the_oldest_is_read_once(tmp_path: Path) -> None:
    async def body(s: Site, lookout: Lookout, far: FarSide, runner: Runner) -> None:
        first = s.clock.wall_ns()
        await s.put([reading(0)])
        s.clock.advance(60)
        await s.put([reading(1)])
        reads = []
        read = s.outbox.read

        async def counted(log: str, pos: int, most: int) -> list[Stored | Damaged]:
            reads.append(pos)
            return await read(log, pos, most)

        replace(s.outbox, "read", counted)
        for _ in range(5):
            await lookout.look()
        assert (lookout.oldest_ns("city"), reads) == (first, [0])
        runner.cursor.settle(0)
        await lookout.look()
        assert (lookout.oldest_ns("city"), reads) == (first + 60 * 10**9, [0, 1])
        runner.cursor.settle(1)
        await lookout.look()
        assert (lookout.oldest_ns("city"), reads) == (0, [0, 1])

    with_lookout(tmp_path, body)


def test_a_time_that_is_corrected_later(tmp_path: Path) -> None:
    async def body(s: Site, lookout: Lookout, far: FarSide, runner: Runner) -> None:
        s.clock.is_synced = False
        at = s.clock.stamp()
        await s.put([reading(0)])
        await lookout.look()
        assert lookout.oldest_ns("city") == at.wall_ns
        s.outbox.boots[s.clock.boot_id] = 17
        await lookout.look()
        assert lookout.oldest_ns("city") == at.boot_ns + 17

    with_lookout(tmp_path, body)


def test_damage_is_passed_over(tmp_path: Path) -> None:
    async def body(s: Site, lookout: Lookout, far: FarSide, runner: Runner) -> None:
        await s.put([reading(0)])
        s.clock.advance(5)
        await s.put([reading(1)])
        read = s.outbox.read

        async def damaged(log: str, pos: int, most: int) -> list[Stored | Damaged]:
            return [Damaged(0, 1, "x")] if pos == 0 else await read(log, pos, most)

        replace(s.outbox, "read", damaged)
        await lookout.look()
        assert lookout.oldest_ns("city") == s.clock.wall_ns()

    with_lookout(tmp_path, body)


def test_how_fast_and_until_when(tmp_path: Path) -> None:
    async def body(s: Site, lookout: Lookout, far: FarSide, runner: Runner) -> None:
        await s.put(reading(n) for n in range(100))
        await lookout.look()
        s.clock.advance(10)
        await lookout.look()
        lane = lookout.lanes["city"]
        assert (lane.waiting, lane.eta_s()) == (100, None)  # it does not shrink
        runner.cursor.settle(0, 50)
        runner.tally.accepted += 50
        s.clock.advance(10)
        await lookout.look()
        assert (lane.accepted.per_s(10), lane.accepted.per_s(60)) == (5.0, 2.5)
        assert lane.eta_s() == 50 / 2.5

    with_lookout(tmp_path, body)


def test_only_what_waits_fills_a_log(tmp_path: Path) -> None:
    async def body(s: Site, lookout: Lookout, far: FarSide, runner: Runner) -> None:
        s.outbox.scanned_to = 1 << 60  # no script has anything to say
        for n in range(40):
            await s.put(reading(i) for i in range(3))
            if n < 20:  # delivered as it comes
                runner.cursor.settle(0, s.outbox.logs[MAIN].tail)
            await lookout.look()
            s.clock.advance(30)
            if n == 19:
                assert lookout.forecasts[MAIN].full_in_s() is None
        found = lookout.forecasts[MAIN].full_in_s()
        assert found is not None
        assert 0 < found < 1e6
        assert "strangers" not in lookout.forecasts  # nobody waits for it
        assert lookout.room_bytes == 1_000_000

    with_lookout(tmp_path, body, room=1_000_000)


def test_the_room_there_is(tmp_path: Path) -> None:
    assert free_bytes(tmp_path) > 0
