"""What goes before a relay's backlog: fresh joins, and senders of whom nothing waits. Each DevAddr keeps its order."""

import random
from collections import defaultdict
from pathlib import Path

import pytest

from tests.daemon.clocks import FakeClock
from tests.daemon.forward_fakes import FarSide, Site, on_site, seq_of, take_all
from torhaus.codecs.model import Reception
from torhaus.daemon.forward.base import Item, Outcome, Unavailable
from torhaus.daemon.forward.cursor import Cursor
from torhaus.daemon.forward.overtaking import MAX_AHEAD, Overtaking
from torhaus.daemon.forward.replay import replay
from torhaus.daemon.forward.runner import Runner
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.record import Lora, Record, Stored
from torhaus.daemon.outbox.store import Limits

JOIN = b"\0" + bytes(range(22))


def frame(device: int, fcnt: int = 1) -> Record:
    raw = b"\x40" + device.to_bytes(4, "little") + b"\0" + fcnt.to_bytes(2, "little") + b"\1xmic!"
    lora = Lora(868_100_000, "LORA", "SF7BW125", "4/5", dev_addr=f"{device:08x}", rx=[Reception("aa555a0000000101")])
    return Record("frame", "roof", lora=lora, raw=raw)


def join() -> Record:
    return Record("frame", "roof", lora=Lora(868_100_000, "LORA", "SF7BW125", "4/5"), raw=JOIN)


class Slow(FarSide):
    """Takes one batch at a time, of two frames, and lets the test put something in between."""

    concurrency = 1

    def __init__(self) -> None:
        super().__init__(take_all, max_batch=2)


def relay_site(tmp_path: Path) -> Site:
    return Site(tmp_path, limits=Limits(commit_window_s=0, relay=True))


async def start(s: Site, far: FarSide, order: str = "device", name: str = "city") -> Runner:
    return await s.start(far, log="relay", order=order, is_relay=True, kinds=frozenset({"frame"}), name=name)


async def with_backlog(s: Site, far: FarSide, devices: int = 3, count: int = 30) -> Runner:
    """A relay whose server was away while so many frames came; it is there again, and takes nothing as yet."""
    far.refuse_open = True
    runner = await start(s, far)
    await s.rest(1)
    await s.put([frame(n % devices, n) for n in range(count)], "relay")
    far.refuse_open, far.hanging = False, False
    far.script = lambda _: Outcome()
    await s.until(lambda: bool(far.calls))
    return runner


def on_relay(tmp_path: Path, body: object) -> None:
    async def wrapped(_: Site) -> None:
        s = relay_site(tmp_path / "relay")
        await s.outbox.open()
        try:
            await body(s)  # type: ignore[operator]
        finally:
            await s.stop_runners()
            await s.outbox.close()

    on_site(tmp_path / "main", wrapped)


def raws(far: FarSide) -> list[bytes | None]:
    return [m.raw for m in far.arrived]


