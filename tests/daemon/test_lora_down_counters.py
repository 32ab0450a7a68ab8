"""Downlink counters: set aside on disk before they are used, each kind for itself."""

import asyncio

from tests.daemon.lora_device import OtaaDevice
from tests.daemon.standalone_scene import StandaloneScene
from torhaus.daemon.lora.down_counters import RESERVE, DownCounters
from torhaus.daemon.lora.network import Device
from torhaus.daemon.lora.radio_link import RadioLink


def device_of(scene: StandaloneScene) -> Device:
    (found,) = (d for j in scene.joins._joiners.values() for d in j.live.values())
    return found


def test_counters() -> None:
    it = OtaaDevice(is_1_1=True)
    scene = StandaloneScene(it)

    async def body() -> None:
        await scene.join(it)
        device, link = device_of(scene), RadioLink(1)
        counters = DownCounters(scene.joins, scene._save)
        saves = scene.saves
        assert [await counters.next(device, link) for _ in range(RESERVE + 1)] == [*range(RESERVE + 1)]
        assert scene.saves == saves + 2
        assert await counters.next(device, link, is_app=True) == 0
        assert await asyncio.gather(*(counters.next(device, link, is_app=True) for _ in range(3))) == [1, 2, 3]
        (session,) = scene.stored[it.eui].sessions
        assert (session.fcnt_down_to, session.afcnt_down_to) == (2 * RESERVE, RESERVE)
        await scene.killed()
        device, link = device_of(scene), RadioLink(1)
        counters = DownCounters(scene.joins, scene._save)
        assert await counters.next(device, link) == 2 * RESERVE
        scene.disk = False
        assert await counters.next(device, link, is_app=True) is None
        scene.disk = True
        assert await counters.next(device, link, is_app=True) == RESERVE

    scene.run(body)
