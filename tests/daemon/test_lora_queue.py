"""The queue of downlinks: order, windows, tries, kills, ends."""

import asyncio

import pytest

from tests.daemon.queue_scene import EUI, OTHER, QueueScene, play
from torhaus.daemon.lora.queue import CUT_OFF, GONE, MAX_REFUSED, MAX_TRIES, MAX_WORDS, NOT_STORED, PATIENCE
from torhaus.daemon.lora.queued_items import NO_UPLINK
from torhaus.daemon.outbox.queued import Queued

BIG = 242


async def sent(scene: QueueScene, item: Queued, fcnt: int = 1) -> None:
    assert await scene.queue.take(item, fcnt)
    scene.queue.sent(item, fcnt)


def test_priority_first_then_the_order_of_coming() -> None:
    async def body(scene: QueueScene) -> None:
        for name, priority in (("a", 0), ("b", 0), ("c", 5), ("d", 5)):
            await scene.put(ref=name, priority=priority)
        await scene.put(ref="x", dev_eui=OTHER)
        order = ""
        while (item := scene.queue.head(EUI, BIG)) is not None:
            order += item.ref
            await sent(scene, item)
        assert order == "cdab"
        assert (scene.queue.waiting(EUI), scene.queue.waiting(OTHER), scene.queue.waiting("unknown")) == (0, 1, 0)
        assert scene.queue.results == {"queued": 5, "sent": 4}

    play(body)


def test_what_does_not_fit_is_waited_for_but_not_for_ever() -> None:
    async def body(scene: QueueScene) -> None:
        large, small = await scene.put(bytes(60), priority=1), await scene.put(bytes(10))
        assert scene.queue.waiting(EUI, 51) == 1
        for _ in range(PATIENCE):
            assert scene.queue.head(EUI, 51) is None, "it is not overtaken"
        assert "60 bytes do not fit" in scene.now(large).why
        assert scene.queue.head(EUI, 51) == small
        assert scene.queue.head(EUI, 115) == scene.now(large), "as soon as it fits it is the first again"
        assert scene.queue.head(EUI, 5) is None

    play(body)


def test_an_unconfirmed_one_is_done_when_it_was_sent() -> None:
    async def body(scene: QueueScene) -> None:
        item = await scene.put()
        assert await scene.queue.take(item, 7)
        assert scene.queue.head(EUI, BIG) is None, "one at a time"
        assert not await scene.queue.take(item, 8)
        scene.queue.sent(item, 7, "x" * 999)
        now = scene.now(item)
        assert (now.place, now.outcome, now.fcnt, now.tries) == ("done", "sent", 7, 1)
        assert len(now.why) == MAX_WORDS
        assert scene.states(item) == ["queued", "sent"]
        assert not scene.queue.acknowledged(item)
        scene.queue.failed(item)
        scene.queue.delayed(item, "")
        scene.queue.sent(item, 8)
        assert scene.now(item) == now

    play(body)


def test_a_confirmed_one_is_repeated_until_it_is_acknowledged() -> None:
    async def body(scene: QueueScene) -> None:
        item = await scene.put(confirmed=True)
        behind = await scene.put()
        for fcnt in (3, 4):
            assert scene.queue.head(EUI, BIG) == scene.now(item)
            await sent(scene, item, fcnt)
            assert scene.queue.unanswered(EUI) == scene.now(item)
            assert scene.queue.head(EUI, BIG) is None, "until it is known whether the device has it"
            if fcnt == 3:
                scene.queue.failed(item)
        assert scene.queue.acknowledged(item)
        assert not scene.queue.acknowledged(item), "nobody is told twice"
        assert [(r.state, r.fcnt, r.tries) for r in scene.now(item).untold] == [
            ("queued", None, 0),
            ("sent", 3, 1),
            ("sent", 4, 2),
            ("acknowledged", 4, 2),
        ]
        assert scene.queue.head(EUI, BIG) == behind
        assert scene.queue.unanswered(EUI) is None

    play(body)


def test_one_that_is_never_acknowledged_fails() -> None:
    async def body(scene: QueueScene) -> None:
        item = await scene.put(confirmed=True)
        for fcnt in range(MAX_TRIES):
            assert scene.queue.head(EUI, BIG) is not None
            await sent(scene, item, fcnt)
            scene.queue.failed(item)
        assert (scene.now(item).outcome, scene.now(item).tries) == ("failed", MAX_TRIES)
        assert scene.queue.results["failed"] == 1

    play(body)


def test_gateways_that_cannot_send_it() -> None:
    async def body(scene: QueueScene) -> None:
        item = await scene.put()
        for n in range(3 * MAX_REFUSED):
            assert await scene.queue.take(item, n)
            scene.queue.delayed(item, "the duty cycle is used up")
        assert (scene.now(item).place, scene.now(item).why) == ("waiting", "the duty cycle is used up")
        for n in range(MAX_REFUSED):
            assert scene.now(item).place == "waiting"
            assert await scene.queue.take(item, n)
            scene.queue.failed(item, "TX_FREQ")
        assert scene.now(item).outcome == "failed"
        assert "TX_FREQ" in scene.now(item).why

    play(body)


