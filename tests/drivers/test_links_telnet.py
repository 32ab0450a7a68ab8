"""Byte values from RFC 854 (commands, escaping), RFC 855 (subnegotiation) and RFC 2217 (COM-PORT-OPTION is 44)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torhaus.drivers.links.telnet import MAX_SUBNEGOTIATION, Negotiation, Subnegotiation, Telnet

WILL_COM_PORT = b"\xff\xfb\x2c"
SERVER_SET_BAUDRATE = b"\xff\xfa\x2c\x65\x00\x00\x25\x80\xff\xf0"

Result = tuple[bytes, list[Negotiation | Subnegotiation]]


def feed(stream: bytes, *, each: int) -> Result:
    telnet, payload, commands = Telnet(), b"", list[Negotiation | Subnegotiation]()
    for at in range(0, len(stream), each):
        data, found = telnet.feed(stream[at : at + each])
        payload += data
        commands += found
    return payload, commands


@pytest.mark.parametrize("each", [1, 2, 3, 1000])
@pytest.mark.parametrize(
    ("stream", "result"),
    [
        (b"plain", (b"plain", [])),
        (b"a\xff\xffb", (b"a\xffb", [])),
        (b"a" + WILL_COM_PORT + b"b", (b"ab", [Negotiation(b"\xfb", b"\x2c")])),
        (b"\xff\xfe\xff" + b"x", (b"x", [Negotiation(b"\xfe", b"\xff")])),
        (b"1" + SERVER_SET_BAUDRATE + b"2", (b"12", [Subnegotiation(b"\x2c\x65\x00\x00\x25\x80")])),
        (b"\xff\xfa\x2c\x65\xff\xff\xff\xf0", (b"", [Subnegotiation(b"\x2c\x65\xff")])),
        (b"a\xff\xf1b\xff\xf9c", (b"abc", [])),  # NOP, GA
        (b"a\xff\xf0b", (b"ab", [])),  # an end without a beginning
        (b"\xff\xfa\xff\xf0b", (b"b", [])),  # nothing inside
        (b"\xff\xfa\x01\xff\xfa\x02\xff\xf0", (b"", [Subnegotiation(b"\x02")])),  # a beginning inside
        (
            b"\xff\xfa\x01" + WILL_COM_PORT + b"\xff\xf0",
            (b"", [Negotiation(b"\xfb", b"\x2c"), Subnegotiation(b"\x01")]),
        ),
        (b"\xff\xfa" + b"x" * (MAX_SUBNEGOTIATION + 1) + b"\xff\xf0y", (b"y", [])),  # too long
        (b"\xff\xfa" + b"x" * MAX_SUBNEGOTIATION + b"\xff\xf0", (b"", [Subnegotiation(b"x" * MAX_SUBNEGOTIATION)])),
    ],
)
def test_data_and_commands(stream: bytes, result: Result, each: int) -> None:
    assert feed(stream, each=each) == result


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from([b"\xff", b"\xfa", b"\xf0", b"\xfb", b"\x2c", b"data"]), max_size=60), st.integers(1, 7)
)
def test_chunks_do_not_matter_and_nothing_escapes(parts: list[bytes], each: int) -> None:
    stream = b"".join(parts)
    assert feed(stream, each=each) == feed(stream, each=1000)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_escaped_data_comes_back(data: bytes) -> None:
    assert feed(data.replace(b"\xff", b"\xff\xff"), each=1000) == (data, [])


def test_an_endless_subnegotiation_is_not_kept() -> None:
    telnet = Telnet()
    telnet.feed(b"\xff\xfa")
    for _ in range(1000):
        assert telnet.feed(b"x" * 1000) == (b"", [])
    assert telnet._sub is not None
    assert len(telnet._sub) == MAX_SUBNEGOTIATION + 1
