"""JBIG2 pictures inside PDFs: whether every segment is whole, and whether any is coded by symbols.

No pixel is decoded: no library at hand does it strictly. ITU-T T.88 §7.2 (segment headers), §7.3.1 (types); ISO 32000-1
§7.4.7: a picture's segments one after the other, without the file's header.
"""

import struct
from collections.abc import Iterator
from typing import Final

SYMBOLS: Final = frozenset({0, 4, 6, 7})
"""Types of segments that hold symbols, or texts that are set with them."""
_REGIONS: Final = frozenset({4, 6, 7, 20, 22, 23, 36, 38, 39, 40, 42, 43})
_GENERIC: Final = 38
_UNKNOWN: Final = 0xFFFFFFFF
_MAX_SEGMENTS: Final = 100_000
_BLANK: Final = b"\0\r\n"


class Cut(Exception):  # noqa: N818 - a fact about the picture
    """A segment is not all there, or these are no segments."""


def is_symbol_coded(data: bytes) -> bool:
    """Whether symbols are used. Raises Cut where it is not whole, or no picture is in it."""
    kinds = set(segments(data))
    if not kinds & _REGIONS:
        raise Cut
    return bool(kinds & SYMBOLS)


def segments(data: bytes) -> Iterator[int]:
    """The types of all segments. Raises Cut."""
    at = 0
    for _ in range(_MAX_SEGMENTS):
        if not data[at:].strip(_BLANK) if len(data) - at < 4 else at == len(data):
            return
        try:
            kind, begin, length = _header(data, at)
        except (struct.error, IndexError):
            raise Cut from None
        if length == _UNKNOWN:
            length = _generic_length(data, begin, kind)
        at = begin + length
        if at > len(data):
            raise Cut
        yield kind
    raise Cut


def _header(data: bytes, at: int) -> tuple[int, int, int]:
    """Type, where its data begin, and how many bytes they have (§7.2.2 to §7.2.7)."""
    number, flags, referred = struct.unpack_from(">IBB", data, at)
    at += 5
    count = referred >> 5
    if count == 7:
        count = struct.unpack_from(">I", data, at)[0] & 0x1FFFFFFF
        at += 4 + (count + 8) // 8
    elif count > 4:
        raise Cut
    else:
        at += 1
    at += count * (1 if number <= 256 else 2 if number <= 65536 else 4)
    at += 4 if flags & 0x40 else 1
    (length,) = struct.unpack_from(">I", data, at)
    return flags & 0x3F, at + 4, length


def _generic_length(data: bytes, begin: int, kind: int) -> int:
    """Of a generic region that does not say it: up to its end mark and the number of rows (§7.2.7)."""
    if kind != _GENERIC or begin + 18 > len(data):
        raise Cut
    mark = b"\x00\x00" if data[begin + 17] & 1 else b"\xff\xac"
    end = data.find(mark, begin + 18)
    if end < 0:
        raise Cut
    return end + 2 + 4 - begin
