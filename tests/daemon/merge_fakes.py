"""A pipeline on a real outbox, with several gateways before it and forwarders behind it; time stands still."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from tests.daemon.forward_fakes import Site
from tests.daemon.pipeline_fakes import ELSYS, LPP, device_of
from torhaus.codecs.model import Frame, Radio, Reception
from torhaus.codecs.registry import load
from torhaus.daemon.alarms import Alarms
from torhaus.daemon.forward.hold import Hold
from torhaus.daemon.lora.network import Device, Network
from torhaus.daemon.outbox.record import Stored
from torhaus.daemon.outbox.store import MAIN
from torhaus.daemon.pipeline import Pipeline
from torhaus.daemon.watch import DriverState, Watch
from torhaus.drivers.base import GatewaySeen

GATEWAYS = tuple(f"aa555a00000001{n:02x}" for n in range(20))


class Air(Site):
    """A site that hears the air."""

    def __init__(
        self,
        path: Path,
        devices: list[Device] | None = None,
        alarms: Alarms | None = None,
        window_s: float = 0.2,
    ) -> None:
        super().__init__(path)
        self.devices = [device_of(ELSYS), device_of(LPP)] if devices is None else devices
        self.alarms = alarms
        self.window_s = window_s
        self.acked: list[int] = []
        self.watch = Watch(self.clock.wall_ns(), self.clock)
        self.watch.drivers["roof"] = DriverState()

    def wire(self) -> None:
        self.hold: Hold = Hold.build(self.outbox, self.clock, self.window_s, self.devices, self.watch)
        self.pipeline = Pipeline(
            self.outbox,
            Network(self.devices, "EU868"),
            self.devices,
            load,
            self.watch,
            self.clock,
            self.alarms,
        )
        self.host = self.pipeline.host("roof")
        self.pipeline.merging = self.hold.merging
        for run in self.hold.parts().values():
            self.tasks.append(asyncio.ensure_future(run()))

    def hear(self, phy: bytes, *gateways: int) -> None:
        """Gateways deliver a frame, each in a datagram of its own."""
        for n in gateways:
            radio = Radio(868_100_000, "LORA", "SF7BW125", "4/5", [Reception(GATEWAYS[n], -60.0 - n, 7.5)])
            frame = Frame("roof", phy, self.clock.stamp(), radio)
            self.host.deliver([frame], [], partial(self._told, n))

    def _told(self, gateway: int, stored: bool) -> None:
        if stored:
            self.acked.append(gateway)

    async def committed(self) -> None:
        """Let everything be written, and time stand still."""
        await asyncio.sleep(0.001)
        for _ in range(20):
            await asyncio.sleep(0)
            await self.outbox.on_state(lambda _: None)
            if not self.outbox.has_waiting():
                break
            await asyncio.sleep(0.001)
        assert not self.outbox.has_waiting()

    async def heard(self, phy: bytes, *gateways: int) -> None:
        self.hear(phy, *gateways)
        await self.committed()

    async def both_known(self) -> None:
        """Gateways 0 and 1 have been heard lately."""
        for n in (0, 1):
            self.host.event(GatewaySeen(GATEWAYS[n], "10.0.0.1", "gwmp2", known=True))

    async def on_disk(self) -> list[Stored]:
        log = self.outbox.logs[MAIN]
        return [r for r in await self.outbox.read(MAIN, log.head, 1000) if isinstance(r, Stored)]


def receptions(stored: Stored) -> list[int]:
    assert stored.record.lora is not None
    return [GATEWAYS.index(r.gateway) for r in stored.record.lora.rx]


@asynccontextmanager
async def opened(air: Air) -> AsyncIterator[Air]:
    await air.outbox.open()
    air.outbox.subscribe(MAIN, air.fed.extend)
    air.wire()
    try:
        yield air
    finally:
        await air.stop_runners()
        await air.outbox.close()


def in_the_air(make: Callable[[], Air], body: Callable[[Air], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(60), opened(make()) as air:
            await body(air)

    asyncio.run(main())
