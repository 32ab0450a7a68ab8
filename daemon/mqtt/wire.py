"""MQTT 5 packets from and to bytes: the one module that imports mqtt5.

Source: MQTT Version 5.0, OASIS Standard, 7 March 2019 (sections in the comments). mqtt5 does the layouts; this module
bounds lengths before it is asked, and turns whatever it raises into ProtocolError. Known of mqtt5 0.8: a string that is
not UTF-8 makes it panic (a BaseException, with a trace on stderr), so does a payload of 2^28 bytes; a packet that
claims 256 MB is "not enough bytes" for ever; a CONNACK of MQTT 3.1.1 and a reason code the standard does not list for
its packet are ValueErrors. Its enums are no IntEnums, whatever its stubs say: unordered, unhashable,
always true; take int().
"""

import struct
from collections.abc import Callable
from typing import Final, TypeVar

import mqtt5
import msgspec

from torhaus.daemon.forward.flight import ProtocolError
from torhaus.daemon.mqtt.bounds import check_packet

AuthPacket = mqtt5.AuthPacket
ConnAckPacket = mqtt5.ConnAckPacket
ConnAckReasonCode = mqtt5.ConnAckReasonCode
ConnectPacket = mqtt5.ConnectPacket
DisconnectPacket = mqtt5.DisconnectPacket
DisconnectReasonCode = mqtt5.DisconnectReasonCode
PingReqPacket = mqtt5.PingReqPacket
PingRespPacket = mqtt5.PingRespPacket
PublishPacket = mqtt5.PublishPacket
QoS = mqtt5.QoS
RetainHandling = mqtt5.RetainHandling
SubAckPacket = mqtt5.SubAckPacket
SubAckReasonCode = mqtt5.SubAckReasonCode
SubscribePacket = mqtt5.SubscribePacket
TopicFilter = mqtt5.TopicFilter
UnsubAckPacket = mqtt5.UnsubAckPacket
UnsubAckReasonCode = mqtt5.UnsubAckReasonCode
UnsubscribePacket = mqtt5.UnsubscribePacket

DEFAULT_MAX_PACKET_BYTES: Final = 1 << 20
"""The longest packet a decoder takes unless told otherwise: it is what a hostile peer can make us hold."""

_MAX_BODY_BYTES: Final = (1 << 28) - (1 << 20)
"""The longest payload handed to mqtt5, which panics from 2^28 on: leaves 1 MiB for topic and properties."""

_PUBACK: Final = 0x40
_PLAIN_PUBACK: Final = b"\x40\x02"  # two bytes follow: the packet id of a message that was taken
_UNSPECIFIED_ERROR: Final = 0x80

Properties = list[tuple[str, str]]
_T = TypeVar("_T")


class PubAck(msgspec.Struct, gc=False):
    """PUBACK (3.4).

    `reason_code` is any byte: servers send codes that the standard does not list for PUBACK, such as 0x95 (packet too
    large), and what they said must not be lost over that.
    """

    packet_id: int
    reason_code: int = 0
    reason_str: str | None = None


Packet = (
    ConnectPacket
    | ConnAckPacket
    | PublishPacket
    | PubAck
    | mqtt5.PubRecPacket
    | mqtt5.PubRelPacket
    | mqtt5.PubCompPacket
    | SubscribePacket
    | SubAckPacket
    | UnsubscribePacket
    | UnsubAckPacket
    | PingReqPacket
    | PingRespPacket
    | DisconnectPacket
    | AuthPacket
)


class BrokenStreamError(ProtocolError):
    """What `feed` raises: `packets` are those that were whole before the fault; they count."""

    def __init__(self, detail: str, packets: list[Packet]) -> None:
        super().__init__(detail)
        self.packets = packets


class Decoder:
    """Bytes in, packets out. After a fault nothing more can be read from this connection."""

    def __init__(self, max_packet_bytes: int = DEFAULT_MAX_PACKET_BYTES) -> None:
        self._max = max_packet_bytes
        self._tail = bytearray()
        self._need = 0  # bytes until the packet in `_tail` is whole, or until more of its length is known
        self._body = 0  # where the variable header of the packet last found by `_whole` begins
        self._broken: str | None = None

    def leading_acks(self, data: bytes) -> tuple[int, ...]:
        """The packet ids of the plain PUBACKs that `data` begins with; give `feed` what is behind them, 4 bytes each.

        Brokers answer a burst with hundreds of them: told apart all at once they cost a fifth.
        """
        if self._broken is not None or self._tail or data[:2] != _PLAIN_PUBACK:
            return ()
        n = len(data) // 4
        if data[: 4 * n : 4] != _PLAIN_PUBACK[:1] * n or data[1 : 4 * n : 4] != _PLAIN_PUBACK[1:] * n:
            return ()
        ids = struct.unpack(f">{2 * n}H", data[: 4 * n])[1::2]
        return ids if all(ids) else ()  # there is no packet id 0

    def feed(self, data: bytes) -> list[Packet]:
        """Take bytes as they come, return the packets that are whole. Raises BrokenStreamError (a ProtocolError)."""
        if self._broken is not None:
            raise BrokenStreamError(self._broken, [])
        if self._tail:
            self._tail += data
            if len(self._tail) < self._need:
                return []
            data = bytes(self._tail)
            self._tail.clear()
        packets: list[Packet] = []
        start = 0
        size = len(data)
        view = memoryview(data)
        try:
            while start < size:
                end = self._whole(data, start, size)
                if not end:
                    self._tail += view[start:]
                    break
                if data[start] == _PUBACK:
                    packets.append(_decode_puback(data, start, self._body, end))
                else:
                    check_packet(data, self._body, end, data[start])
                    packets.append(_read(view[start:end]))
                start = end
        except ProtocolError as error:
            self._broken = error.detail
            raise BrokenStreamError(error.detail, packets) from None
        return packets

    def _whole(self, data: bytes, start: int, size: int) -> int:
        """Where the packet that begins at `start` ends; 0 when it is not whole yet (then `_need` says for what)."""
        length = shift = 0
        for at in range(start + 1, min(start + 5, size)):
            byte = data[at]
            length |= (byte & 0x7F) << shift
            if byte < 0x80:
                self._body = at + 1
                end = at + 1 + length
                if end - start > self._max:
                    raise ProtocolError(f"packet of {end - start} bytes, at most {self._max} are taken")
                if end <= size:
                    return end
                self._need = end - start
                return 0
            shift += 7
        if size - start >= 5:
            raise ProtocolError("packet length longer than four bytes")  # 1.5.5
        self._need = size - start + 1
        return 0


