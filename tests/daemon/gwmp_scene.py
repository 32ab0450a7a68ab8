"""The forwarder `gwmp` between a strict server and a driver, for its tests."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from tests.daemon.gwmp_server import GATEWAY, Address, GwmpServer, Manners, polite
from tests.daemon.relay_scene import RelayScene
from torhaus.codecs.framing.semtech_udp import parse_header
from torhaus.codecs.lorawan.downlink import Downlink, TxAnswer, TxStatus
from torhaus.codecs.model import Reception
from torhaus.daemon.forward.base import Context, Item
from torhaus.daemon.forward.gwmp import Config, GwmpForwarder, open_forwarder
from torhaus.daemon.forward.message import Message
from torhaus.daemon.lora.downlinks import Downlinks
from torhaus.daemon.lora.gateways import Gateways as Book
from torhaus.daemon.outbox.record import Lora

OTHER = "aa555a0000000102"
JOIN = b"\0" + bytes(18) + b"mic!"


class Gateways:
    """A driver that sends down what it is told to, or not."""

    def __init__(self, *answers: TxAnswer) -> None:
        self.answers = answers or (TxAnswer(TxStatus.OK),)
        self.sent: list[Downlink] = []
        self.hold: asyncio.Event | None = None

    async def transmit(self, downlink: Downlink) -> tuple[TxAnswer, ...]:
        self.sent.append(downlink)
        if self.hold is not None:
            await self.hold.wait()
        return self.answers


class Scene(RelayScene):
    def __init__(self, server: GwmpServer, config: dict[str, Any], gateways: Gateways) -> None:
        super().__init__()
        self.server = server
        self.gateways = gateways
        self.book = Book(self.clock.stamp)
        downlinks = Downlinks(lambda _: "roof", self.book)
        downlinks.add("roof", gateways)
        given = {"name": "tts", "server": f"127.0.0.1:{server.port}", "ack_timeout_s": 0.05, **config}
        context = Context("rathaus", "0.1.0", downlinks, self.clock)
        self.forwarder: GwmpForwarder = open_forwarder(msgspec.convert(given, Config), context)

    def item(
        self, raw: bytes = b"\x40\1\2\3\4\0\1\0\1xmic!", age_s: float = 0, gateway: str = GATEWAY, **rx: Any
    ) -> Item:
        at = self.at(age_s)
        lora = Lora(868_100_000, "LORA", "SF7BW125", "4/5", rx=[Reception(gateway, **({"tmst_us": 7} | rx))])
        return Item(Message("rathaus/0/1", "frame", "rathaus", at, "synced", age_s > 0, lora=lora, raw=raw))

    def report(self, age_s: float = 0, **event: Any) -> Item:
        values: dict[str, Any] = {"gateway": GATEWAY, "rxnb": 3, "lati": 51.76} | event
        return self.event(age_s, values)


def on_scene(
    body: Callable[[Scene], Awaitable[None]], manners: Manners = polite, gateways: Gateways | None = None, **config: Any
) -> None:
    async def main() -> None:
        async with asyncio.timeout(20), GwmpServer(manners) as server:
            scene = Scene(server, config, gateways or Gateways())
            try:
                await body(scene)
            finally:
                await scene.forwarder.close()

    asyncio.run(main())


def deaf_to(*gateways: str) -> Manners:
    def manners(server: GwmpServer, data: bytes, addr: Address) -> list[bytes]:
        return [] if parse_header(data).gateway in gateways else polite(server, data, addr)

    return manners
