"""SML binary encoding: type-length fields into a tree, every depth and length bounded.

Source: SML, Smart Message Language, version 1.03, chapter on the SML binary encoding.

    TL  m ttt llll   m: one more TL byte follows, ttt: type, llll: length, 4 bits per TL byte, high bits first
        ttt 000 octet string, 100 boolean, 101 integer, 110 unsigned, 111 list
        the length of a list counts its elements, any other counts the bytes with the TL bytes themselves
        01 (an empty octet string) stands for an optional element that is not there; 00 ends a message
"""

from typing import Final, NamedTuple, TypeAlias

from torhaus.codecs.model import DecodeError, RejectReason

MAX_DEPTH: Final = 12
"""Nested lists: a list of values needs seven levels."""

MAX_LIST: Final = 512
"""Elements of one list: the longest lists of values seen have some thirty."""

MAX_TL: Final = 4
"""Bytes of one type-length field: 16 bits of length."""


class Number(NamedTuple):
    """An integer and the bytes it was sent in (its sign can be wrong with some meters, see `sml`)."""

    value: int
    size: int


Node: TypeAlias = "bytes | bool | Number | list[Node] | None"
"""Octet string, boolean, number, list; None is an optional element left out."""


def parse(data: bytes, pos: int = 0, depth: int = 0) -> tuple[Node, int]:
    """The element at `pos` and the offset behind it. Raises DecodeError SHORT, LONG, SYNTAX or UNKNOWN_TYPE."""
    end = len(data)
    if pos >= end:
        raise DecodeError(RejectReason.SHORT, f"an element is missing at offset {pos}")
    tl = data[pos]
    if tl == 0x01:
        return None, pos + 1
    kind = tl >> 4 & 0x07
    length = tl & 0x0F
    at = pos + 1
    while tl & 0x80:
        if at >= end or at - pos >= MAX_TL:
            raise DecodeError(RejectReason.SHORT if at >= end else RejectReason.LONG, f"length field at offset {pos}")
        tl = data[at]
        if tl & 0x70:
            raise DecodeError(RejectReason.SYNTAX, f"length field at offset {pos}")
        length = length << 4 | tl & 0x0F
        at += 1
    if kind == 7:
        return _elements(data, at, length, depth + 1)
    stop = pos + length
    if stop < at:
        raise DecodeError(RejectReason.SYNTAX, f"length {length} at offset {pos}")
    if stop > end:
        raise DecodeError(RejectReason.SHORT, f"{length} bytes wanted at offset {pos}, {end - pos} left")
    if kind in {5, 6}:
        if not 1 <= stop - at <= 8:
            raise DecodeError(RejectReason.SYNTAX, f"a number of {stop - at} bytes at offset {pos}")
        return Number(int.from_bytes(data[at:stop], "big", signed=kind == 5), stop - at), stop
    if kind == 0:
        return data[at:stop], stop
    if kind == 4 and stop - at == 1:
        return data[at] != 0, stop
    raise DecodeError(RejectReason.UNKNOWN_TYPE, f"type {kind} with length {length} at offset {pos}")


def _elements(data: bytes, pos: int, count: int, depth: int) -> tuple[Node, int]:
    """`count` elements from `pos` on."""
    if depth > MAX_DEPTH:
        raise DecodeError(RejectReason.LONG, f"lists nested deeper than {MAX_DEPTH}")
    if count > MAX_LIST:
        raise DecodeError(RejectReason.LONG, f"a list of {count} elements, at most {MAX_LIST}")
    if count > len(data) - pos:
        raise DecodeError(RejectReason.SHORT, f"{count} elements wanted at offset {pos}, {len(data) - pos} bytes left")
    nodes: list[Node] = []
    for _ in range(count):
        node, pos = parse(data, pos, depth)
        nodes.append(node)
    return nodes, pos
