"""The way down of the GWMP driver: a gateway's socket, and two receive windows."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from tests.drivers.fakes import run
from tests.drivers.gwmp_fakes import EUI, Host, running
from torhaus.codecs.framing import semtech_udp as gwmp
from torhaus.codecs.framing.semtech_udp_client import build_pull_data, parse_answer
from torhaus.codecs.framing.semtech_udp_down import TxAck, Txpk, build_tx_ack, parse_pull_resp
from torhaus.codecs.lorawan.downlink import After, Downlink, TxAnswer, TxItem, TxStatus
from torhaus.drivers.semtech_udp import SemtechUdp

CONTEXT = (0xFFFF_0000).to_bytes(4, "big")
RX1 = TxItem(b"\x60\1", 868_100_000, "LORA", "SF7BW125", After(1_000_000, CONTEXT), power_dbm=14)
RX2 = TxItem(b"\x60\1", 869_525_000, "LORA", "SF9BW125", After(2_000_000, CONTEXT), power_dbm=27)
BOTH = (RX1, RX2)


class Concentrator:
    """A gateway's downstream socket."""

    def __init__(self, driver: SemtechUdp, eui: str = EUI, version: int = 2, host: str = "127.0.0.1") -> None:
        self.eui = eui
        self.version = version
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        self.sock.bind((host, 0))
        self.sock.connect(("127.0.0.1", driver.port))

    async def pull(self) -> None:
        """Open the way down."""
        self.sock.send(build_pull_data(b"\1\2", self.eui, self.version))
        assert parse_answer(await self._receive()).kind == gwmp.PULL_ACK

    async def given(self) -> tuple[bytes, Txpk]:
        """The next downlink: token and what is to be sent."""
        found = parse_pull_resp(await self._receive())
        assert found.version == self.version
        return found.token, found.txpk

    def say(
        self, token: bytes, error: str | None = None, warning: str | None = None, power: float | None = None
    ) -> None:
        self.sock.send(build_tx_ack(token, self.eui, TxAck(error, warning, power)))

    def nothing_came(self) -> bool:
        try:
            self.sock.recv(2000)
        except BlockingIOError:
            return True
        return False

    async def _receive(self) -> bytes:
        return await asyncio.get_running_loop().sock_recv(self.sock, 2000)


def statuses(answers: tuple[TxAnswer, ...]) -> list[TxStatus]:
    return [a.status for a in answers]


async def begin(driver: SemtechUdp, items: tuple[TxItem, ...] = BOTH, eui: str = EUI) -> "asyncio.Task[Any]":
    task = asyncio.create_task(driver.transmit(Downlink(eui, items)))
    await asyncio.sleep(0)
    return task


def with_gateway(body: Callable[[SemtechUdp, Host, Concentrator], Any], version: int = 2, **values: object) -> None:
    """Run a test with a gateway whose way down is open."""

    async def main() -> None:
        host = Host()
        async with running(host, **values) as (driver, _):
            gateway = Concentrator(driver, version=version)
            try:
                await gateway.pull()
                await body(driver, host, gateway)
            finally:
                gateway.sock.close()

    run(main())
