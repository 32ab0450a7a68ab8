"""Downlink counters: set aside on disk before they are used, each kind for itself."""

import asyncio

from tests.daemon.lora_device import OtaaDevice
from tests.daemon.standalone_scene import StandaloneScene
from torhaus.daemon.lora.down_counters import RESERVE, DownCounters
from torhaus.daemon.lora.network import Device


def device_of(scene: StandaloneScene) -> Device:
    (found,) = (d for j in scene.joins._joiners.values() for d in j.live.values())
    return found


def test_counters() -> None:
    it = OtaaDevice(is_1_1=True)
    scene = StandaloneScene(it)

    async def body() -> None:
        await scene.join(it)
        device, counters = device_of(scene), DownCounters(scene.joins, scene._save)
        saves = scene.saves
        assert [await counters.next(device, "fcnt_down_to") for _ in range(RESERVE + 1)] == [*range(RESERVE + 1)]
        assert scene.saves == saves + 2
        assert await counters.next(device, "afcnt_down_to") == 0
        assert await asyncio.gather(*(counters.next(device, "afcnt_down_to") for _ in range(3))) == [1, 2, 3]
        (session,) = scene.stored[it.eui].sessions
        assert (session.fcnt_down_to, session.afcnt_down_to) == (2 * RESERVE, RESERVE)
        await scene.killed()
        device, counters = device_of(scene), DownCounters(scene.joins, scene._save)
        assert await counters.next(device, "fcnt_down_to") == 2 * RESERVE
        scene.disk = False
        assert await counters.next(device, "afcnt_down_to") is None
        scene.disk = True
        assert await counters.next(device, "afcnt_down_to") == RESERVE

    scene.run(body)
