"""Downlinks from the queue to devices of class A: windows, counters, ACKs, gateways that cannot, airtime."""

import asyncio

import pytest

from tests.daemon.delivery_scene import Actor, Site
from torhaus.codecs.lorawan.downlink import After, TxStatus
from torhaus.codecs.model import RejectReason
from torhaus.daemon.lora.delivery import NO_AIRTIME, UNSURE
from torhaus.daemon.lora.duty_cycle import DutyCycle
from torhaus.daemon.lora.queue import CUT_OFF
from torhaus.daemon.outbox.queued import Queued

BOTH = pytest.mark.parametrize("is_1_1", [False, True])


def told(site: Site, item: Queued) -> list[tuple[str, int | None, int]]:
    return [(r.state, r.fcnt, r.tries) for r in site.now(item).untold]


@BOTH
def test_in_the_first_window_after_the_next_uplink(is_1_1: bool) -> None:
    it = Actor(is_1_1=is_1_1)
    site = Site(it)

    async def body() -> None:
        await site.join(it)
        items = [await site.queues.put(bytes([n])) for n in range(3)]
        assert len(site.radio.sent) == 1, "a device of class A listens after its uplinks only"
        frame = await site.turn()
        assert frame is not None
        assert (frame.f_pending_or_class_b, frame.ack, frame.confirmed) == (True, False, False)
        assert [i.at for i in site.radio.sent[-1].items] == [After(s * 1_000_000, site.context()) for s in (1, 2)]
        frame = await site.turn(confirmed=True)
        assert frame is not None
        assert (frame.f_pending_or_class_b, frame.ack) == (True, True), "the answer goes along"
        frame = await site.turn()
        assert frame is not None
        assert not frame.f_pending_or_class_b
        assert await site.turn() is None
        assert it.got == [(10, b"\0"), (10, b"\1"), (10, b"\2")]
        assert [told(site, i) for i in items] == [[("queued", None, 0), ("sent", n, 1)] for n in range(3)]
        assert (await site.turn(confirmed=True)) is not None

    site.run(body)


@BOTH
def test_a_confirmed_one_and_its_ack(is_1_1: bool) -> None:
    """In 1.1 the counter of what is acknowledged is in the uplink's MIC."""
    it = Actor(is_1_1=is_1_1)
    site = Site(it)

    async def body() -> None:
        await site.join(it)
        await site.queues.put(b"\0")
        await site.turn()
        item = await site.queues.put(b"\1", confirmed=True)
        await site.turn()
        it.acks = None  # it heard nothing
        await site.turn()
        assert it.got == [(10, b"\0"), (10, b"\1"), (10, b"\1")]
        assert site.now(item).place == "unacknowledged"
        assert await site.turn() is None
        assert told(site, item) == [("queued", None, 0), ("sent", 1, 1), ("sent", 2, 2), ("acknowledged", 2, 2)]

    site.run(body)


@BOTH
def test_killed_before_the_ack_and_after_it(is_1_1: bool) -> None:
    it = Actor(is_1_1=is_1_1)
    site = Site(it)

    async def body() -> None:
        await site.join(it)
        item = await site.queues.put(b"\1", confirmed=True)
        await site.turn()
        await site.save()
        await site.killed()  # it is on disk as being sent
        assert site.now(item).place == "unacknowledged"
        assert await site.turn() is None, "the device has acknowledged it: the counter that its ACK means is known"
        assert site.now(item).outcome == "acknowledged"
        await site.queues.queue.persist()
        second = await site.queues.put(b"\2", confirmed=True)
        await site.save()
        await site.killed()
        assert await site.turn() is not None
        it.acks = None
        await site.save()
        await site.killed()
        assert await site.turn() is not None, "once more"
        assert it.got == [(10, b"\1"), (10, b"\2"), (10, b"\2")]
        assert await site.turn() is None
        assert site.now(second).outcome == "acknowledged"

    site.run(body)


def test_an_ack_that_is_quicker_than_the_gateways_word() -> None:
    it = Actor()
    site = Site(it)

    async def body() -> None:
        await site.join(it)
        item = await site.queues.put(b"\1", confirmed=True)
        assert await site.queues.queue.take(item, 7)
        it.acks = 7
        await site.turn()
        assert told(site, item) == [("queued", None, 0), ("sent", 7, 1), ("acknowledged", 7, 1)]

    site.run(body)


