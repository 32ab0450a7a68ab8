"""One connection to an MQTT 5 broker that publishes at QoS 1, pipelined, and settles by PUBACK.

Source: MQTT Version 5.0, OASIS Standard, 7 March 2019 (sections in the comments). The broker's session is asked for
(clean start off, session expiry set) but never relied on: what has no PUBACK is reported as such, and whoever sends it
again does so as a new message. A session ends once and for ever; a new one continues the packet ids of the last, so
that a late PUBACK can never hit a message it was not meant for. One that subscribes as well: subscriber.py.
"""

import asyncio
import contextlib
import socket
from typing import Final, TypeVar, cast

from torhaus.daemon.mqtt import reasons, wire
from torhaus.daemon.mqtt.bounds import ProtocolError
from torhaus.daemon.mqtt.flight import MAX_WINDOW, Batch, Flight, Receipts, Render
from torhaus.daemon.mqtt.settings import MAX_ANSWER_BYTES, Settings, hello

__all__ = ["Session", "SessionLost", "Settings", "connect", "connect_as"]

_CLOSE_S: Final = 2.0
"""How long a close waits for the last bytes to leave."""


_QUICKACK: Final[int | None] = getattr(socket, "TCP_QUICKACK", None)
"""Linux only."""

S = TypeVar("S", bound="Session")


class SessionLost(Exception):  # noqa: N818 - a state of the far side, not a defect
    """There is no connection. `code` is the broker's reason code where it gave one."""

    def __init__(self, text: str, code: int | None = None) -> None:
        self.code = code
        super().__init__(text)


