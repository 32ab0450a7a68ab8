"""A Concentratord for tests: ChirpStack's own messages over real ZeroMQ sockets, well- or ill-mannered on command."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import zmq
import zmq.asyncio
from chirpstack_api.gw import gw_pb2

from tests.drivers.fakes import FakeHost, StillLoop, advance
from torhaus.codecs.lorawan.downlink import After, Downlink, TxItem
from torhaus.codecs.model import Frame, Reject
from torhaus.drivers.base import Done, GatewayStats, LinkChanged
from torhaus.drivers.concentratord import Concentratord, Config

GATEWAY: Final = "0016c001f11a2b3c"
OTHER: Final = "0016c001f11a2b3d"
PHY: Final = bytes.fromhex("40f17dbe4900020001954378762b11ff0d")


class Host(FakeHost):
    """Keeps reports and counts what was not acknowledged."""

    def __init__(self, *, holding: bool = False) -> None:
        super().__init__(holding=holding)
        self.reports: list[GatewayStats] = []
        self.withheld = 0

    def deliver(
        self, frames: list[Frame], rejects: list[Reject], done: Done | None = None, stats: GatewayStats | None = None
    ) -> None:
        if stats is not None:
            self.reports.append(stats)
        super().deliver(frames, rejects, done, stats)

    def ack_withheld(self) -> None:
        self.withheld += 1


class FakeConcentratord:
    """PUB (as XPUB, to see who subscribes) and REP. Strict: a command that it cannot read fails the test.

    `answer` may be replaced: it gets the command and returns the bytes of the answer, or None to hold it back.
    """

    def __init__(self, folder: Path, gateway: str = GATEWAY) -> None:
        self.event_url = f"ipc://{folder}/event"
        self.command_url = f"ipc://{folder}/command"
        self.gateway = gateway
        self.located = True
        self.answer: Callable[[Any], bytes | None] = self.well
        self.asked: list[str] = []
        self.downlinks: list[Any] = []
        self.configurations: list[Any] = []
        self.subscribed = 0
        self.news = asyncio.Event()

    def well(self, command: Any) -> bytes:
        kind = command.WhichOneof("command")
        if kind == "get_gateway_id":
            return bytes(gw_pb2.GetGatewayIdResponse(gateway_id=self.gateway).SerializeToString())
        if kind == "get_location":
            answer = gw_pb2.GetLocationResponse()
            if self.located:
                answer.location.latitude, answer.location.longitude = 51.7653, 8.5665
            return bytes(answer.SerializeToString())
        if kind == "set_gateway_configuration":
            return b""
        assert kind == "send_downlink_frame", kind
        return self.acked(command.send_downlink_frame, *["OK", *["IGNORED"] * 15])

    def acked(self, downlink: Any, *statuses: str) -> bytes:
        """The answer to a downlink with these statuses, as many as it has items."""
        ack = gw_pb2.DownlinkTxAck(downlink_id=downlink.downlink_id, gateway_id=self.gateway)
        for _, status in zip(downlink.items, statuses, strict=False):
            ack.items.add(status=status)
        return bytes(ack.SerializeToString())

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Bound and answering; at the end closed as when the process dies."""
        context = zmq.asyncio.Context()
        self._pub, rep = context.socket(zmq.XPUB), context.socket(zmq.REP)
        self._pub.setsockopt(zmq.XPUB_VERBOSE, 1)
        self._pub.bind(self.event_url)
        rep.bind(self.command_url)
        serving = [asyncio.create_task(self._serve(rep)), asyncio.create_task(self._subscribers(self._pub))]
        try:
            yield
        finally:
            for task in serving:
                task.cancel()
            await asyncio.wait(serving)
            context.destroy(linger=0)
            for task in serving:
                if not task.cancelled():
                    task.result()

    async def _serve(self, rep: "zmq.asyncio.Socket") -> None:
        while True:
            command = gw_pb2.Command.FromString(await rep.recv())
            self.asked.append(str(command.WhichOneof("command")))
            if command.HasField("send_downlink_frame"):
                self.downlinks.append(command.send_downlink_frame)
            if command.HasField("set_gateway_configuration"):
                self.configurations.append(command.set_gateway_configuration)
            answer = self.answer(command)
            while answer is None:
                await asyncio.sleep(0)
                answer = self.answer(command)
            await rep.send(answer)

    async def _subscribers(self, pub: "zmq.asyncio.Socket") -> None:
        while True:
            self.subscribed += 1 if (await pub.recv()) == b"\1" else 0
            self.news.set()

    async def until_subscribed(self, times: int = 1) -> None:
        while self.subscribed < times:
            self.news.clear()
            await self.news.wait()

    async def publish(self, *parts: bytes) -> None:
        await self._pub.send_multipart(parts)


@asynccontextmanager
async def running(fake: FakeConcentratord, host: Host, **keys: Any) -> AsyncIterator[Concentratord]:
    """The driver, connected to the fake."""
    urls = {"event_url": fake.event_url, "command_url": fake.command_url}
    driver = Concentratord(Config(name="dach", **{**urls, **keys}))
    task = asyncio.create_task(driver.run(host))
    try:
        yield driver
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            await task


async def until(done: Callable[[], object], step_s: float = 0.0) -> None:
    """Wait for something; time goes on by so much whenever everybody waits."""
    while not done():
        await advance(step_s)


async def idle(driver: Concentratord, done: Callable[[], object], step_s: float) -> None:
    """The same, but time goes on only while the driver waits for events: what it asks has all the time there is."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, StillLoop)
    while not done():
        await advance(0)
        if driver._wait is not None:
            loop.advance(step_s)


def uplink(gateway: str = GATEWAY, phy: bytes = PHY, context: bytes = b"\0\0\0\1") -> bytes:
    """An event with a frame."""
    event = gw_pb2.Event()
    frame = event.uplink_frame
    frame.phy_payload = phy
    frame.tx_info.frequency = 868_100_000
    lora = frame.tx_info.modulation.lora
    lora.bandwidth, lora.spreading_factor, lora.code_rate = 125_000, 7, gw_pb2.CR_4_5
    rx = frame.rx_info
    rx.gateway_id, rx.uplink_id, rx.rssi, rx.snr, rx.context = gateway, 7, -97, 7.5, context
    rx.crc_status = gw_pb2.CRC_OK
    return bytes(event.SerializeToString())


def report(gateway: str = GATEWAY) -> bytes:
    """An event with a report."""
    event = gw_pb2.Event()
    event.gateway_stats.gateway_id = gateway
    event.gateway_stats.rx_packets_received = 12
    return bytes(event.SerializeToString())


def downlink(gateway: str = GATEWAY, items: int = 2) -> Downlink:
    """RX1, then RX2 and so on."""
    each = (
        TxItem(b"\x60" * 12, 868_100_000 + n * 200_000, "LORA", "SF7BW125", After((n + 1) * 1_000_000, b"\0\0\0\1"))
        for n in range(items)
    )
    return Downlink(gateway, tuple(each))


def links(host: Host) -> list[tuple[bool, str]]:
    """How the link was, each time that it changed."""
    return [(e.up, e.detail) for e in host.events if isinstance(e, LinkChanged)]
