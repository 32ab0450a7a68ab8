"""One client of the demo broker.

Source: MQTT Version 5.0, OASIS Standard, 7 March 2019 (sections in the comments).
"""

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final, cast

from torhaus.daemon.mqtt import wire
from torhaus.daemon.mqtt.wire import ConnAckReasonCode, DisconnectReasonCode, PublishPacket, QoS

if TYPE_CHECKING:
    from torhaus.daemon.demo.broker import Broker, Received

MAX_SUBSCRIPTIONS: Final = 100
"""Filters of one client."""

MAX_QUEUED: Final = 10_000
"""Messages that wait for one subscriber's window; the oldest gives way."""


def matches(pattern: str, topic: str) -> bool:
    """Whether a topic filter matches a topic name (4.7): `+` is one level, `#` the rest; neither begins with `$`."""
    if topic.startswith("$") and pattern[:1] in {"+", "#"}:
        return False
    levels, names = pattern.split("/"), topic.split("/")
    for at, level in enumerate(levels):
        if level == "#":
            return at == len(levels) - 1
        if at >= len(names) or level not in {"+", names[at]}:
            return False
    return len(levels) == len(names)


def is_filter(pattern: str) -> bool:
    """Whether wildcards stand where they may (4.7.1): alone in their level, `#` in the last."""
    levels = pattern.split("/")
    return (
        bool(pattern)
        and all(level in {"+", "#"} or not ("+" in level or "#" in level) for level in levels)
        and ("#" not in levels[:-1])
    )


