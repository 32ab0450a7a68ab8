"""What is looked at in an MQTT 5 packet before a decoder is given it: lengths and strings.

Source: MQTT Version 5.0, OASIS Standard, 7 March 2019 (sections in the comments). Pure: no I/O, no clock.
"""

from typing import Final

from torhaus.daemon.forward.flight import ProtocolError

# Table 2-4: property identifiers by their type.
_FIXED: Final = {
    **dict.fromkeys((0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A), 1),
    **dict.fromkeys((0x13, 0x21, 0x22, 0x23), 2),
    **dict.fromkeys((0x02, 0x11, 0x18, 0x27), 4),
}
_STRINGS: Final = {**dict.fromkeys((0x03, 0x08, 0x12, 0x15, 0x1A, 0x1C, 0x1F), 1), 0x26: 2}
_BINARY: Final = frozenset((0x09, 0x16))
_VARINT: Final = 0x0B

_PROPERTIES_AT: Final = {0x20: 2, 0x40: 3, 0x50: 3, 0x60: 3, 0x70: 3, 0x90: 2, 0xB0: 2, 0xE0: 1, 0xF0: 1}
"""Where the properties begin in the body, by packet type (3.2.2, 3.4.2 to 3.7.2, 3.9.2, 3.11.2, 3.14.2, 3.15.2), for
the packets that have no string but among these."""


def check_packet(data: bytes, body: int, end: int, first: int) -> None:
    """Look at the strings of one whole packet; `body` is where its variable header begins. Raises ProtocolError.

    Malformed UTF-8 and U+0000 are found here; every other fault is left to the decoder.
    """
    kind = first & 0xF0
    if kind == 0x30:
        _check_publish(data, body, end, first)
    elif (at := _PROPERTIES_AT.get(kind)) is not None and end - body > at:
        check_properties(data, body + at, end)
    elif kind in {0x80, 0xA0}:
        _check_filters(data, check_properties(data, body + 2, end), end, options=kind == 0x80)
    elif kind == 0x10:
        _check_connect(data, body, end)


def _check_filters(data: bytes, at: int, end: int, *, options: bool) -> None:
    """SUBSCRIBE and UNSUBSCRIBE (3.8.3, 3.10.3): topic filters, the former's each with a byte of options."""
    while at < end:
        at = _check_string(data, at, end) + options


def _check_connect(data: bytes, body: int, end: int) -> None:
    """CONNECT (3.1.2, 3.1.3): protocol name, client id, will, user name."""
    at = _check_string(data, body, end)
    if end - at < 4:
        raise ProtocolError("CONNECT without flags")
    version, flags = data[at], data[at + 1]
    if version != 5:
        raise ProtocolError(f"CONNECT of protocol level {version}, only 5 is spoken")
    at = _check_string(data, check_properties(data, at + 4, end), end)
    if flags & 0x04:
        at = _check_string(data, check_properties(data, at, end), end)
        at = _behind(data, at, end)
    if flags & 0x80:
        _check_string(data, at, end)


def _check_publish(data: bytes, body: int, end: int, first: int) -> None:
    """Topic name and packet id (3.3.2.1, 3.3.2.2), and the strings among the properties."""
    at = _check_string(data, body, end)
    topic = data[body + 2 : at]
    if b"+" in topic or b"#" in topic:
        raise ProtocolError("PUBLISH topic with a wildcard")
    if first & 0x06:
        if end - at < 2 or not (data[at] or data[at + 1]):
            raise ProtocolError("PUBLISH without packet id")
        at += 2
    check_properties(data, at, end)


def check_utf8(text: bytes) -> None:
    """1.5.4: well-formed UTF-8 without U+0000. Raises ProtocolError."""
    try:
        text.decode()
    except UnicodeDecodeError:
        raise ProtocolError("a string is not UTF-8") from None
    if b"\0" in text:
        raise ProtocolError("a string holds U+0000")


def read_varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Variable byte integer (1.5.5) at `at`: its value and where it ends. Raises ProtocolError."""
    value = 0
    for shift in (0, 7, 14, 21):
        if at >= end:
            break
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ProtocolError("malformed variable byte integer")


def check_properties(data: bytes, at: int, end: int) -> int:
    """The strings among the properties (2.2.2) that begin at `at` with their length; returns where they end.

    Raises ProtocolError.
    """
    size, at = read_varint(data, at, end)
    if at + size > end:
        raise ProtocolError("properties longer than their packet")
    end = at + size
    while at < end:
        name = data[at]
        at += 1
        if name in _FIXED:
            at += _FIXED[name]
        elif name == _VARINT:
            _, at = read_varint(data, at, end)
        elif name in _STRINGS:
            for _ in range(_STRINGS[name]):
                at = _check_string(data, at, end)
        elif name in _BINARY:
            at = _behind(data, at, end)
        else:
            raise ProtocolError(f"unknown property 0x{name:02x}")
    if at > end:
        raise ProtocolError("the last property is longer than its packet")
    return end


def _check_string(data: bytes, at: int, end: int) -> int:
    """Where the string that begins at `at` with its length ends."""
    after = _behind(data, at, end)
    check_utf8(data[at + 2 : after])
    return after


def _behind(data: bytes, at: int, end: int) -> int:
    """Where the length-prefixed value that begins at `at` ends."""
    after = at + 2 + int.from_bytes(data[at : at + 2], "big")
    if after > end:
        raise ProtocolError("a string or binary value is longer than its packet")
    return after