def test_killed_while_it_was_being_sent() -> None:
    """An unconfirmed one goes out once at most, and says so; a confirmed one again, unless its ACK comes."""

    async def body(scene: QueueScene) -> None:
        once, twice = await scene.put(), await scene.put(dev_eui=OTHER, confirmed=True)
        assert await scene.queue.take(once, 1)
        assert await scene.queue.take(twice, 9)
        scene.queue.sent(once, 1)  # not written any more
        scene.again()
        assert (scene.now(once).outcome, scene.now(once).why) == ("failed", CUT_OFF)
        assert scene.queue.unanswered(OTHER) == scene.now(twice)
        assert (scene.now(twice).tries, scene.now(twice).fcnt) == (1, 9)
        scene.queue.failed(twice)
        assert scene.queue.head(OTHER, BIG) == scene.now(twice)
        await scene.put(ref="later")
        assert scene.queue.find(once.id) is not None
        assert [q.number for q in scene.queue.open(EUI)] == [3], "numbers go on"

    play(body)


def test_what_is_waiting_survives_and_what_was_acknowledged_is_not_again() -> None:
    async def body(scene: QueueScene) -> None:
        first, second = await scene.put(confirmed=True), await scene.put()
        await sent(scene, first)
        assert scene.queue.acknowledged(first)
        await scene.queue.persist()
        scene.again()
        assert not scene.queue.acknowledged(first)
        assert scene.states(first) == ["queued", "sent", "acknowledged"]
        assert scene.queue.head(EUI, BIG) == second

    play(body)


def test_nothing_is_sent_that_could_not_be_marked() -> None:
    async def body(scene: QueueScene) -> None:
        item = await scene.put()
        scene.works = False
        assert not await scene.queue.take(item, 1)
        assert scene.now(item).why == NOT_STORED
        scene.works = True
        assert await scene.queue.take(item, 2)

    play(body)


def test_whoever_sends_is_ended_while_it_is_marked() -> None:
    async def body(scene: QueueScene) -> None:
        item = await scene.put()
        task = asyncio.create_task(scene.queue.take(item, 1))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert scene.now(item).place == "waiting", "it was not sent"
        assert await scene.queue.take(item, 2)

    play(body)


def test_expiry_by_the_time_since_boot_whatever_the_clock_does() -> None:
    async def body(scene: QueueScene) -> None:
        scene.clock.is_synced = False
        item, other = await scene.put(expires_s=600), await scene.put(dev_eui=OTHER, expires_s=9000, confirmed=True)
        await sent(scene, other)
        scene.clock._wall_ns += 10**18  # the network's time came
        scene.clock.is_synced = True
        assert scene.queue.head(EUI, BIG) == item
        scene.clock.advance(601)
        assert scene.queue.head(EUI, BIG) is None
        assert (scene.now(item).outcome, scene.now(item).why) == ("expired", NO_UPLINK)
        scene.clock.advance(9000)
        assert await scene.queue.take(item, 1) is False
        scene.queue.expire()
        assert scene.now(other).why == "sent 1 times, and not acknowledged"

    play(body)


def test_expiry_after_a_restart_of_the_machine() -> None:
    async def body(scene: QueueScene) -> None:
        item = await scene.put(expires_s=600)
        scene.clock.boot_id, scene.clock.is_synced = "c" * 32, False
        scene.clock.advance(601)
        scene.again()
        assert scene.queue.head(EUI, BIG) == item, "nobody knows how long the machine was off"
        scene.clock.is_synced = True
        assert scene.queue.head(EUI, BIG) is None
        scene.clock.is_synced = False
        second = await scene.put(expires_s=600)
        scene.clock.boot_id, scene.clock.is_synced = "d" * 32, True
        scene.again()
        scene.clock.advance(10_000)
        assert scene.queue.left_s(second) == 600, "nor when it came"
        scene.boots["c" * 32] = scene.clock.wall_ns() - scene.clock.boot_ns()
        assert scene.queue.left_s(second) < 0

    play(body)


def test_one_being_sent_does_not_expire() -> None:
    async def body(scene: QueueScene) -> None:
        item = await scene.put(expires_s=60)
        assert await scene.queue.take(item, 1)
        scene.clock.advance(61)
        scene.queue.expire()
        scene.queue.sent(item, 1)
        assert scene.now(item).outcome == "sent"

    play(body)


def test_cancelling() -> None:
    async def body(scene: QueueScene) -> None:
        item, under_way = await scene.put(), await scene.put(dev_eui=OTHER)
        assert await scene.queue.take(under_way, 1)
        assert await scene.queue.cancel(under_way.id) == "it is being sent just now"
        assert await scene.queue.cancel(item.id) is None
        assert await scene.queue.cancel(item.id) == "it is done with: cancelled"
        with pytest.raises(KeyError):
            await scene.queue.cancel("0")
        scene.works = False
        last = await scene.queue.put(EUI, 1, b"", expires_s=1)
        assert last is None
        scene.works = True
        last = await scene.put()
        scene.works = False
        assert await scene.queue.cancel(last.id) == NOT_STORED

    play(body)


def test_a_device_that_is_not_in_the_list_any_more() -> None:
    async def body(scene: QueueScene) -> None:
        item = await scene.put()
        scene.again(known=(OTHER,))
        assert (scene.now(item).outcome, scene.now(item).why) == ("failed", GONE)

    play(body)
