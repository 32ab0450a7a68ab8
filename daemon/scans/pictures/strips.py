"""Strips of a TIFF whose coding lets a decoder fill up what is missing: fax (TIFF 6.0 §11) and JPEG (Technical Note 2).

All other codings are refused by the decoder itself when a strip ends too early.
"""

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final

import msgspec

from torhaus.daemon.scans.pictures import fax

_GROUP_3: Final = 3
_GROUP_4: Final = 4
_JPEG: Final = 7
_END_OF_JPEG: Final = b"\xff\xd9"
_TAIL_BYTES: Final = 64
_TURNED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
"""Each byte with its bits in the other order (FillOrder 2)."""


class Strips(msgspec.Struct, frozen=True):
    """Those of one page, as its directory has them."""

    compression: int
    width: int
    height: int
    rows: int  # of each strip but the last
    offsets: tuple[int, ...]
    counts: tuple[int, ...]
    is_turned: bool
    is_two_dimensional: bool

    @property
    def pieces(self) -> Iterator[tuple[int, int, int]]:
        """Offset, bytes and rows of each."""
        for number, (offset, count) in enumerate(zip(self.offsets, self.counts, strict=True)):
            yield offset, count, min(self.rows, self.height - number * self.rows)


def strips_of(tags: Mapping[int, Any]) -> Strips | None:
    """From a directory's tags; None where its decoder misses nothing, or where it has tiles."""
    compression = tags.get(259, 1)
    offsets, counts = tuple(tags.get(273, ())), tuple(tags.get(279, ()))
    if compression not in {_GROUP_3, _GROUP_4, _JPEG} or len(offsets) != len(counts):
        return None
    width, height = int(tags[256]), int(tags[257])
    rows = max(1, min(int(tags.get(278, height)), height))
    is_turned, is_two_dimensional = tags.get(266, 1) == 2, bool(int(tags.get(292, 0)) & 1)
    return Strips(compression, width, height, rows, offsets, counts, is_turned, is_two_dimensional)


def are_whole(file: BinaryIO, strips: Strips) -> bool:
    """Whether each has all its rows. Raises OSError and what else the decoder raises."""
    for offset, count, rows in strips.pieces:
        file.seek(offset)
        data = file.read(count)
        if strips.compression == _JPEG:
            is_good = _END_OF_JPEG in data[-_TAIL_BYTES:]
        else:
            data = data.translate(_TURNED) if strips.is_turned else data
            k = -1 if strips.compression == _GROUP_4 else int(strips.is_two_dimensional)
            is_good = rows < 1 or fax.is_whole(data, fax.Fax(rows, strips.width, k, has_line_ends=True))
        if not is_good:
            return False
    return True
