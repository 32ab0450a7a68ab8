"""The forwarder `chirpstack` between a real mosquitto with a ChirpStack on it and a driver, for its tests.

What the server here reads and writes goes through ChirpStack's own definition of its messages (chirpstack-api).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import msgspec
from chirpstack_api.gw import gw_pb2
from google.protobuf import json_format

from tests.daemon.clocks import FakeClock
from tests.daemon.gwmp_scene import Gateways as Driver
from tests.daemon.relay_scene import RelayScene
from tests.peers import mosquitto
from torhaus.codecs.lorawan.downlink import Downlink, TxAnswer, TxStatus
from torhaus.codecs.model import Reception
from torhaus.daemon.forward.base import Context, Item
from torhaus.daemon.forward.chirpstack import ChirpstackForwarder, Config, open_forwarder
from torhaus.daemon.forward.message import Message
from torhaus.daemon.lora.downlinks import Downlinks
from torhaus.daemon.lora.gateways import Gateways
from torhaus.daemon.outbox.record import Lora
from torhaus.drivers.base import GatewayLeft, GatewaySeen

GATEWAY = "aa555a0000000101"
OTHER = "aa555a0000000102"
LOST = "aa555a00000001ff"
JOIN = b"\0" + bytes(18) + b"mic!"
DATA = b"\x40\1\2\3\4\0\1\0\1xmic!"
ACK = gw_pb2.TxAckStatus
EVENTS: dict[str, Any] = {
    "event/up": gw_pb2.UplinkFrame,
    "event/stats": gw_pb2.GatewayStats,
    "event/ack": gw_pb2.DownlinkTxAck,
    "event/exec": gw_pb2.GatewayCommandExecResponse,
    "state/conn": gw_pb2.ConnState,
}


class ChirpStack:
    """Subscribes as the server does, and keeps what comes by kind."""

    def __init__(self, client: aiomqtt.Client, commander: aiomqtt.Client, prefix: str, encoding: str) -> None:
        self.client = client
        self._commander = commander  # by itself, so that a command's PUBACK does not wait for what is read here
        self._prefix = prefix
        self._encoding = encoding
        self.came: list[tuple[str, str, Any]] = []  # gateway, kind, message
        self.by_kind: dict[str, list[Any]] = {}

    def of(self, kind: str) -> list[Any]:
        return self.by_kind.setdefault(kind, [])

    async def run(self) -> None:
        async for message in self.client.messages:
            topic = str(message.topic).removeprefix(self._prefix)
            word, gateway, kind = topic.split("/", 2)
            assert word == "gateway"
            assert isinstance(message.payload, bytes)
            found = EVENTS[kind]()
            if self._encoding == "json":
                json_format.Parse(message.payload, found, ignore_unknown_fields=False)
            else:
                found.ParseFromString(message.payload)
            inner = found.rx_info if kind == "event/up" else found
            assert inner.gateway_id == gateway, "ChirpStack refuses what is in another gateway's name"
            self.came.append((gateway, kind, found))
            self.by_kind.setdefault(kind, []).append(found)

    async def ask(self, gateway: str, what: str, message: Any, *, retain: bool = False) -> None:
        payload = message.SerializeToString()
        if self._encoding == "json":
            payload = json_format.MessageToJson(message).encode()
        await self.ask_raw(gateway, what, payload, retain=retain)

    async def ask_raw(self, gateway: str, what: str, payload: bytes, *, retain: bool = False) -> None:
        topic = f"{self._prefix}gateway/{gateway}/command/{what}"
        await self._commander.publish(topic, payload, qos=1, retain=retain)


def down(gateway: str, downlink_id: int, *contexts: bytes) -> Any:
    """A downlink with an item for each context: RX1, RX2; an empty one is to be sent at once."""
    frame = gw_pb2.DownlinkFrame(gateway_id=gateway, downlink_id=downlink_id)
    for n, context in enumerate(contexts or (b"\0\0\0\7", b"\0\0\0\7"), 1):
        item = frame.items.add(phy_payload=b"\x60\1\2\3\4\0\1\0mic!")
        item.tx_info.frequency, item.tx_info.power, item.tx_info.context = 868_100_000, 14, context
        lora = item.tx_info.modulation.lora
        lora.bandwidth, lora.spreading_factor, lora.polarization_inversion = 125_000, 7, True
        lora.code_rate = gw_pb2.CodeRate.CR_4_5
        if context:
            item.tx_info.timing.delay.delay.seconds = n
        else:
            item.tx_info.timing.immediately.SetInParent()
    return frame


class Scene(RelayScene):
    def __init__(
        self,
        port: int,
        server: ChirpStack | None,
        driver: Driver,
        config: dict[str, Any],
        clock: FakeClock | None = None,
    ) -> None:
        super().__init__(clock)
        self._server = server
        self.driver = driver
        self.gateways = Gateways(self.clock.stamp)
        downlinks = Downlinks(self.gateways.driver_of, self.gateways)
        downlinks.add("roof", driver)
        given = {"name": "city", "url": f"mqtt://127.0.0.1:{port}", **config}
        context = Context("rathaus", "0.1.0", downlinks, self.clock)
        self.forwarder: ChirpstackForwarder = open_forwarder(msgspec.convert(given, Config), context)
        self._seq = 0

    @property
    def server(self) -> ChirpStack:
        assert self._server is not None
        return self._server

    def come(self, gateway: str = GATEWAY, *, known: bool = True) -> None:
        self.gateways.event("roof", GatewaySeen(gateway, "127.0.0.1", "gwmp2", known, listed=known))

    def leave(self, gateway: str = GATEWAY) -> None:
        self.gateways.event("roof", GatewayLeft(gateway))

    def item(
        self, raw: bytes = DATA, age_s: float = 0, gateway: str = GATEWAY, clock: Any = "synced", **rx: Any
    ) -> Item:
        self._seq += 1
        at = self.at(age_s)
        given = {"rssi_dbm": -97, "snr_db": 7.5, "tmst_us": 7} | rx
        lora = Lora(868_100_000, "LORA", "SF7BW125", "4/5", rx=[Reception(gateway, **given)])
        id_ = f"rathaus/3f2a91c0/{self._seq}"
        return Item(Message(id_, "frame", "rathaus", at, clock, age_s > 0, lora=lora, raw=raw))

    def report(self, age_s: float = 0, **event: Any) -> Item:
        values: dict[str, Any] = {"gateway": GATEWAY, "rxnb": 3, "rxok": 2, "lati": 51.76, "long": 8.56} | event
        return self.event(age_s, values)


class Stubborn(Driver):
    """Answers each downlink with so many statuses as it has items, or fails."""

    def __init__(self, *statuses: TxStatus, error: Exception | None = None) -> None:
        super().__init__()
        self.statuses = statuses
        self.error = error

    async def transmit(self, downlink: Downlink) -> tuple[TxAnswer, ...]:
        await super().transmit(downlink)
        if self.error is not None:
            raise self.error
        found = self.statuses or (TxStatus.OK, *(TxStatus.IGNORED,) * 16)
        return tuple(map(TxAnswer, found[: len(downlink.items)]))


async def acks(s: Scene, count: int) -> list[Any]:
    await s.until(lambda: len(s.server.of("event/ack")) >= count)
    return s.server.of("event/ack")


def statuses(ack: Any) -> list[int]:
    return [item.status for item in ack.items]


Body = Callable[[Scene], Awaitable[None]]


@asynccontextmanager
async def serving(port: int, prefix: str = "eu868/", encoding: str = "json") -> AsyncIterator[ChirpStack]:
    """A ChirpStack on a broker."""
    async with (
        aiomqtt.Client("127.0.0.1", port) as client,
        aiomqtt.Client("127.0.0.1", port) as commander,
        asyncio.TaskGroup() as group,
    ):
        server = ChirpStack(client, commander, prefix, encoding)
        for topic in ("event/+", "state/conn"):
            await client.subscribe(f"{prefix}gateway/+/{topic}", qos=1)
        reading = group.create_task(server.run())
        try:
            yield server
        finally:
            reading.cancel()


def on_scene(folder: Path, body: Body, driver: Driver | None = None, **config: Any) -> None:
    prefix = config.get("topic_prefix", "eu868")
    prefix = f"{prefix}/" if prefix else ""
    encoding = config.get("encoding", "json")

    async def main(port: int) -> None:
        async with asyncio.timeout(60), serving(port, prefix, encoding) as server:
            scene = Scene(port, server, driver or Driver(), config)
            try:
                await body(scene)
            finally:
                await scene.forwarder.close()

    # else it drops what a subscriber does not take as fast as it comes, acknowledged or not
    with mosquitto(folder, "max_queued_messages 0") as port:
        asyncio.run(main(port))