class Session(asyncio.Protocol):
    """See the module. Made by `connect`."""

    def __init__(self, settings: Settings, hello: bytes, last_id: int, loop: asyncio.AbstractEventLoop) -> None:
        self.lost: SessionLost | None = None
        self._settings = settings
        self._hello = hello
        self._loop = loop
        self._flight = Flight(last_id)
        self._transport: asyncio.Transport | None = None
        self._socket: socket.socket | None = None
        self._decoder = wire.Decoder(MAX_ANSWER_BYTES)
        self._connack: asyncio.Future[wire.ConnAckPacket] = loop.create_future()
        self.closed: asyncio.Future[None] = loop.create_future()
        self._paused = False
        self._pinged = self._heard = self._sent = False
        self._keepalive_timer: asyncio.TimerHandle | None = None
        self._receipt_timer: asyncio.TimerHandle | None = None

    @property
    def last_id(self) -> int:
        """The packet id used last: the next session goes on from there."""
        return self._flight.last_id

    async def publish(self, count: int, render: Render, *, alone: bool = False, urgency: int = 0) -> Receipts:
        """Send `count` messages and wait for their PUBACKs.

        Sends as many at once as the broker allows, in the order of indices, a lower `urgency` number first; `alone` one
        by one with nothing beside it. Never raises: `Receipts.lost` says so. When cancelled, the rest is not sent.
        """
        batch = Batch(count, render, self._loop.create_future(), alone=alone, urgency=urgency)
        if self.lost is not None:
            batch.give_up(str(self.lost), self.lost.code)
        elif count:
            self._flight.add(batch)
            self._pump()
            try:
                await batch.done
            finally:
                batch.next = batch.count
        return batch.receipts

    async def close(self) -> None:
        """DISCONNECT in order (3.14), which makes the broker drop the will. Never raises."""
        if self._transport is None:
            return
        if self.lost is None:
            self._transport.write(wire.encode(wire.DisconnectPacket()))
            self._end(SessionLost("closed"), abort=False)
        try:
            async with asyncio.timeout(_CLOSE_S):
                await asyncio.shield(self.closed)
        except TimeoutError:
            self._transport.abort()

    def abandon(self) -> None:
        """Give up at once."""
        self._end(SessionLost("abandoned"))

    async def start(self) -> None:
        """Wait for the CONNACK and take its limits. Raises SessionLost."""
        connack = await self._connack
        code = int(connack.reason_code)
        if code:
            raise SessionLost(f"broker refused: {reasons.describe(code, connack.reason_str)}", code)
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
        self._transport = cast("asyncio.Transport", transport)
        self._socket = transport.get_extra_info("socket")
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

    def eof_received(self) -> None:
        """The transport closes itself after this."""
        self._end(SessionLost("broker closed the connection"), abort=False)

    def connection_lost(self, exc: Exception | None) -> None:
        """Whatever was in flight is reported as such."""
        self._end(SessionLost(f"connection lost: {reasons.printable(str(exc))}" if exc else "connection lost"))
        if not self.closed.done():
            self.closed.set_result(None)

    def pause_writing(self) -> None:
        """The peer does not read: nothing more is rendered."""
        self._paused = True

    def resume_writing(self) -> None:
        """Go on where it stopped."""
        self._paused = False
        self._pump()

    # inside

    def _pump(self) -> bool:
        """Fill the window; coalesced into few writes. Whether there was anything to write."""
        written = False
        while not self._paused and self.lost is None and self._transport is not None:
            data = self._flight.take(self._loop.time())
            if not data:
                break
            self._sent = True
            if self._receipt_timer is None:
                self._receipt_timer = self._loop.call_later(self._settings.timeout_s, self._look_at_oldest)
            self._transport.write(data)
            written = True
        return written

    def _acknowledge_now(self) -> None:
        """Let the kernel acknowledge at once what was read (tcp(7): not sticky).

        Brokers write each PUBACK by itself, often with Nagle's algorithm on: all after the first then wait for our TCP
        acknowledgement, which Linux delays by 40 ms unless there is something to send.
        """
        if _QUICKACK is not None and self._socket is not None:
            with contextlib.suppress(OSError):  # closed meanwhile, or not TCP: it is a hint
                self._socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)

    def _look_at_oldest(self) -> None:
        """A message without PUBACK for `timeout_s`: this is no receipt, and the connection is not to be trusted."""
        self._receipt_timer = None
        oldest = self._flight.oldest()
        if oldest is None or self.lost is not None:
            return
        due = oldest + self._settings.timeout_s
        if due <= self._loop.time():
            self._end(SessionLost(f"no PUBACK within {self._settings.timeout_s:g} s"))
        else:
            self._receipt_timer = self._loop.call_at(due, self._look_at_oldest)

    def _keep_alive(self, interval: float) -> None:
        """Every 0.4 of the keep-alive: PINGREQ unless there was traffic both ways; no answer by the next time is death.

        So the gap between two packets of ours stays below the keep-alive (3.1.2.10).
        """
        if self._pinged and not self._heard:
            self._end(SessionLost("no answer to PINGREQ"))
            return
        self._pinged = not (self._heard and self._sent)
        self._heard = self._sent = False
        if self._pinged and self._transport is not None:
            self._transport.write(wire.encode(wire.PingReqPacket()))
        self._keepalive_timer = self._loop.call_later(interval, self._keep_alive, interval)

    def _other(self, packet: wire.Packet) -> None:
        """Everything but PUBACK."""
        if isinstance(packet, wire.ConnAckPacket) and not self._connack.done():
            self._connack.set_result(packet)
        elif isinstance(packet, wire.DisconnectPacket):
            code = int(packet.reason_code)
            self._end(SessionLost(f"broker disconnected: {reasons.describe(code, packet.reason_str)}", code))
        elif not isinstance(packet, (wire.PingRespPacket, wire.PublishPacket)) or not self._connack.done():
            self._end(SessionLost(f"broker sent {type(packet).__name__} out of turn"))
        # A PUBLISH can only come of subscriptions that somebody else left in this session: not ours to acknowledge.

    def _end(self, lost: SessionLost, *, abort: bool = True) -> None:
        """The connection is over. The first reason counts."""
        if self._transport is not None:
            if abort:
                self._transport.abort()
            else:
                self._transport.close()
        if self.lost is not None:
            return
        self.lost = lost
        for timer in (self._keepalive_timer, self._receipt_timer):
            if timer is not None:
                timer.cancel()
        if not self._connack.done():
            self._connack.set_exception(lost)
            self._connack.exception()  # taken: nobody may be waiting any more
        self._flight.give_up(str(lost), lost.code)


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
    try:
        async with asyncio.timeout(settings.timeout_s):
            await loop.create_connection(lambda: session, settings.host, settings.port, ssl=settings.tls)
            await session.start()
    except BaseException as error:
        session.abandon()
        if isinstance(error, TimeoutError):
            raise SessionLost(f"no connection within {settings.timeout_s:g} s") from None
        if isinstance(error, OSError):  # ssl.SSLError is one
            where = f"{settings.host}:{settings.port}"
            raise SessionLost(f"cannot connect to {where}: {reasons.printable(str(error))}") from None
        raise
    return session
