"""A small MQTT 5 broker on loopback, for `torhaus demo` and for tests; with bad manners on request.

Source: MQTT Version 5.0, OASIS Standard, 7 March 2019 (sections in the comments). QoS 0 and 1, wildcards, retained
messages, wills, keep-alive left to the client, no sessions beyond a connection, no shared subscriptions.
"""

import asyncio
import ipaddress
import ssl
from collections import deque
from collections.abc import Callable
from typing import Final, Self

import msgspec

from torhaus.daemon.demo.peer import Peer
from torhaus.daemon.mqtt import wire
from torhaus.daemon.mqtt.wire import ConnAckReasonCode, DisconnectReasonCode, PublishPacket

MAX_RETAINED: Final = 10_000
"""Retained messages; further topics are refused."""


class Manners(msgspec.Struct, kw_only=True):
    """What the broker does other than a good one. May be changed while it runs; counts start with the broker.

    `code_for` gives the reason code for a PUBLISH and its number (from 1), None for no answer. `close_after` and
    `half_close_after` end a connection when that number of PUBLISHes has come over it, before the answer to the last;
    `garbage_after` sends `garbage` then. `disconnect_with` is the reason code a DISCONNECT gives on `close_after`.
    """

    never_ack: bool = False
    hold_acks: bool = False
    no_subscriber_code: bool = False
    code_for: Callable[[PublishPacket, int], int | None] | None = None
    close_after: int | None = None
    disconnect_with: DisconnectReasonCode | None = None
    half_close_after: int | None = None
    garbage_after: int | None = None
    garbage: bytes = b"\xff" * 16
    no_pong: bool = False
    claim_session: bool = False
    refuse: ConnAckReasonCode = ConnAckReasonCode.SUCCESS
    connack: bytes | None = None  # sent instead of a CONNACK


class Received(msgspec.Struct):
    """A PUBLISH as it came. `reason_code` is what it was answered with, None as long as it was not."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    duplicate: bool
    packet_id: int | None
    user_properties: list[tuple[str, str]]
    client_id: str
    number: int
    reason_code: int | None = None


class Broker:
    """`async with Broker() as broker:` listens on `broker.port`; `broker.messages` are the PUBLISHes that came."""

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        receive_max: int = 20,
        max_packet_bytes: int = wire.DEFAULT_MAX_PACKET_BYTES,
        max_qos: int = 1,
        server_keep_alive: int | None = None,
        users: dict[str, bytes] | None = None,
        tls: ssl.SSLContext | None = None,
        manners: Manners | None = None,
        keep: int = 10_000,
    ) -> None:
        if not ipaddress.ip_address(host).is_loopback:
            raise ValueError(f"{host} is not a loopback address: this broker serves this machine only")
        self.host = host
        self.port = port
        self.receive_max = receive_max
        self.max_packet_bytes = max_packet_bytes
        self.max_qos = max_qos
        self.server_keep_alive = server_keep_alive
        self.users = users
        self.manners = manners or Manners()
        self.messages: deque[Received] = deque(maxlen=keep)
        self.published = 0
        self.connects: deque[wire.ConnectPacket] = deque(maxlen=keep)
        self.retained: dict[str, PublishPacket] = {}
        self.peers: dict[str, Peer] = {}
        self._all: set[Peer] = set()
        self._tls = tls
        self._held: deque[tuple[Peer, PublishPacket, Received]] = deque()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Peer(self), self.host, self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for peer in list(self._all):
            peer.abort()
        await self._server.wait_closed()
        while self._all:  # noqa: ASYNC110 - connection_lost comes with the loop's next rounds
            await asyncio.sleep(0)

    def release(self) -> None:
        """Answer what was held back."""
        while self._held:
            peer, packet, received = self._held.popleft()
            peer.answer(packet, received)

    def drop(self) -> None:
        """Cut every connection, as a broken line does."""
        for peer in list(self._all):
            peer.abort()

    def route(self, packet: PublishPacket) -> bool:
        """Hand a message to who subscribes to it, keep it if it is to be retained (3.3.1.3). Whether anybody got it."""
        if packet.retain:
            if not packet.payload:
                self.retained.pop(packet.topic, None)
            elif packet.topic in self.retained or len(self.retained) < MAX_RETAINED:
                self.retained[packet.topic] = packet
        return sum([peer.offer(packet) for peer in self.peers.values()]) > 0

    def enter(self, peer: Peer) -> None:
        """A connection was made."""
        self._all.add(peer)

    def leave(self, peer: Peer) -> None:
        """A connection is gone."""
        self._all.discard(peer)
        if self.peers.get(peer.client_id) is peer:
            del self.peers[peer.client_id]

    def note(self, packet: PublishPacket, client_id: str) -> Received:
        """A PUBLISH came."""
        self.published += 1
        received = Received(
            packet.topic,
            packet.payload,
            int(packet.qos),
            packet.retain,
            packet.duplicate,
            packet.packet_id,
            packet.user_properties,
            client_id,
            self.published,
        )
        self.messages.append(received)
        return received

    def hold(self, peer: Peer, packet: PublishPacket, received: Received) -> None:
        """Keep an answer back until `release`."""
        self._held.append((peer, packet, received))
