"""The frame of a TIFF: every directory, every value and every strip lies within the file.

Decoders read a file whose end is missing as one with fewer pages, or with a tag less, and say nothing. TIFF 6.0 section
2; BigTIFF (libtiff's bigtiff specification) has 64-bit offsets.
"""

import struct
from typing import BinaryIO, Final

MAX_ENTRIES: Final = 4096
"""Of one directory. Scanners write some twenty."""
_SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""Bytes of one value by field type."""
_FORMATS: Final = {3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_PARTS: Final = ((273, 279), (324, 325))
"""Tags of offsets and byte counts: of strips, of tiles."""
_MAX_PARTS: Final = 2_000_000


class Cut(Exception):  # noqa: N818 - a fact about the file
    """Something that a directory speaks of is not in the file, or the directories are none."""


def directories(file: BinaryIO, size: int, limit: int) -> int:
    """How many pages its directories name, at most `limit` and one more. Raises Cut."""
    head = Reader(file, size, "<")
    start = head.read(0, 8)
    order = "<" if start[:2] == b"II" else ">"
    is_big = struct.unpack(f"{order}H", start[2:4])[0] == 43
    walk = Reader(file, size, order)
    offset = walk.number("Q", 8) if is_big else walk.number("I", 4)
    seen: set[int] = set()
    while offset and len(seen) <= limit:
        if offset in seen:
            raise Cut
        seen.add(offset)
        offset = _directory(walk, offset, is_big=is_big)
    if not seen:
        raise Cut
    return len(seen)


class Reader:
    """Bytes and numbers of a file, within its `size`. `order`: as struct has it. Raises Cut."""

    def __init__(self, file: BinaryIO, size: int, order: str) -> None:
        self._file = file
        self.size = size
        self.order = order

    def read(self, at: int, count: int) -> bytes:
        """So many, or Cut."""
        if at + count > self.size:
            raise Cut
        self._file.seek(at)
        data = self._file.read(count)
        if len(data) != count:
            raise Cut
        return data

    def number(self, kind: str, at: int) -> int:
        """One of struct's `kind`."""
        found: int = struct.unpack(self.order + kind, self.read(at, struct.calcsize("<" + kind)))[0]
        return found


def _directory(walk: Reader, at: int, *, is_big: bool) -> int:
    """Check one; where the next one is."""
    wide, inline = ("Q", 8) if is_big else ("I", 4)
    count = walk.number("Q" if is_big else "H", at)
    if not 0 < count <= MAX_ENTRIES:
        raise Cut
    at += 8 if is_big else 2
    length = 4 + 2 * inline
    entries = walk.read(at, count * length)
    parts: dict[int, tuple[int, ...]] = {}
    for i in range(0, len(entries), length):
        tag, kind, many = struct.unpack(f"{walk.order}HH{wide}", entries[i : i + 4 + inline])
        value = entries[i + 4 + inline : i + length]
        size = _SIZES.get(kind, 0) * many
        if size > inline:
            place: int = struct.unpack(walk.order + wide, value)[0]
            if place + size > walk.size:
                raise Cut
            value = b""
        if kind in _FORMATS and any(tag in pair for pair in _PARTS):
            if many > _MAX_PARTS:
                raise Cut
            data = value[:size] if size <= inline else walk.read(place, size)
            parts[tag] = struct.unpack(f"{walk.order}{many}{_FORMATS[kind]}", data)
    for offsets, counts in _PARTS:
        if offsets in parts and counts in parts:
            _check_parts(walk, parts[offsets], parts[counts])
    return walk.number(wide, at + count * length)


def _check_parts(walk: Reader, offsets: tuple[int, ...], counts: tuple[int, ...]) -> None:
    if len(offsets) != len(counts) or any(o + n > walk.size for o, n in zip(offsets, counts, strict=True)):
        raise Cut
