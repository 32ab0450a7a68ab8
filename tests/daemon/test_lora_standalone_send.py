"""What goes down after an uplink: payloads, answers and requests together; downlink counters."""

import pytest

from tests.daemon.lora_device import OtaaDevice
from tests.daemon.mac_scene import Item, MacScene, Queue
from torhaus.codecs.lorawan.downlink import TxStatus
from torhaus.codecs.lorawan.phy import DataFrame, parse
from torhaus.codecs.model import RejectReason
from torhaus.daemon.lora.down_counters import RESERVE

BOTH = pytest.mark.parametrize("is_1_1", [False, True])


@BOTH
def test_a_payload_with_the_next_uplink(is_1_1: bool) -> None:
    it = OtaaDevice(is_1_1=is_1_1)
    scene = MacScene(it)
    item, second = Item(b"on"), Item(b"off")

    async def body() -> None:
        scene.give(Queue(item, second))
        await scene.join(it)
        await scene.said(confirmed=True)
        frame = scene.frame()
        assert it.keys is not None
        assert (frame.fport, it.keys.decrypt(frame, frame.fcnt16)) == (7, b"on")
        assert (frame.ack, frame.confirmed, frame.f_pending_or_class_b) == (True, False, True)
        assert item.history == ["sent 0"]
        await scene.said()
        assert scene.frame().fcnt16 == 1
        assert second.history == ["sent 1"]
        await scene.said(confirmed=True)
        last = parse(scene.last().data)
        assert isinstance(last, DataFrame)
        assert last.fcnt16 == (0 if is_1_1 else 2), "1.1 counts downlinks with and without a payload apart"
        assert not last.f_pending_or_class_b

    scene.run(body)


@BOTH
def test_confirmed_ones(is_1_1: bool) -> None:
    it = OtaaDevice(is_1_1=is_1_1)
    scene = MacScene(it)
    item, queue = Item(b"on", confirmed=True), Queue()

    async def body() -> None:
        queue.items.append(item)
        scene.give(queue)
        await scene.join(it)
        await scene.said()
        assert scene.frame().confirmed
        await scene.said()
        assert item.history == ["sent 0", "the device did not acknowledge it", "sent 1"]
        assert scene.frame().fcnt16 == 1
        await scene.killed()
        scene.give(queue)
        if is_1_1:
            assert scene.up(ack=True, conf_fcnt=0).reason is RejectReason.MIC, "of another downlink"
            it.fcnt_up -= 1
        assert scene.up(ack=True, conf_fcnt=1).reason is None
        assert item.history[-1] == "acknowledged"

    scene.run(body)


def test_what_does_not_fit_into_a_window() -> None:
    """RX1 at DR5 takes 242 bytes, RX2 at DR0 51: a long one goes in RX1 alone; at DR0 it waits."""
    it = OtaaDevice()
    scene = MacScene(it)
    item = Item(bytes(100))

    async def body() -> None:
        await scene.join(it)
        scene.give(Queue(item))
        await scene.said(dr=0)
        assert item.history == []
        assert scene.standalone.results == {"no_room": 1}
        await scene.said(dr=0, confirmed=True)
        assert not scene.frame().f_pending_or_class_b, "the device would ask in vain"
        await scene.said(dr=5)
        assert item.history == ["sent 1"]
        assert [i.datarate for i in scene.radio.sent[-1].items] == ["SF7BW125"]

    scene.run(body)


@pytest.mark.parametrize(
    ("status", "word"), [(TxStatus.DUTY_CYCLE_OVERFLOW, "delayed"), (TxStatus.TX_FREQ, "the gateway says TX_FREQ")]
)
def test_what_a_gateway_cannot_send(status: TxStatus, word: str) -> None:
    it = OtaaDevice()
    scene = MacScene(it)
    item = Item(b"on")

    async def body() -> None:
        await scene.join(it)
        scene.give(Queue(item))
        scene.radio.refuses = [status] * 2
        await scene.said()
        assert item.history[0].startswith(word)
        await scene.said()
        assert item.history[1] == "sent 1"

    scene.run(body)


def test_what_cannot_be_marked_on_disk_is_not_sent() -> None:
    it = OtaaDevice()
    scene = MacScene(it)
    queue = Queue(Item(b"on"))

    async def body() -> None:
        await scene.join(it)
        scene.give(queue)
        queue.takes = False
        await scene.said()
        assert scene.standalone.results == {"no_room": 1}
        assert len(scene.radio.sent) == 1

    scene.run(body)


def test_counters_end() -> None:
    it = OtaaDevice()
    scene = MacScene(it)

    async def body() -> None:
        await scene.join(it)
        device = scene.network._by_id[f"{it.eui}/1"]
        scene.joins.change(device, fcnt_down_to=(1 << 32) - 1)
        for _ in range(2):
            scene.up(confirmed=True)
            await scene.settle()
        assert len(scene.radio.sent) == 2
        assert scene.standalone.results == {"OK": 1, "not_stored": 1}

    scene.run(body)


@BOTH
def test_no_counter_twice_over_kills(is_1_1: bool) -> None:
    it = OtaaDevice(is_1_1=is_1_1)
    scene = MacScene(it, max_duty_cycle=1)
    used: set[tuple[bool, int]] = set()

    async def body() -> None:
        await scene.join(it)
        for n in range(12):
            scene.give(Queue(Item(b"x")) if n % 2 else Queue())
            await scene.said(confirmed=True)
            frame = parse(scene.last().data)
            assert isinstance(frame, DataFrame)
            key = (bool(frame.fport) and is_1_1, frame.fcnt16)
            assert key not in used
            used.add(key)
            if n % 3 == 2:
                await scene.killed()
        assert max(n for _, n in used) < 5 * RESERVE

    scene.run(body)
