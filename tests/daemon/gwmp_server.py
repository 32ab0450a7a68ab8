"""A strict GWMP server: it looks at each byte of what a packet forwarder sends, and has bad manners when told so."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import msgspec

from torhaus.codecs.framing.semtech_udp import PULL_DATA, PUSH_DATA, ack, parse_header, parse_push
from torhaus.codecs.framing.semtech_udp_down import TxAck, Txpk, build_pull_resp, parse_tx_ack

GATEWAY = "aa555a0000000101"
Address = tuple[str, int]
Manners = Callable[["GwmpServer", bytes, Address], list[bytes]]


def polite(server: "GwmpServer", data: bytes, addr: Address) -> list[bytes]:
    """One answer to each, in order."""
    del server, addr
    return [ack(parse_header(data))]


class GwmpServer(asyncio.DatagramProtocol):
    """What has come is kept as datagrams, by gateway; `manners` makes the answers."""

    def __init__(self, manners: Manners = polite) -> None:
        self.manners = manners
        self.port = 0
        self.pushes: list[tuple[str, dict[str, Any], Address]] = []  # gateway, JSON, from where
        self.pulls: dict[str, Address] = {}  # where each gateway's last PULL_DATA came from
        self.pull_count = 0
        self.acks: list[tuple[str, bytes, TxAck]] = []
        self.phys: list[bytes] = []  # that were acknowledged, or would have been
        self._transport: asyncio.DatagramTransport

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", self.port))
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._transport.close()
        await asyncio.sleep(0)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        header = parse_header(data)
        assert header.version == 2
        if header.kind == PUSH_DATA:
            push = parse_push(data, header.gateway)
            assert push.rejects == []
            assert 1 <= len(push.frames) <= 8 or push.stat is not None
            self.pushes.append((header.gateway, msgspec.json.decode(data[12:]), addr))
            self.phys += [phy for phy, _ in push.frames]
        elif header.kind == PULL_DATA:
            assert len(data) == 12
            self.pulls[header.gateway] = addr
            self.pull_count += 1
        else:
            assert self.pulls[header.gateway] == addr
            self.acks.append((header.gateway, header.token, parse_tx_ack(data)))
            return
        for answer in self.manners(self, data, addr):
            self._transport.sendto(answer, addr)

    @property
    def rxpk(self) -> list[dict[str, Any]]:
        """All of them, as JSON."""
        return [one for _, body, _ in self.pushes for one in body.get("rxpk", [])]

    @property
    def stats(self) -> list[tuple[str, dict[str, Any]]]:
        """Gateways and their reports."""
        return [(gateway, body["stat"]) for gateway, body, _ in self.pushes if "stat" in body]

    def ask(self, gateway: str, tx: Txpk, token: bytes = b"dn") -> None:
        """A PULL_RESP to where this gateway was last heard."""
        self.say(gateway, build_pull_resp(2, token, tx))

    def say(self, gateway: str, data: bytes) -> None:
        """Any bytes."""
        self._transport.sendto(data, self.pulls[gateway])
