"""The relays' log: there when it is needed, within its own limit, in nobody's way."""

import asyncio
from pathlib import Path

from tests.daemon.clocks import FakeClock
from tests.daemon.outbox_fakes import Listener, reading
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.store import MAIN, RELAY, STRANGERS, Limits, Outbox


def box_on(path: Path, report: Listener | None = None, *, relay: bool = True, max_bytes: int = 256 << 20) -> Outbox:
    limits = Limits(relay=relay, relay_max_bytes=max_bytes, commit_window_s=0)
    return Outbox(path, "rathaus", FakeClock(), limits, report or Listener())


async def put(box: Outbox, log: str, *n: int, weight: int = 0) -> bool:
    done = asyncio.get_running_loop().create_future()
    box.put(log, [(box.clock.stamp(), reading(i, weight=weight)) for i in n], weight * len(n))
    box.commit(done.set_result)
    return bool(await done)


def test_only_where_it_is_wanted_or_there(tmp_path: Path) -> None:
    async def logs(*, relay: bool) -> list[str]:
        box = box_on(tmp_path, relay=relay)
        await box.open()
        assert set(box.parts()) >= set(box.logs)
        try:
            return list(box.logs)
        finally:
            await box.close()

    assert asyncio.run(logs(relay=False)) == [MAIN, STRANGERS]
    assert not (tmp_path / "relay").exists()
    for relay in (True, False):
        assert asyncio.run(logs(relay=relay)) == [MAIN, STRANGERS, RELAY]


def test_what_it_drops_is_the_relays_loss_and_nobody_elses(tmp_path: Path) -> None:
    report = Listener()

    async def go() -> None:
        box = box_on(tmp_path, report, max_bytes=4 << 20)
        await box.open()
        city = Ranges()
        box.adopt(MAIN, "readings", Ranges(), is_new=True)
        box.adopt(RELAY, "city", city, is_new=True)
        assert await put(box, MAIN, *range(10))
        for n in range(40):
            assert await put(box, RELAY, n, weight=200_000)
            await box.save()
        assert box.logs[RELAY].head > 0
        assert box.logs[RELAY].bytes_on_disk < 6 << 20
        assert box.logs[MAIN].head == 0
        assert {(log, name, why) for log, name, _, why in report.drops} == {(RELAY, "city", "size")}
        assert sum(n for *_, n, _ in report.drops) == box.logs[RELAY].head
        assert not box.logs[MAIN].is_over, "what relays wait for does not count towards its limit"
        await box.close()

    asyncio.run(go())


def test_a_far_side_of_readings_that_is_away_does_not_hold_up_the_relays_log(tmp_path: Path) -> None:
    async def go() -> None:
        box = box_on(tmp_path)
        await box.open()
        city = Ranges()
        box.adopt(MAIN, "readings", Ranges(), is_new=True)
        box.adopt(RELAY, "city", city, is_new=True)
        box.logs[RELAY].segment_bytes = 100_000
        for n in range(8):
            assert await put(box, MAIN, n)
            assert await put(box, RELAY, n, weight=60_000)
            await box.save()
        assert len(box.logs[RELAY].segments) > 2
        city.add(0, box.logs[RELAY].tail)
        await box.save()
        assert len(box.logs[RELAY].segments) == 1
        assert box.logs[MAIN].records == 8
        await box.close()

    asyncio.run(go())


def test_the_backlog_and_numbers_survive(tmp_path: Path) -> None:
    async def go(expected: int) -> str:
        box = box_on(tmp_path)
        await box.open()
        assert await put(box, RELAY, 1, 2)
        assert box.logs[RELAY].tail == expected
        await box.close()
        return box.logs[RELAY].store

    assert asyncio.run(go(2)) == asyncio.run(go(4))