@pytest.mark.parametrize(
    ("statuses", "place", "why"),
    [
        ([TxStatus.TOO_LATE] * 2, "waiting", "too late"),
        ([TxStatus.TX_FREQ] * 2, "waiting", "TX_FREQ"),
        ([TxStatus.DUTY_CYCLE_OVERFLOW] * 2, "waiting", NO_AIRTIME),
        ([TxStatus.TOO_LATE], "done", ""),
    ],
)
def test_what_gateways_say(statuses: list[TxStatus], place: str, why: str) -> None:
    it = Actor()
    site = Site(it)

    async def body() -> None:
        await site.join(it)
        item = await site.queues.put()
        site.radio.refuses = [*statuses]
        await site.ask(it.say())
        assert site.now(item).place == place
        assert why in site.now(item).why
        await site.ask(it.say())
        assert site.now(item).outcome == "sent"

    site.run(body)


def test_a_gateway_that_says_nothing() -> None:
    it = Actor()
    site = Site(it)

    async def body() -> None:
        await site.join(it)
        item = await site.queues.put()
        site.radio.refuses = [TxStatus.NO_ANSWER, TxStatus.IGNORED]
        await site.ask(it.say())
        assert (site.now(item).outcome, site.now(item).why) == ("sent", UNSURE)

    site.run(body)


def test_no_airtime_in_the_first_windows_sub_band_then_in_none() -> None:
    """EU868: 868.1 MHz has 1 % of the hour, 869.525 MHz 10 %."""
    it = Actor()
    site = Site(it)

    async def body() -> None:
        await site.join(it)
        site.duty = site.standalone._transmit._downlinks._duty = DutyCycle("EU868", site.clock.boot_ns)
        first, second = await site.queues.put(b"\1"), await site.queues.put(b"\2")
        site.fill(1)
        frame = await site.turn(confirmed=True)
        assert frame is not None
        assert [i.freq_hz for i in site.radio.sent[-1].items] == [869_525_000], "the second window alone"
        assert site.now(first).outcome == "sent"
        site.fill(10)
        assert await site.turn() is None
        assert (site.now(second).place, site.now(second).why) == ("waiting", NO_AIRTIME)
        frame = await site.turn(confirmed=True)
        assert frame is not None
        assert frame.fport is None, "the answer alone"
        await site.clock.pass_s(3700, step_s=100)
        await site.turn()
        assert site.now(second).outcome == "sent"

    site.run(body)


def test_what_is_too_long_for_the_second_window_goes_in_the_first_only() -> None:
    it = Actor()
    site = Site(it)

    async def body() -> None:
        await site.join(it)
        item = await site.queues.put(bytes(200))
        await site.turn()
        assert site.now(item).outcome == "sent"
        assert [i.datarate for i in site.radio.sent[-1].items] == ["SF7BW125"]

    site.run(body)


def test_a_mark_that_cannot_be_written() -> None:
    it = Actor()
    site = Site(it)

    async def body() -> None:
        await site.join(it)
        item = await site.queues.put()
        site.queues.works = False
        frame = await site.turn(confirmed=True)
        assert frame is not None
        assert (frame.fport, frame.ack) == (None, True)
        assert site.now(item).place == "waiting"
        site.queues.works = True
        await site.turn()
        assert site.now(item).outcome == "sent"

    site.run(body)


@pytest.mark.parametrize(("confirmed", "place"), [(False, "done"), (True, "unacknowledged")])
def test_a_defect_on_the_way(confirmed: bool, place: str) -> None:
    it = Actor()
    site = Site(it)

    async def body() -> None:
        await site.join(it)
        item = await site.queues.put(confirmed=confirmed)

        async def broken(_: object) -> None:
            raise RuntimeError

        site.standalone._transmit._downlinks.passing = broken
        site.heard(it.say())
        await site.settle()
        with pytest.raises(ExceptionGroup):
            await site._task
        assert (site.now(item).place, site.now(item).why) == (place, CUT_OFF)
        site._task = asyncio.create_task(site.clock.sleep(1))

    site.run(body)


def test_a_recording_of_an_ack_acknowledges_nothing() -> None:
    it = Actor()
    site = Site(it)

    async def body() -> None:
        await site.join(it)
        first = await site.queues.put(confirmed=True)
        await site.turn()
        ack = it.say()
        await site.ask(ack)
        assert site.now(first).outcome == "acknowledged"
        second = await site.queues.put(confirmed=True)
        await site.turn()
        assert site.heard(ack).reason in {RejectReason.REPLAY, RejectReason.DUPLICATE}
        assert site.now(second).place == "unacknowledged"

    site.run(body)
