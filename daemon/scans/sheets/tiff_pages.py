"""Takes pages out of a TIFF: their directories and strips as they are, at other places in another file. Pure.

TIFF 6.0 section 2 and BigTIFF; the byte order stays. A page that points to further directories (sub-images, Exif), or
to data that no tag gives the length of (JPEG the old way, compression 6), is not taken.
"""

import struct
from typing import BinaryIO, Final

from torhaus.daemon.scans.tiff import MAX_ENTRIES, Cut, Reader

_SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 16: 8, 17: 8}
"""Bytes of one value by field type; those that are offsets of directories (13, 18) are not here."""
_NUMBERS: Final = {3: "H", 4: "I", 16: "Q"}
_PARTS: Final = {273: 279, 324: 325}
"""Offsets of strips and tiles, and the tags with their lengths."""
_POINTERS: Final = frozenset({330, 34665, 34853, 40965, 288, 289, 512, 513, 514, 519, 520, 521})
"""Tags with offsets of other things."""


class _Source(Reader):
    def __init__(self, file: BinaryIO, size: int) -> None:
        super().__init__(file, size, "<")
        self.head = self.read(0, 8)
        self.order = "<" if self.head[:2] == b"II" else ">"
        self.is_big = struct.unpack(f"{self.order}H", self.head[2:4])[0] == 43
        self.wide, self.inline = ("Q", 8) if self.is_big else ("I", 4)

    def numbers(self, kind: str, data: bytes) -> tuple[int, ...]:
        return struct.unpack(f"{self.order}{len(data) // struct.calcsize('<' + kind)}{kind}", data)

    def entries(self, at: int) -> tuple[list[tuple[int, int, int, bytes]], int]:
        """Tag, type, count and value bytes of each, and where the next directory is."""
        count_kind, count_bytes = ("Q", 8) if self.is_big else ("H", 2)
        count = self.number(count_kind, at)
        if not 0 < count <= MAX_ENTRIES:
            raise Cut
        at += count_bytes
        length = 4 + 2 * self.inline
        found = []
        for place in range(at, at + count * length, length):
            entry = self.read(place, length)
            tag, kind = self.numbers("H", entry[:4])
            (many,) = self.numbers(self.wide, entry[4 : 4 + self.inline])
            size = _SIZES.get(kind, 0) * many
            value = entry[4 + self.inline :]
            if not size:
                raise Cut
            data = value[:size] if size <= self.inline else self.read(self.numbers(self.wide, value)[0], size)
            found.append((tag, kind, many, data))
        return found, self.number(self.wide, at + count * length)


def tiff_of(file: BinaryIO, size: int, pages: range, limit: int) -> bytes:
    """A TIFF with these pages (from 0), of at most `limit`. Raises Cut."""
    source = _Source(file, size)
    out = bytearray(source.head)
    if source.is_big:
        out += bytes(8)
    link = len(out) - source.inline  # where the offset of the next directory belongs
    at = source.number(source.wide, link)
    for number in range(min(pages.stop, limit)):
        if not at:
            raise Cut
        entries, at = source.entries(at)
        if number in pages:
            link = _append(source, out, entries, link)
    if pages.stop > limit:
        raise Cut
    struct.pack_into(source.order + source.wide, out, link, 0)
    return bytes(out)


def _append(source: _Source, out: bytearray, entries: list[tuple[int, int, int, bytes]], link: int) -> int:
    """One page more; where the offset of the next one belongs."""
    values = {tag: (kind, data) for tag, kind, _, data in entries}
    if len(values) != len(entries) or values.keys() & _POINTERS or not values.keys() & _PARTS.keys():
        raise Cut
    if struct.unpack(f"{source.order}H", values.get(259, (3, struct.pack(f"{source.order}H", 1)))[1][:2])[0] == 6:
        raise Cut
    table = b""
    for tag, kind, many, data in entries:
        if tag in _PARTS:
            data = _parts(source, out, values, tag)  # noqa: PLW2901 - the same strips, elsewhere
        if len(data) > source.inline:
            data = struct.pack(source.order + source.wide, _put(out, data))  # noqa: PLW2901 - where it lies
        table += struct.pack(f"{source.order}HH{source.wide}", tag, kind, many) + data.ljust(source.inline, b"\0")
    count = struct.pack(source.order + ("Q" if source.is_big else "H"), len(entries))
    place = _put(out, count + table + bytes(source.inline))
    struct.pack_into(source.order + source.wide, out, link, place)
    return place + len(count) + len(table)


def _parts(source: _Source, out: bytearray, values: dict[int, tuple[int, bytes]], tag: int) -> bytes:
    """Copy strips or tiles; their new offsets."""
    if _PARTS[tag] not in values:
        raise Cut
    kind, data = values[tag]
    count_kind, counts = values[_PARTS[tag]]
    if kind not in _NUMBERS or count_kind not in _NUMBERS:
        raise Cut
    lengths = source.numbers(_NUMBERS[count_kind], counts)
    offsets = source.numbers(_NUMBERS[kind], data)
    if len(lengths) != len(offsets):
        raise Cut
    places = [_put(out, source.read(at, length)) if length else 0 for at, length in zip(offsets, lengths, strict=True)]
    try:
        return struct.pack(f"{source.order}{len(places)}{_NUMBERS[kind]}", *places)
    except struct.error:  # an offset that is too narrow for where it lies now
        raise Cut from None


def _put(out: bytearray, data: bytes) -> int:
    """Append, on an even offset; where."""
    out += bytes(len(out) % 2)
    out += data
    return len(out) - len(data)
