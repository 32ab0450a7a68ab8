import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torhaus.drivers.links.url import Line, ReplaySpec, Rfc2217Spec, SerialSpec, TcpSpec, parse_link

GOOD = {
    "serial:///dev/ttyUSB0": SerialSpec("/dev/ttyUSB0", Line(9600, "N", 8, 1, rtscts=False), exclusive=True),
    "serial:///dev/serial/by-id/usb-FTDI_FT230X#1_D30A-if00-port0?baud=300&parity=E&bytesize=7": SerialSpec(
        "/dev/serial/by-id/usb-FTDI_FT230X#1_D30A-if00-port0", Line(300, "E", 7)
    ),
    "serial:///dev/ttyS1?stopbits=2&rtscts=1&exclusive=0&parity=O": SerialSpec(
        "/dev/ttyS1", Line(parity="O", stopbits=2, rtscts=True), exclusive=False
    ),
    "serial:///dev/a%3Fb": SerialSpec("/dev/a?b", Line()),
    "tcp://192.0.2.10:8899": TcpSpec("192.0.2.10", 8899),
    "tcp://meter-3.example:1/": TcpSpec("meter-3.example", 1),
    "tcp://[2001:db8::10]:8899": TcpSpec("2001:db8::10", 8899),
    "tcp://[fe80::1%25eth0]:8899": TcpSpec("fe80::1%eth0", 8899),
    "rfc2217://192.0.2.10:2217?baud=2400&parity=E": Rfc2217Spec("192.0.2.10", 2217, Line(2400, "E")),
    "replay:captures/meter.cap": ReplaySpec("captures/meter.cap"),
    "replay:/a/b.cap?speed=1.5&loop=1": ReplaySpec("/a/b.cap", 1.5, loop=True),
    "replay:///a/b%20c.cap": ReplaySpec("/a/b c.cap"),
}

BAD = {
    "": "starts with serial:, tcp:, rfc2217: or replay:",
    "/dev/ttyUSB0": "write serial:///dev/ttyUSB0",
    "COM3": "starts with serial:",
    "http://192.0.2.10": "starts with serial:",
    "SERIAL:///dev/ttyUSB0": "starts with serial:",
    " tcp://a:1": "no spaces",
    "tcp://a:1\n": "no control characters",
    "serial://dev/ttyUSB0": "three slashes: write serial:///dev/ttyUSB0",
    "serial:/dev/ttyUSB0": "three slashes",
    "serial:///": "three slashes",
    "serial:///dev/tty%00": "no control characters",
    "serial:///dev/ttyUSB0?baud=fast": "baud is a whole number from 50 to 4000000, not 'fast'",
    "serial:///dev/ttyUSB0?baud=49": "baud is a whole number",
    "serial:///dev/ttyUSB0?baud=-1": "baud is a whole number",
    "serial:///dev/ttyUSB0?baud=²": "baud is a whole number",
    "serial:///dev/ttyUSB0?baud=": "baud is a whole number",
    "serial:///dev/ttyUSB0?baud": "baud has no value: write baud=…",
    "serial:///dev/ttyUSB0?baud=300&baud=600": "baud is there twice",
    "serial:///dev/ttyUSB0?parity=even": "parity is N (none), E (even) or O (odd), not 'even'",
    "serial:///dev/ttyUSB0?bytesize=9": "bytesize is a whole number from 5 to 8",
    "serial:///dev/ttyUSB0?stopbits=1.5": "stopbits is a whole number from 1 to 2",
    "serial:///dev/ttyUSB0?rtscts=yes": "rtscts is 0 or 1, not 'yes'",
    "serial:///dev/ttyUSB0?speed=1": "serial: takes baud, parity, bytesize, stopbits, rtscts, exclusive; not 'speed'",
    "serial:///dev/ttyUSB0?": "not ''",
    "tcp:192.0.2.10:8899": "two slashes: write tcp://192.0.2.10:8899",
    "tcp://192.0.2.10": "the port is missing",
    "tcp://[2001:db8::10]": "the port is missing",
    "tcp://:8899": "':8899' is not host:port",
    "tcp://2001:db8::10:8899": "in brackets",
    "tcp://[nonsense]:8899": "'nonsense' is not an IPv6 address",
    "tcp://192.0.2.10:0": "a port is from 1 to 65535, not 0",
    "tcp://192.0.2.10:65536": "a port is from 1 to 65535",
    "tcp://user:secret@192.0.2.10:8899": "no user or password",
    "tcp://192.0.2.10:8899/path": "is not host:port",
    "tcp://192.0.2.10:8899?baud=9600": "takes no settings: the converter has its own",
    "rfc2217://192.0.2.10:2217?exclusive=1": "rfc2217: takes baud, parity, bytesize, stopbits, rtscts; not 'exclusive'",
    "replay:": "the path of the capture is missing",
    "replay://captures/meter.cap": "follows the colon",
    "replay:/a?speed=-1": "speed is a number from 0 to 1000000, not '-1'",
    "replay:/a?speed=1e9": "speed is a number",
    "replay:/a?speed=nan": "speed is a number",
    "replay:/a?loop=2": "loop is 0 or 1",
    "replay:/" + "a" * 1100: "at most 1024 characters",
}


@pytest.mark.parametrize("url", GOOD)
def test_what_may_be_written(url: str) -> None:
    assert parse_link(url) == GOOD[url]


@pytest.mark.parametrize("url", BAD)
def test_what_is_wrong_is_said(url: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_link(url)
    assert BAD[url] in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_protocol_brings_its_own_line_settings() -> None:
    iec = Line(300, "E", 7)
    assert parse_link("serial:///dev/ttyUSB0", iec) == SerialSpec("/dev/ttyUSB0", iec)
    assert parse_link("rfc2217://192.0.2.10:1?baud=9600", iec) == Rfc2217Spec("192.0.2.10", 1, Line(9600, "E", 7))


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["serial://", "tcp://", "rfc2217://", "replay:", ""]),
    st.text(alphabet="/:?&=.[]%@ab019\x00é", max_size=40) | st.text(max_size=40),
)
def test_only_value_error_escapes(scheme: str, rest: str) -> None:
    said = ""
    try:
        parse_link(scheme + rest)
    except ValueError as error:
        said = str(error)
    assert len(said) < 300
