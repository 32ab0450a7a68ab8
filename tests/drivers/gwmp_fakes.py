"""The daemon's side of the GWMP driver, and a packet forwarder's socket."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from tests.drivers.fakes import FakeHost
from torhaus.codecs.model import Frame, Reject
from torhaus.drivers import semtech_udp
from torhaus.drivers.base import Done, GatewayStats
from torhaus.drivers.semtech_udp import Config, SemtechUdp, split_listen

EUI = "aa555a0000000101"
OTHER = "aa555a00000001ff"
PHY = bytes.fromhex("400100000000010001aabbccdd")


class Host(FakeHost):
    def __init__(self) -> None:
        super().__init__(holding=True)
        self.stats: list[GatewayStats] = []
        self.acks: list[float] = []
        self.withheld = 0
        self.deliveries = 0

    def deliver(
        self, frames: list[Frame], rejects: list[Reject], done: Done | None = None, stats: GatewayStats | None = None
    ) -> None:
        self.deliveries += 1
        if stats is not None:
            self.stats.append(stats)
        super().deliver(frames, rejects, done, stats)

    def acked(self, seconds: float, count: int = 1) -> None:
        self.acks += [seconds] * count

    def ack_withheld(self) -> None:
        self.withheld += 1

    async def until(self, deliveries: int) -> None:
        while self.deliveries < deliveries:
            self._news.clear()
            await self._news.wait()


def config(**values: object) -> Config:
    return msgspec.convert({"name": "roof", "type": "semtech_udp", "listen": "127.0.0.1:0", **values}, Config)


class Forwarder:
    """A packet forwarder's socket."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        self.sock.connect((host, port))

    def send(self, data: bytes) -> None:
        self.sock.send(data)

    async def answer(self) -> bytes:
        return await asyncio.get_running_loop().sock_recv(self.sock, 100)

    def nothing_came(self) -> bool:
        try:
            self.sock.recv(100)
        except BlockingIOError:
            return True
        return False


@asynccontextmanager
async def running(host: Host, **values: object) -> AsyncIterator[tuple[SemtechUdp, Forwarder]]:
    driver = semtech_udp.open(config(**values))
    task = asyncio.create_task(driver.run(host))
    await driver.bound.wait()
    listen = split_listen(driver.config.listen)[0]
    forwarder = Forwarder(driver.port, "::1" if listen == "::1" else "127.0.0.1")
    try:
        yield driver, forwarder
    finally:
        forwarder.sock.close()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        assert not driver.bound.is_set()


async def settle_loop() -> None:
    for _ in range(10):
        await asyncio.sleep(0)
