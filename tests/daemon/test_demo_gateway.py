"""A simulated packet forwarder against a server that answers as it is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from torhaus.codecs.framing import semtech_udp as gwmp
from torhaus.daemon.demo.gateway import CHANNELS, SimulatedGateway, push_data, stat

EUI = "aa555a0000000101"


class Server(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.silent = False
        self.news = asyncio.Event()
        self.transport: asyncio.DatagramTransport
        self.peer: Any = None

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self.got.append(data)
        self.peer = addr
        if not self.silent:
            self.transport.sendto(gwmp.ack(gwmp.parse_header(data)), addr)
        self.news.set()

    async def until(self, n: int) -> None:
        while len(self.got) < n:
            self.news.clear()
            await self.news.wait()


@asynccontextmanager
async def connected(version: int = 2) -> AsyncIterator[tuple[Server, SimulatedGateway]]:
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(Server, local_addr=("127.0.0.1", 0))
    server.transport = transport
    gateway = SimulatedGateway(EUI, version)
    await gateway.open(*transport.get_extra_info("sockname"))
    try:
        yield server, gateway
    finally:
        gateway.close()
        transport.close()
        await asyncio.sleep(0)


@pytest.mark.parametrize("version", [1, 2])
def test_what_it_sends_is_understood(version: int) -> None:
    phys = [bytes((n,)) * (n + 1) for n in range(10)]
    datagram = push_data(EUI, version, 0xFFFE, phys, tmst=0xFFFF_FFFF)
    header = gwmp.parse_header(datagram)
    assert header == gwmp.Header(version, b"\xff\xfe", gwmp.PUSH_DATA, EUI)
    push = gwmp.parse_push(datagram, EUI)
    assert [phy for phy, _ in push.frames] == phys
    assert {r.freq_hz for _, r in push.frames} == {round(f * 1e6) for f in CHANNELS}
    assert push.rejects == []
    report = stat(EUI, version, 1, {"rxnb": 3})
    assert gwmp.parse_push(report, EUI) == gwmp.Push([], {"rxnb": 3}, [])


@pytest.mark.parametrize("version", [1, 2])
def test_it_knows_what_was_acknowledged(version: int) -> None:
    async def main() -> None:
        async with connected(version) as (server, gateway):
            assert await gateway.push_acked([b"abc"], 10)
            assert gateway.acked == {1}
            server.silent = True
            assert not await gateway.push_acked([b"abc"], 0)
            token = gateway.push([b"abc"])
            gateway.report({"rxnb": 1})
            await server.until(4)
            assert token == 3
            assert gateway.acked == {1}

    asyncio.run(main())


def test_keep_alive() -> None:
    async def main() -> None:
        async with connected() as (server, gateway):
            gateway.pull()
            await server.until(1)
            assert gwmp.parse_header(server.got[0]).kind == gwmp.PULL_DATA
            while not gateway.pulled:  # noqa: ASYNC110 - one datagram on loopback
                await asyncio.sleep(0)
            gateway.datagram_received(b"", ("127.0.0.1", 1))
            gateway.datagram_received(b"\x01\x00\x01\x01", ("127.0.0.1", 1))
            gateway.datagram_received(b"\x02\x00\x01\x03", ("127.0.0.1", 1))
            assert (gateway.pulled, gateway.acked) == (1, set())

    asyncio.run(main())


def test_tokens_wrap() -> None:
    async def main() -> None:
        async with connected() as (_, gateway):
            gateway._token = 0xFFFF
            assert await gateway.push_acked([b"a"], 10)
            assert gateway.acked == {0}

    asyncio.run(main())


def test_nobody_listens() -> None:
    async def main() -> None:
        async with connected() as (server, gateway):
            server.transport.close()
            await asyncio.sleep(0)
            for _ in range(3):
                assert not await gateway.push_acked([b"a"], 0)
            gateway.error_received(ConnectionRefusedError())
        SimulatedGateway(EUI).close()

    asyncio.run(main())
