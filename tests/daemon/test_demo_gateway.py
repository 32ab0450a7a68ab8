"""A simulated packet forwarder against a server that answers as it is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from torhaus.codecs.framing import semtech_udp as gwmp
from torhaus.codecs.framing.semtech_udp_down import Txpk, build_pull_resp, parse_tx_ack
from torhaus.daemon.demo.gateway import ADVANCE_US, CHANNELS, LEAD_US, SimulatedGateway, push_data, stat

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
        if not self.silent and data[3] != gwmp.TX_ACK:
            self.transport.sendto(gwmp.ack(gwmp.parse_header(data)), addr)
        self.news.set()

    async def until(self, n: int) -> None:
        while len(self.got) < n:
            self.news.clear()
            await self.news.wait()


@asynccontextmanager
async def connected(version: int = 2, counter_us: int = 0) -> AsyncIterator[tuple[Server, SimulatedGateway]]:
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(Server, local_addr=("127.0.0.1", 0))
    server.transport = transport
    gateway = SimulatedGateway(EUI, version, lambda: counter_us)
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


NOW_US = 0xFFFF_FF00  # about to wrap


def txpk(freq_hz: int = 868_100_000, *, lead_us: int | None = None, gps_time_ms: int | None = None) -> Txpk:
    tmst = None if lead_us is None else (NOW_US + lead_us) & 0xFFFF_FFFF
    now = lead_us is None and gps_time_ms is None
    return Txpk(
        data=b"abc",
        freq_hz=freq_hz,
        modulation="LORA",
        datarate="SF7BW125",
        tmst_us=tmst,
        gps_time_ms=gps_time_ms,
        immediate=now,
    )


async def told(server: Server, gateway: SimulatedGateway, what: Txpk, token: bytes = b"\1\2") -> str | None:
    """What the gateway says of a downlink."""
    before = len(server.got)
    gateway.datagram_received(build_pull_resp(2, token, what), ("127.0.0.1", 1))
    await server.until(before + 1)
    header = gwmp.parse_header(server.got[-1])
    assert (header.kind, header.token, header.gateway) == (gwmp.TX_ACK, token, EUI)
    return parse_tx_ack(server.got[-1]).error


def test_it_answers_downlinks_as_a_concentrator_would() -> None:
    async def main() -> None:
        async with connected(counter_us=NOW_US) as (server, gateway):
            assert await told(server, gateway, txpk()) is None
            assert await told(server, gateway, txpk(lead_us=1_000_000)) is None
            assert [(s.at_us, s.lead_us) for s in gateway.sent] == [(NOW_US, 0), (999_744, 1_000_000)]
            assert await told(server, gateway, txpk(lead_us=1_010_000)) == "COLLISION_PACKET"
            assert await told(server, gateway, txpk(lead_us=LEAD_US - 1)) == "TOO_LATE"
            assert await told(server, gateway, txpk(lead_us=-1)) == "TOO_LATE"
            assert await told(server, gateway, txpk(lead_us=ADVANCE_US + 1)) == "TOO_EARLY"
            assert await told(server, gateway, txpk(902_300_000)) == "TX_FREQ"
            assert await told(server, gateway, txpk(gps_time_ms=1)) == "GPS_UNLOCKED"
            gateway.refuse = lambda _: "GPS_UNLOCKED"
            assert await told(server, gateway, txpk()) == "GPS_UNLOCKED"
            assert (len(gateway.sent), len(gateway.refused)) == (2, 7)

    asyncio.run(main())


def test_it_may_keep_silent_and_version_1_does() -> None:
    async def main() -> None:
        async with connected() as (server, gateway), connected(1) as (first, old):
            gateway.answers = False
            gateway.datagram_received(build_pull_resp(2, b"\0\1", txpk()), ("127.0.0.1", 1))
            old.datagram_received(build_pull_resp(1, b"\0\0", txpk()), ("127.0.0.1", 1))
            for one in (gateway, old):
                one.pull()
            await server.until(1)
            await first.until(1)
            assert [len(one.sent) for one in (gateway, old)] == [1, 1]
            assert [gwmp.parse_header(s.got[0]).kind for s in (server, first)] == [gwmp.PULL_DATA] * 2
            gateway.datagram_received(build_pull_resp(1, b"\0\0", txpk()), ("127.0.0.1", 1))  # not its version

    asyncio.run(main())
