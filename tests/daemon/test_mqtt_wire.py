import contextlib
import itertools

import mqtt5
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torhaus.daemon.forward.flight import ProtocolError
from torhaus.daemon.mqtt import wire
from torhaus.daemon.mqtt.wire import BrokenStreamError, Decoder, Packet, PubAck

# own work, written out by MQTT 5.0, sections 3.2, 3.4, 3.13, 3.14
CONNACK = bytes.fromhex("20 06 00 00 03 21 00 14")  # success, receive maximum 20
PUBACK = bytes.fromhex("40 02 12 34")
PUBACK_NOBODY = bytes.fromhex("40 03 12 35 10")
PUBACK_TOO_LARGE = bytes.fromhex("40 03 12 36 95")
PUBACK_WITH_WORDS = bytes.fromhex("40 0b 12 37 97 07 1f 00 04") + b"full"
PINGRESP = bytes.fromhex("d0 00")
DISCONNECT = bytes.fromhex("e0 01 8b")
STREAM = CONNACK + PUBACK + PUBACK_NOBODY + PINGRESP + PUBACK_TOO_LARGE + PUBACK_WITH_WORDS + DISCONNECT


def shape(packets: list[Packet]) -> list[str]:
    return [repr(packet) for packet in packets]


def decode_all(data: bytes, cuts: list[int]) -> tuple[list[Packet], str | None]:
    decoder, packets = Decoder(), []
    edges = [0, *sorted(cuts), len(data)]
    for start, end in itertools.pairwise(edges):
        try:
            packets += decoder.feed(data[start:end])
        except BrokenStreamError as error:
            return packets + error.packets, error.detail
    return packets, None


def test_whole() -> None:
    connack, one, two, pong, three, four, bye = Decoder().feed(STREAM)
    assert isinstance(connack, wire.ConnAckPacket)
    assert connack.receive_max == 20
    assert one == PubAck(0x1234)
    assert two == PubAck(0x1235, 0x10)
    assert isinstance(pong, wire.PingRespPacket)
    assert three == PubAck(0x1236, 0x95)
    assert four == PubAck(0x1237, 0x97, "full")
    assert isinstance(bye, wire.DisconnectPacket)
    assert int(bye.reason_code) == 0x8B


def test_byte_by_byte() -> None:
    assert shape(decode_all(STREAM, list(range(1, len(STREAM))))[0]) == shape(Decoder().feed(STREAM))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_any_cut(cuts: list[int]) -> None:
    assert shape(decode_all(STREAM, cuts)[0]) == shape(Decoder().feed(STREAM))


def test_truncated_waits() -> None:
    for size in range(len(STREAM)):
        packets, fault = decode_all(STREAM[:size], [])
        assert fault is None
        assert shape(packets) == shape(Decoder().feed(STREAM))[: len(packets)]


def test_what_came_before_a_fault_counts() -> None:
    decoder = Decoder()
    with pytest.raises(BrokenStreamError) as caught:
        decoder.feed(PUBACK + b"\xff" * 9 + PUBACK)
    assert caught.value.packets == [PubAck(0x1234)]
    with pytest.raises(BrokenStreamError) as again:
        decoder.feed(PUBACK)
    assert again.value.packets == []


@pytest.mark.parametrize(
    "junk",
    [
        b"\x30\x05\x00\x02\xff\xfe\x00",  # topic that is not UTF-8
        b"\x30\x05\x00\x02\x00a\x00",  # topic with U+0000
        b"\x20\x02\x00\x00",  # CONNACK of MQTT 3.1.1
        b"\x20\x08\x00\x00\x05\x1f\x00\x02\xff\xfe",  # reason string that is not UTF-8
        b"\x40\x0a\x00\x01\x00\x06\x26\x00\x01\xff\x00\x00",  # user property that is not UTF-8
        b"\x40\x02\x00\x00",  # packet id 0
        b"\x40\x01\x00",
        b"\x4f\x02\x00\x01",  # flags
        b"\xd0\x01\x00",
        b"\x30\xff\xff\xff\xff\x01",  # length of five bytes
        b"\x30\xff\xff\xff\x7f",  # 256 MB claimed
        b"\x00\x00",
        b"\x40\x05\x00\x01\x00\x09\x1f",
        b"\xe0\x01\x7f",  # reason code that no standard lists
    ],
)
def test_junk(junk: bytes) -> None:
    for cuts in ([], list(range(1, len(junk) + 4))):
        packets, fault = decode_all(PUBACK + junk, cuts)
        assert packets == [PubAck(0x1234)]
        assert fault


def test_length_is_bounded() -> None:
    payload = b"x" * 100
    packet = wire.encode_publish("a", payload, 1)
    assert len(Decoder(len(packet)).feed(packet)) == 1
    with pytest.raises(BrokenStreamError, match="at most"):
        Decoder(len(packet) - 1).feed(packet[:3])


def test_a_panic_does_not_escape(monkeypatch: pytest.MonkeyPatch) -> None:
    panic = type("PanicException", (BaseException,), {"__module__": "pyo3_runtime"})

    def read(view: memoryview) -> tuple[Packet, int]:
        raise panic("PyObject pointer is null")

    monkeypatch.setattr(mqtt5, "read", read)
    with pytest.raises(BrokenStreamError, match="panicked"):
        Decoder().feed(PINGRESP)


