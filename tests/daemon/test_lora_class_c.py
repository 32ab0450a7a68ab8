"""Devices of class C: at once, through the gateway that heard them last."""

import asyncio

from tests.daemon.lora_device import OtaaDevice
from tests.daemon.mac_scene import Item, MacScene, Queue
from torhaus.codecs.lorawan.downlink import Immediately, TxStatus
from torhaus.daemon.lora.class_c import ANSWER_S, TICK_S


def class_c(scene: MacScene, *items: Item) -> Queue:
    queue = Queue(*items)
    scene.give(queue)
    return queue


def test_class_c_at_once() -> None:
    it = OtaaDevice()
    scene = MacScene(it, {"device_class": "C"}, rx2_dr=3)
    first, second = Item(b"on"), Item(b"off")

    async def body() -> None:
        await scene.join(it)
        queue = class_c(scene, first)
        await scene.clock.pass_s(TICK_S * 2)
        assert first.history == [], "nobody knows yet which gateway hears it"
        await scene.said()
        assert first.history == ["sent 0"], "with the answer"
        queue.items.append(second)
        await scene.clock.pass_s(TICK_S * 2)
        assert second.history == ["sent 1"]
        item = scene.last()
        assert (item.at, item.freq_hz, item.datarate) == (Immediately(), 869_525_000, "SF9BW125")
        assert scene.taken().fcnt16 == 1
        await scene.save()
        await scene.killed()
        third = Item(b"again")
        class_c(scene, third)
        await scene.said()
        assert third.history

    scene.run(body)


def test_confirmed_class_c_and_no_answer() -> None:
    it = OtaaDevice()
    scene = MacScene(it, {"device_class": "C"})
    item = Item(b"on", confirmed=True)

    async def body() -> None:
        await scene.join(it)
        await scene.said()
        queue = class_c(scene, item)
        await scene.clock.pass_s(TICK_S * 2)
        assert item.history == ["sent 0"]
        await scene.clock.pass_s(ANSWER_S + 2 * TICK_S, step_s=TICK_S)
        assert item.history == ["sent 0", "the device did not acknowledge it", "sent 1"]
        assert scene.up(ack=True).reason is None
        assert item.history[-1] == "acknowledged"
        await scene.clock.pass_s(ANSWER_S * 2, step_s=TICK_S)
        assert not queue.items

    scene.run(body)


def test_class_c_of_1_1_has_to_say_so() -> None:
    it = OtaaDevice(is_1_1=True)
    scene = MacScene(it, {"device_class": "C"})
    item = Item(b"on")

    async def body() -> None:
        await scene.join(it)
        await scene.said()
        queue = class_c(scene, item)
        await scene.clock.pass_s(TICK_S * 2)
        assert item.history == []
        queue.items.clear()
        (answer,) = await scene.said(fopts=b"\x20\x02")
        assert (answer.name, answer.values) == ("DeviceModeConf", {"device_class": 2})
        queue.items.append(item)
        await scene.clock.pass_s(TICK_S * 2)
        assert item.history == ["sent 0"]

    scene.run(body)


def test_a_gateway_that_is_gone() -> None:
    it = OtaaDevice()
    scene = MacScene(it, {"device_class": "C"})
    item = Item(b"on")

    async def body() -> None:
        await scene.join(it)
        await scene.said()
        scene.radio.refuses = [TxStatus.NO_GATEWAY]
        class_c(scene, item)
        await scene.clock.pass_s(TICK_S * 1.2)
        assert item.history[0] == "no gateway that heard the device can send"

    scene.run(body)


def test_it_goes_on_when_it_was_broken_off_while_something_was_answered() -> None:
    it = OtaaDevice()
    scene = MacScene(it, {"device_class": "C"})
    item = Item(b"on")

    async def body() -> None:
        await scene.join(it)
        await scene.said()
        assert scene.up(confirmed=True).reason is None
        await scene.clock.pass_s(0.1)
        await scene._kill()
        scene._task = asyncio.create_task(scene.standalone.run())
        class_c(scene, item)
        await scene.clock.pass_s(TICK_S * 2)
        assert item.history == ["sent 0"]

    scene.run(body)