def test_a_join_and_a_device_that_has_nothing_waiting_go_before_the_backlog(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        far = Slow()
        runner = await with_backlog(s, far)
        await s.put([frame(0, 100), join(), frame(9, 1), frame(9, 2)], "relay")
        far.script = take_all
        await s.until(lambda: runner.backlog() == 0)
        arrived = raws(far)
        new = [frame(9, 1).raw, frame(9, 2).raw, join().raw]
        assert all(arrived.index(raw) < 12 for raw in new)
        assert not any(m.late for m in far.arrived if m.raw in new)
        assert arrived.index(frame(9, 1).raw) < arrived.index(frame(9, 2).raw)
        assert arrived[-1] == frame(0, 100).raw
        assert len(arrived) == 34

    on_relay(tmp_path, body)


def test_strict_order_lets_nothing_by(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        far = Slow()
        far.refuse_open = True
        runner = await start(s, far, order="strict")
        await s.rest(1)
        await s.put([frame(n % 3, n) for n in range(10)], "relay")
        far.refuse_open = False
        far.script = lambda _: Outcome()
        await s.until(lambda: bool(far.calls))
        await s.put([join(), frame(9)], "relay")
        far.script = take_all
        await s.until(lambda: runner.backlog() == 0)
        assert far.seqs == sorted(far.seqs)

    on_relay(tmp_path, body)


def test_after_a_restart_with_a_backlog_only_joins_overtake(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        far = Slow()
        await with_backlog(s, far)
        await s.stop_runners()
        far.calls.clear()
        runner = await start(s, far)
        await s.until(lambda: bool(far.calls))
        await s.put([frame(9), join()], "relay")
        far.script = take_all
        await s.until(lambda: runner.backlog() == 0)
        assert raws(far).index(JOIN) < 12
        assert raws(far)[-1] == frame(9).raw

    on_relay(tmp_path, body)


def test_what_is_sent_again_on_request_is_not_overtaken_by_who_may_be_in_it(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        far = Slow()
        runner = await start(s, far)
        await s.until(lambda: runner.cursor.is_live)
        await s.put([frame(n % 3, n) for n in range(9)], "relay")
        await s.until(lambda: runner.backlog() == 0)
        far.script = lambda _: Outcome()
        await replay(s.outbox, runner, 0, 9)
        await s.put([frame(1, 100)], "relay")
        await s.rest(2)
        await s.put([frame(2, 100)], "relay")
        far.arrived.clear()
        far.script = take_all
        await s.until(lambda: runner.backlog() == 0)
        for device in range(3):
            own = [seq_of(m) for m in far.arrived if m.lora and m.lora.dev_addr == f"{device:08x}"]
            assert own == sorted(own)
        assert len(far.arrived) == 11

    on_relay(tmp_path, body)


@pytest.mark.parametrize("seed", range(8))
def test_every_frame_arrives_once_and_in_the_order_of_its_dev_addr(tmp_path: Path, seed: int) -> None:
    async def body(s: Site) -> None:
        rng = random.Random(seed)

        def moody(batch: list[Item]) -> Outcome:
            if rng.random() < 0.15:
                raise Unavailable("lost")
            outcome = Outcome([], {}, {})
            for i in range(len(batch)):
                if rng.random() < 0.7:
                    outcome.accepted.append(i)
                elif rng.random() < 0.5:
                    outcome.kept[i] = "not now"
            return outcome

        far = FarSide(moody, max_batch=6)
        far.concurrency = 1
        runner = await start(s, far)
        runner.cursor._limit = 12
        total = 0
        counters: dict[int, int] = defaultdict(int)
        for _ in range(12):
            batch = []
            for _ in range(rng.randrange(1, 30)):
                device = rng.choice([1, 2, 3, rng.randrange(4, 40)])
                counters[device] += 1
                batch.append(frame(device, counters[device]))
            total += len(batch)
            await (s.put if rng.random() < 0.5 else s.put_together)(batch, "relay")
            await s.rest(rng.choice([0.01, 0.3, 3]))
        await s.until(lambda: runner.backlog() == 0)
        assert len(far.arrived) == total
        assert len(set(far.seqs)) == total
        last: dict[str, int] = {}
        for m in far.arrived:
            assert m.lora is not None
            assert m.raw is not None
            assert m.lora.dev_addr is not None
            fcnt = int.from_bytes(m.raw[6:8], "little")
            assert fcnt == last.get(m.lora.dev_addr, 0) + 1
            last[m.lora.dev_addr] = fcnt

    on_relay(tmp_path, body)


def stored(pos: int, record: Record) -> Stored:
    return Stored(pos, "3f2a91c0", pos, "boot", FakeClock().stamp(), record)


def test_what_is_one_too_many_takes_those_of_its_sender_along_into_the_backlog() -> None:
    cursor = Cursor(Ranges(), 0, ordered=True)
    it = Overtaking(cursor, is_known=True)
    it.is_open = True
    for pos in range(MAX_AHEAD + 1):
        one = stored(pos, frame(pos % 512))
        cursor.feed(one, wanted=True, ready=True)
        it.feed(one)
    assert len(it.ahead) == MAX_AHEAD - 2
    assert it.behind == {"00000000"}
    assert [pos for pos in range(MAX_AHEAD + 1) if cursor.is_open(pos)] == [0, 512, 1024]
    assert it.low == 0


def test_a_frame_that_was_not_taken_is_not_overtaken_by_the_next_of_its_sender() -> None:
    cursor = Cursor(Ranges(), 0, ordered=True)
    it = Overtaking(cursor, is_known=True)
    it.is_open = True
    for pos, device in enumerate((1, 1, 2)):
        one = stored(pos, frame(device, pos))
        cursor.feed(one, wanted=True, ready=True)
        it.feed(one)
    chosen = it.take(8)
    assert [s.pos for s in chosen] == [0, 2]
    cursor.settle(2)
    cursor.release(0)
    it.sent(chosen)
    assert not it.ahead
    assert it.behind == {"00000001"}
    assert cursor.gap(0) == (0, 2)


def test_an_outage_in_the_middle_of_the_work_is_known_in_full(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        far = Slow()
        runner = await start(s, far)
        await s.until(lambda: runner.cursor.is_live)
        far.hanging = True
        await s.put([frame(n % 3, n) for n in range(6)], "relay")
        await s.until(lambda: bool(far.calls))
        far.refuse_open, far.hanging = True, False
        far.hung_up.set()
        await s.until(lambda: not runner.tally.up)
        await s.put([frame(n % 3, n) for n in range(6, 30)], "relay")
        far.refuse_open, far.script = False, lambda _: Outcome()
        far.calls.clear()
        await s.until(lambda: bool(far.calls))
        await s.put([frame(9), frame(1, 100)], "relay")
        far.script = take_all
        await s.until(lambda: runner.backlog() == 0)
        assert raws(far).index(frame(9).raw) < 12
        assert raws(far)[-1] == frame(1, 100).raw
        assert len(set(far.seqs)) == len(far.seqs) == 32

    on_relay(tmp_path, body)