def test_strings_of_a_client_are_looked_at_too() -> None:
    will = wire.will_of("w/t", b"\xff")
    packets: list[wire.Writable] = [
        wire.ConnectPacket("client-id", username="user-name", password=b"\xff\xfe", will=will),
        wire.SubscribePacket(1, [wire.TopicFilter("first/+"), wire.TopicFilter("second/#")]),
        wire.UnsubscribePacket(1, ["first/+"]),
    ]
    for packet in packets:
        data = wire.encode(packet)
        assert len(Decoder().feed(data)) == 1
        for text in (b"MQTT", b"client-id", b"w/t", b"user-name", b"first", b"second"):
            if text in data:
                with pytest.raises(BrokenStreamError):
                    Decoder().feed(data.replace(text, b"\xff" * len(text)))
        for size in range(2, len(data) - 1):
            with contextlib.suppress(BrokenStreamError):
                Decoder().feed(data[:1] + bytes((size,)) + data[2 : 2 + size])


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80), st.lists(st.integers(0, 80), max_size=4))
def test_random(data: bytes, cuts: list[int]) -> None:
    decode_all(data, [cut for cut in cuts if cut <= len(data)])


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([0x10, 0x82, 0xA2, 0x20, 0x30, 0x32, 0x40, 0x50, 0x62, 0x70, 0x90, 0xB0, 0xD0, 0xE0, 0xF0]),
    st.binary(max_size=40),
)
def test_random_bodies(first: int, body: bytes) -> None:
    decode_all(bytes((first, len(body))) + body, [])


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(STREAM) - 1), st.integers(1, 255))
def test_one_byte_wrong(at: int, flip: int) -> None:
    data = bytearray(STREAM)
    data[at] ^= flip
    decode_all(bytes(data), [])


@settings(max_examples=100, deadline=None)
@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0+#"), min_size=1, max_size=30),
    st.binary(max_size=300),
    st.integers(1, 65_535),
    st.lists(st.tuples(st.text("abc/ü", max_size=9), st.text("xyz€", max_size=9)), max_size=3),
)
def test_publish_there_and_back(topic: str, payload: bytes, packet_id: int, properties: list[tuple[str, str]]) -> None:
    data = wire.encode_publish(topic, payload, packet_id, content_type="application/json", user_properties=properties)
    (packet,) = Decoder().feed(data)
    assert isinstance(packet, wire.PublishPacket)
    assert (packet.topic, packet.payload, packet.packet_id) == (topic, payload, packet_id)
    assert int(packet.qos) == 1
    assert packet.user_properties == properties
    assert not packet.duplicate


@pytest.mark.parametrize("topic", ["a\0b", "a/#", "+", "x" * 65_536, "\ud800", ""])
def test_topics_that_cannot_be_written(topic: str) -> None:
    with pytest.raises(ProtocolError):
        wire.encode_publish(topic, b"", 1)


@pytest.mark.parametrize("packet_id", [-1, 65_536, 1 << 40])
def test_packet_ids_that_cannot_be_written(packet_id: int) -> None:
    with pytest.raises(ProtocolError):
        wire.encode_publish("a", b"", packet_id)
    with pytest.raises(ProtocolError):
        wire.encode_puback(packet_id)


def test_payload_beyond_the_protocol() -> None:
    payload = bytes(1 << 28)
    with pytest.raises(ProtocolError, match="longer than a packet"):
        wire.encode_publish("a", payload, 1)
    with pytest.raises(ProtocolError, match="longer than a packet"):
        wire.encode(wire.PublishPacket("a", payload))


def test_puback_as_the_standard_has_it() -> None:
    assert wire.encode_puback(0x1234) == PUBACK
    assert wire.encode(PubAck(0x1235, 0x10)) == PUBACK_NOBODY


def test_build_and_will_refuse() -> None:
    with pytest.raises(ProtocolError):
        wire.build(lambda: wire.ConnectPacket("c", username="u" * 70_000))
    with pytest.raises(ProtocolError):
        wire.will_of("a/\ud800", b"")
    assert wire.build(lambda: wire.ConnectPacket("c")).startswith(b"\x10")


def test_other_exceptions_are_not_swallowed() -> None:
    def interrupt() -> wire.PingReqPacket:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        wire.build(interrupt)


PLAIN = b"".join(wire.encode_puback(n) for n in (7, 65_535, 256))


@pytest.mark.parametrize(
    ("data", "ids"),
    [
        (PLAIN, (7, 65_535, 256)),
        (PLAIN + b"\x40\x02\x01", (7, 65_535, 256)),  # the rest is not there yet
        (PLAIN + wire.encode_puback(5, 0x10), ()),
        (wire.encode_puback(5, 0x10) + PLAIN, ()),
        (PLAIN + b"\x40\x02\0\0", ()),  # no packet id: for `feed` to refuse
        (b"", ()),
        (b"\x40\x02\x01", ()),
    ],
)
def test_plain_pubacks_at_the_beginning(data: bytes, ids: tuple[int, ...]) -> None:
    assert wire.Decoder().leading_acks(data) == ids


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=40) | st.lists(st.sampled_from([b"\x40\x02\0\1", b"\x40", b"\xd0\0"])).map(b"".join))
def test_they_are_what_feed_would_say(data: bytes) -> None:
    """Whatever comes: told apart before or not, the same packets and the same fault come of it."""
    quick = wire.Decoder()
    ids = quick.leading_acks(data)
    want, fault = decode_all(data, [])
    packets: list[Packet] = [PubAck(n) for n in ids]
    told: str | None = None
    try:
        packets += quick.feed(data[4 * len(ids) :])
    except BrokenStreamError as error:
        packets += error.packets
        told = error.detail
    assert told == fault
    assert shape(packets) == shape(want)


def test_in_the_middle_of_a_packet_nothing_is_told_apart() -> None:
    decoder = wire.Decoder()
    assert decoder.feed(b"\x40\x02\0") == []
    assert decoder.leading_acks(b"\x40\x02\0\1") == ()