def _decode_puback(data: bytes, start: int, body: int, end: int) -> PubAck:
    """The hot packet. Read here because mqtt5 refuses reason codes that servers do send."""
    size = end - body
    packet_id = data[body] << 8 | data[body + 1] if size >= 2 else 0
    if not packet_id:
        raise ProtocolError("PUBACK without packet id")
    if size == 2:
        return PubAck(packet_id)
    code = data[body + 2]
    if size == 3:
        return PubAck(packet_id, code)
    check_packet(data, body, end, _PUBACK)
    known = bytearray(data[start:end])
    known[body + 2 - start] = _UNSPECIFIED_ERROR
    packet = _read(memoryview(bytes(known)))
    assert isinstance(packet, PubAck)
    return PubAck(packet_id, code, packet.reason_str)


def _read(view: memoryview) -> Packet:
    try:
        packet, size = _guarded(lambda: mqtt5.read(view))
    except IndexError:
        raise ProtocolError("a length inside the packet points beyond its end") from None
    if size != len(view):
        raise ProtocolError(f"{len(view) - size} bytes too many in a packet")
    if isinstance(packet, mqtt5.PubAckPacket):
        return PubAck(packet.packet_id, int(packet.reason_code), packet.reason_str)
    return packet


def _guarded(call: Callable[[], _T]) -> _T:
    """The result of mqtt5, or ProtocolError (IndexError where it means that bytes are missing)."""
    try:
        return call()
    except IndexError:
        raise
    except (ValueError, TypeError, OverflowError) as error:
        raise ProtocolError(str(error) or type(error).__name__) from None
    except BaseException as error:
        # a panic of the Rust core is no exit of this program; its class cannot be imported
        if type(error).__module__ != "pyo3_runtime":
            raise
        raise ProtocolError(f"mqtt5 panicked: {error}") from None


Writable = (
    ConnectPacket
    | ConnAckPacket
    | PublishPacket
    | SubscribePacket
    | SubAckPacket
    | UnsubscribePacket
    | UnsubAckPacket
    | PingReqPacket
    | PingRespPacket
    | DisconnectPacket
    | AuthPacket
)


def encode(packet: Writable | PubAck) -> bytes:
    """A packet's bytes. Raises ProtocolError where a value does not fit its field."""
    if isinstance(packet, PubAck):
        return encode_puback(packet.packet_id, packet.reason_code)
    if isinstance(packet, PublishPacket) and len(packet.payload) > _MAX_BODY_BYTES:
        raise ProtocolError(f"payload of {len(packet.payload)} bytes is longer than a packet can be")
    return _guarded(packet.write)


def build(make: Callable[[], Writable]) -> bytes:
    """The bytes of the packet that `make` constructs. Raises ProtocolError, also where constructing it fails."""
    return encode(_guarded(make))


def encode_puback(packet_id: int, reason_code: int = 0) -> bytes:
    """PUBACK with any reason code (3.4)."""
    if not (0 < packet_id < 1 << 16 and 0 <= reason_code < 1 << 8):
        raise ProtocolError(f"no PUBACK: packet id {packet_id}, reason code {reason_code}")
    head = b"\x40\x03" if reason_code else b"\x40\x02"
    return head + packet_id.to_bytes(2, "big") + (bytes((reason_code,)) if reason_code else b"")


def encode_publish(
    topic: str,
    payload: bytes,
    packet_id: int,
    *,
    retain: bool = False,
    content_type: str | None = None,
    utf8: bool = False,
    user_properties: Properties | None = None,
) -> bytes:
    """PUBLISH at QoS 1 (3.3): the hot packet of a forwarder. Raises ProtocolError.

    `utf8` marks the payload as text (payload format indicator 1).
    """
    if len(payload) > _MAX_BODY_BYTES:
        raise ProtocolError(f"payload of {len(payload)} bytes is longer than a packet can be")
    if "\0" in topic:
        raise ProtocolError("a topic holds U+0000")
    try:
        return PublishPacket(
            topic,
            payload,
            qos=QoS.AT_LEAST_ONCE,
            retain=retain,
            packet_id=packet_id,
            payload_format_indicator=1 if utf8 else 0,
            content_type=content_type,
            user_properties=user_properties,
        ).write()
    except (ValueError, TypeError, OverflowError) as error:
        raise ProtocolError(str(error)) from None


def will_of(topic: str, payload: bytes) -> mqtt5.Will:
    """A retained text will at QoS 1 (3.1.2.5). Raises ProtocolError."""
    return _guarded(
        lambda: mqtt5.Will(topic, payload=payload, qos=QoS.AT_LEAST_ONCE, retain=True, payload_format_indicator=1)
    )
