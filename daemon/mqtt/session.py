"""One connection to an MQTT 5 broker that publishes at QoS 1, pipelined, and settles by PUBACK.

Source: MQTT Version 5.0, OASIS Standard, 7 March 2019 (sections in the comments). The broker's session is asked for
(clean start off, session expiry set) but never relied on: what has no PUBACK is reported as such, and whoever sends it
again does so as a new message. A session ends once and for ever; a new one continues the packet ids of the last, so
that a late PUBACK can never hit a message it was not meant for. One that subscribes as well: subscriber.py.
"""

import asyncio
from typing import TypeVar

from torhaus.daemon.forward.connection import Connection, SessionLost, establish
from torhaus.daemon.forward.flight import MAX_WINDOW, Flight, ProtocolError
from torhaus.daemon.mqtt import reasons, wire
from torhaus.daemon.mqtt.settings import MAX_ANSWER_BYTES, Settings, hello

__all__ = ["Session", "SessionLost", "Settings", "connect", "connect_as"]

S = TypeVar("S", bound="Session")


class Session(Connection[wire.ConnAckPacket]):
    """See the module. Made by `connect`."""

    receipt = "PUBACK"
    peer = "broker"
    ping = "PINGREQ"

    def __init__(self, settings: Settings, hello: bytes, last_id: int, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(Flight(last_id), settings.timeout_s, loop)
        self._settings = settings
        self._hello = hello
        self._decoder = wire.Decoder(MAX_ANSWER_BYTES)

    async def start(self) -> None:
        """Wait for the CONNACK and take its limits. Raises SessionLost."""
        connack = await self._greeting
        code = int(connack.reason_code)
        if code:
            raise SessionLost(f"broker refused: {reasons.describe(code, connack.reason_str, is_connack=True)}", code)
        if not int(connack.max_qos):
            raise SessionLost(f"broker refused: {reasons.describe(0x9B)}", 0x9B)
        self._flight.window = min(connack.receive_max, MAX_WINDOW)
        if connack.max_packet_size is not None:
            self._flight.max_packet_bytes = connack.max_packet_size
        keepalive = connack.server_keep_alive
        # 0 from the server: it does not look; we do, since a dead peer has to be noticed by somebody (3.1.2.10)
        interval = 0.4 * min(keepalive or self._settings.keepalive_s, self._settings.keepalive_s)
        if self.lost is None:
            self._keepalive_timer = self._loop.call_later(interval, self._keep_alive, interval)

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the CONNECT (3.1)."""
        super().connection_made(transport)
        if self._transport is not None:
            self._transport.write(self._hello)
        self._acknowledge_now()

    def data_received(self, data: bytes) -> None:
        """Settle, then send what the window has room for: one write for all."""
        self._heard = True
        fault = None
        try:
            taken = self._decoder.leading_acks(data)
            self._flight.settle_taken(taken)
            packets = self._decoder.feed(data[4 * len(taken) :] if taken else data)
        except wire.BrokenStreamError as error:
            packets, fault = error.packets, error.detail
        settle = self._flight.settle
        for packet in packets:
            if type(packet) is wire.PubAck:
                settle(packet)
            else:
                self._other(packet)
        if fault is not None:
            self._end(SessionLost(f"broker does not speak MQTT 5: {fault}"))
            return
        if not (self._flight.due() and self._pump()) and self._flight.oldest() is not None:
            self._acknowledge_now()

    def _other(self, packet: wire.Packet) -> None:
        """Everything but PUBACK."""
        if isinstance(packet, wire.ConnAckPacket) and not self._greeting.done():
            self._greeting.set_result(packet)
        elif isinstance(packet, wire.DisconnectPacket):
            code = int(packet.reason_code)
            self._end(SessionLost(f"broker disconnected: {reasons.describe(code, packet.reason_str)}", code))
        elif not isinstance(packet, (wire.PingRespPacket, wire.PublishPacket)) or not self._greeting.done():
            self._end(SessionLost(f"broker sent {type(packet).__name__} out of turn"))
        # A PUBLISH can only come of subscriptions that somebody else left in this session: not ours to acknowledge.

    def _goodbye(self) -> bytes:
        """DISCONNECT (3.14), which makes the broker drop the will."""
        return wire.encode(wire.DisconnectPacket())

    def _ping(self) -> bytes:
        return wire.encode(wire.PingReqPacket())


async def connect(settings: Settings, last_id: int = 0) -> Session:
    """A session that may publish. `last_id` is that of the session before. Raises SessionLost."""
    return await connect_as(Session, settings, last_id)


async def connect_as(of: type[S], settings: Settings, last_id: int) -> S:
    """`connect`, with a session of this class."""
    loop = asyncio.get_running_loop()
    try:
        session = of(settings, hello(settings), last_id, loop)
    except ProtocolError as error:
        raise SessionLost(f"no CONNECT can be made of this config: {error.detail}") from None

    async def steps() -> None:
        await loop.create_connection(lambda: session, settings.host, settings.port, ssl=settings.tls)
        await session.start()

    await establish(session, steps(), settings.timeout_s, f"{settings.host}:{settings.port}")
    return session