class Peer(asyncio.Protocol):
    """One connection."""

    def __init__(self, broker: "Broker") -> None:
        self.client_id = ""
        self._broker = broker
        self._decoder = wire.Decoder(broker.max_packet_bytes)
        self._transport: asyncio.Transport | None = None
        self._connect: wire.ConnectPacket | None = None
        self._filters: dict[str, int] = {}
        self._publishes = 0
        self._unanswered: set[int] = set()
        self._last_id = 0
        self._in_flight: set[int] = set()
        self._queue: deque[PublishPacket] = deque(maxlen=MAX_QUEUED)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The first packet has to be CONNECT."""
        self._transport = cast("asyncio.Transport", transport)
        self._broker.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Without a DISCONNECT the will is published (3.1.2.5)."""
        self._broker.leave(self)
        if self._connect is not None and (will := self._connect.will) is not None:
            self._broker.route(_publish(will.topic, will.payload or b"", int(will.qos), 1, retain=will.retain))

    def data_received(self, data: bytes) -> None:
        """Packets in, packets out."""
        fault = False
        try:
            packets = self._decoder.feed(data)
        except wire.BrokenStreamError as error:
            packets, fault = error.packets, True
        for packet in packets:
            if self._gone():
                return
            self._take(packet)
        if fault:
            self.disconnect(DisconnectReasonCode.MALFORMED_PACKET)

    def abort(self) -> None:
        """Cut the connection."""
        if self._transport is not None:
            self._transport.abort()

    def disconnect(self, code: DisconnectReasonCode) -> None:
        """Say why, and close."""
        if self._connect is not None:
            self._send(wire.DisconnectPacket(reason_code=code))
        if self._transport is not None:
            self._transport.close()

    def offer(self, packet: PublishPacket) -> bool:
        """Send a message if a filter matches it. Whether one did."""
        found = [qos for pattern, qos in self._filters.items() if matches(pattern, packet.topic)]
        if not found:
            return False
        self._deliver(packet, min(max(found), int(packet.qos)), retain=False)
        return True

    def answer(self, packet: PublishPacket, received: "Received") -> None:
        """PUBACK by the manners in force, unless the client is gone."""
        broker, manners = self._broker, self._broker.manners
        code: int | None = 0
        if manners.code_for is not None:
            code = manners.code_for(packet, received.number)
        if code is None or self._gone():
            return
        if code == 0 and not broker.route(packet) and manners.no_subscriber_code:
            code = 0x10
        received.reason_code = code
        if packet.packet_id and self._transport is not None:
            self._unanswered.discard(packet.packet_id)
            self._transport.write(wire.encode_puback(packet.packet_id, code))

    # inside

    def _gone(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    def _send(self, packet: wire.Writable) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(wire.encode(packet))

    def _take(self, packet: wire.Packet) -> None:
        if isinstance(packet, wire.ConnectPacket) is (self._connect is not None):
            self.disconnect(DisconnectReasonCode.PROTOCOL_ERROR)  # 3.1: first, and once
        elif isinstance(packet, wire.ConnectPacket):
            self._hello(packet)
        elif isinstance(packet, PublishPacket):
            self._published(packet)
        elif isinstance(packet, wire.PubAck):
            self._in_flight.discard(packet.packet_id)
            while self._queue and self._room():
                queued = self._queue.popleft()
                self._deliver(queued, int(queued.qos), retain=queued.retain)
        elif isinstance(packet, wire.SubscribePacket):
            self._subscribe(packet)
        elif isinstance(packet, wire.UnsubscribePacket):
            codes = [wire.UnsubAckReasonCode.SUCCESS for _ in packet.patterns]
            for pattern in packet.patterns:
                self._filters.pop(pattern, None)
            self._send(wire.UnsubAckPacket(packet.packet_id, codes))
        elif isinstance(packet, wire.PingReqPacket):
            if not self._broker.manners.no_pong:
                self._send(wire.PingRespPacket())
        elif isinstance(packet, wire.DisconnectPacket) and self._transport is not None:
            if packet.reason_code == DisconnectReasonCode.NORMAL_DISCONNECTION:
                self._connect = None  # the will is dropped (3.14.4)
            self._transport.close()
        else:
            self.disconnect(DisconnectReasonCode.IMPLEMENTATION_SPECIFIC_ERROR)

    def _hello(self, packet: wire.ConnectPacket) -> None:
        broker = self._broker
        manners = broker.manners
        broker.connects.append(packet)
        if manners.connack is not None and self._transport is not None:
            self._transport.write(manners.connack)
            return
        code = manners.refuse
        if broker.users is not None and broker.users.get(packet.username or "") != (packet.password or b""):
            code = ConnAckReasonCode.BAD_USER_NAME_OR_PASSWORD
        connack = wire.ConnAckPacket(
            reason_code=code,
            session_present=manners.claim_session and not int(code),
            receive_max=broker.receive_max,
            max_packet_size=broker.max_packet_bytes,
            max_qos=QoS(broker.max_qos),
            server_keep_alive=broker.server_keep_alive,
            shared_subscription_available=False,
            subscription_id_available=False,
        )
        self._send(connack)
        if int(code):
            self.disconnect(DisconnectReasonCode.NORMAL_DISCONNECTION)
            return
        self._connect = packet
        self.client_id = packet.client_id
        if (other := broker.peers.get(self.client_id)) is not None:
            other.disconnect(DisconnectReasonCode.SESSION_TAKEN_OVER)  # 3.1.4
        broker.peers[self.client_id] = self

    def _published(self, packet: PublishPacket) -> None:
        broker, manners = self._broker, self._broker.manners
        if int(packet.qos) > broker.max_qos:
            self.disconnect(DisconnectReasonCode.QOS_NOT_SUPPORTED)
            return
        if packet.packet_id:
            self._unanswered.add(packet.packet_id)
            if len(self._unanswered) > broker.receive_max:
                self.disconnect(DisconnectReasonCode.RECEIVE_MAX_EXCEEDED)  # 4.9
                return
        received = broker.note(packet, self.client_id)
        self._publishes += 1
        if self._publishes == manners.close_after:
            if manners.disconnect_with is None:
                self.abort()
            else:
                self.disconnect(manners.disconnect_with)
        elif self._publishes == manners.half_close_after and self._transport is not None:
            self._transport.write_eof()
        elif self._publishes == manners.garbage_after and self._transport is not None:
            self._transport.write(manners.garbage)
        elif manners.hold_acks:
            broker.hold(self, packet, received)
        elif not manners.never_ack:
            self.answer(packet, received)

    def _subscribe(self, packet: wire.SubscribePacket) -> None:
        codes = []
        new = []
        for wanted in packet.topic_filters:
            if not is_filter(wanted.pattern) or wanted.pattern.startswith("$share/"):
                codes.append(wire.SubAckReasonCode.TOPIC_FILTER_INVALID)
            elif len(self._filters) >= MAX_SUBSCRIPTIONS:
                codes.append(wire.SubAckReasonCode.QUOTA_EXCEEDED)
            else:
                qos = min(int(wanted.max_qos), self._broker.max_qos)
                self._filters[wanted.pattern] = qos
                codes.append(wire.SubAckReasonCode(qos))
                new.append((wanted.pattern, qos))
        self._send(wire.SubAckPacket(packet.packet_id, codes))
        for pattern, qos in new:
            for retained in list(self._broker.retained.values()):
                if matches(pattern, retained.topic):
                    self._deliver(retained, min(qos, int(retained.qos)), retain=True)

    def _room(self) -> bool:
        return self._connect is not None and len(self._in_flight) < self._connect.receive_max

    def _deliver(self, packet: PublishPacket, qos: int, *, retain: bool) -> None:
        if not qos:
            self._send(_publish(packet.topic, packet.payload, qos, None, retain=retain, like=packet))
        elif not self._room():
            self._queue.append(_publish(packet.topic, packet.payload, qos, 1, retain=retain, like=packet))
        else:
            while True:
                self._last_id = self._last_id % 0xFFFF + 1
                if self._last_id not in self._in_flight:
                    break
            self._in_flight.add(self._last_id)
            self._send(_publish(packet.topic, packet.payload, qos, self._last_id, retain=retain, like=packet))


def _publish(
    topic: str, payload: bytes, qos: int, packet_id: int | None, *, retain: bool, like: PublishPacket | None = None
) -> PublishPacket:
    """A message on its way out, with the properties of the one that came in."""
    return PublishPacket(
        topic,
        payload,
        qos=QoS(qos),
        packet_id=packet_id if qos else None,
        retain=retain,
        content_type=like.content_type if like else None,
        payload_format_indicator=like.payload_format_indicator if like else 0,
        user_properties=like.user_properties if like else None,
    )
