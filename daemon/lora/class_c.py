"""Devices of class C: what applications have for them goes at once, one at a time for each (LoRaWAN 1.0.4 section 15).

They listen to RX2's frequency and data rate whenever they do nothing else. The gateways that heard a device last are
those that reach it: until its first uplink nothing can be sent.
"""

import asyncio
from typing import Final, Protocol

from torhaus.daemon.clock import Clock
from torhaus.daemon.lora.delivery import Delivery
from torhaus.daemon.lora.mac import MacLayer
from torhaus.daemon.lora.network import Device
from torhaus.daemon.lora.plan import Plan
from torhaus.daemon.lora.radio_link import RadioLink
from torhaus.daemon.lora.rounds import Defect
from torhaus.daemon.lora.transmit import Sent, Transmit, Way

ANSWER_S: Final = 8.0
"""CLASS_C_RESP_TIMEOUT (LoRaWAN 1.0.4 section 15; RP002-1.0.4, default settings): a confirmed downlink without an ACK
is over then."""
TICK_S: Final = 0.5
"""How often it is looked whether there is something that could not be sent before."""


class Server(Protocol):
    """Whoever puts downlinks together."""

    mac: MacLayer
    delivery: Delivery | None

    def waits(self, device: Device) -> bool:
        """Whether an application has something for this device."""
        ...

    async def send(self, device: Device, link: RadioLink, way: Way) -> Sent | None:
        """One downlink; None when its counter cannot be had."""
        ...

    def count(self, sent: Sent | None) -> None:
        """What became of it."""
        ...


class ClassC:
    """Of one site."""

    def __init__(self, server: Server, plan: Plan, transmit: Transmit, clock: Clock, defect: Defect) -> None:
        self._server = server
        self._plan = plan
        self._transmit = transmit
        self._clock = clock
        self._defect = defect
        self._news = asyncio.Event()

    def wake(self, _: str = "") -> None:
        """Something was queued."""
        self._news.set()

    async def run(self) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tick())
            while True:
                await self._news.wait()
                self._news.clear()
                for device, link in self._ready():
                    link.is_busy = True
                    group.create_task(self._one(device, link))

    async def _tick(self) -> None:
        while True:
            await self._clock.sleep(TICK_S)
            self._news.set()

    def _ready(self) -> list[tuple[Device, RadioLink]]:
        """Those for which there is something, and that are not being sent to already."""
        server = self._server
        if server.delivery is None:
            return []
        return [
            (device, link)
            for device, link in server.mac.known()
            if link.gateways and not (link.is_busy or link.answers) and server.mac.listens_always(device)
            if server.waits(device)
        ]

    async def _one(self, device: Device, link: RadioLink) -> None:
        """A defect costs this one."""
        try:
            await self._send(device, link)
        except Exception as e:  # noqa: BLE001 - whatever it is, the others go on
            self._defect("downlinks of class C", e)
        finally:
            link.is_busy = False

    async def _send(self, device: Device, link: RadioLink) -> None:
        delivery, dev_eui = self._server.delivery, device.dev_eui or ""
        assert device.join is not None
        assert delivery is not None
        way = self._transmit.at_once(link.gateways, self._plan.receive(device.join.mac), device.dev_eui)
        sent = await self._server.send(device, link, way)
        self._server.count(sent)
        item = delivery.awaited(dev_eui)
        if item is None or sent is None or not sent.is_taken:
            return
        await self._clock.sleep(ANSWER_S)
        if delivery.awaited(dev_eui) == item:
            delivery.given_up(item)
