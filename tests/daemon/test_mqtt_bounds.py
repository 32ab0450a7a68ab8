import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torhaus.daemon.forward.flight import ProtocolError
from torhaus.daemon.mqtt.bounds import check_packet, check_properties, check_utf8, read_varint


@pytest.mark.parametrize(
    ("data", "value", "end"),
    # MQTT 5.0, table 1-1
    [
        (b"\x00", 0, 1),
        (b"\x7f", 127, 1),
        (b"\x80\x01", 128, 2),
        (b"\xff\x7f", 16_383, 2),
        (b"\x80\x80\x01", 16_384, 3),
        (b"\xff\xff\xff\x7f", 268_435_455, 4),
    ],
)
def test_varint_of_the_standard(data: bytes, value: int, end: int) -> None:
    assert read_varint(data + b"junk", 0, len(data) + 4) == (value, end)


@pytest.mark.parametrize("data", [b"", b"\x80", b"\xff\xff\xff", b"\xff\xff\xff\xff\x01"])
def test_varint_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        read_varint(data, 0, len(data))


@pytest.mark.parametrize("text", [b"\xff\xfe", b"\xed\xa0\x80", b"a\0b", b"\xc3"])
def test_strings_refused(text: bytes) -> None:
    with pytest.raises(ProtocolError):
        check_utf8(text)


@pytest.mark.parametrize(
    "properties",
    [
        b"\x00",
        b"\x03\x21\x00\x14",  # receive maximum 20
        b"\x07\x26\x00\x02id\x00\x00",  # user property id = ""
        b"\x04\x0b\xff\xff\x7f",  # subscription identifier
        b"\x05\x09\x00\x02\xff\xfe",  # correlation data may hold anything
        b"\x05\x1f\x00\x02ok",  # reason string
    ],
)
def test_properties_taken(properties: bytes) -> None:
    check_properties(properties, 0, len(properties))


@pytest.mark.parametrize(
    "properties",
    [
        b"",
        b"\x05",  # longer than the packet
        b"\x01\x7e",  # unknown
        b"\x02\x21\x00",  # the last one is cut
        b"\x05\x1f\x00\x02\xff\xfe",
        b"\x08\x26\x00\x02id\x00\x01\xff",
        b"\x03\x1f\x00\x09",
        b"\x03\x09\x00\x09",
        b"\x01\x0b",
    ],
)
def test_properties_refused(properties: bytes) -> None:
    with pytest.raises(ProtocolError):
        check_properties(properties, 0, len(properties))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00",
        b"\x00\x09a",
        b"\x00\x01+\x00\x01\x00",
        b"\x00\x03a/#\x00\x01\x00",
        b"\x00\x01a\x00\x00\x00",
        b"\x00\x01a\x00",
    ],
)
def test_publish_refused(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        check_packet(body, 0, len(body), 0x32)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 255))
def test_only_protocol_error(body: bytes, first: int) -> None:
    with contextlib.suppress(ProtocolError):
        check_packet(body, 0, len(body), first)
