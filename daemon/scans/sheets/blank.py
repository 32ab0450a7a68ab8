"""Whether a scanned page is blank, as the back of a cover sheet is. Runs where codes are looked for, nowhere else.

The page is divided into cells of about a millimetre (of A4). Paper is the shade that half of them are lighter than; a
cell that is clearly darker has something on it. Grain and shine-through are spread over a cell and stay below that, a
full stop does not. The edge is left out: feeders draw shadows there.
"""

from typing import Final

from PIL import Image

_CELLS: Final = 300
"""Along the longer side."""
_EDGE: Final = 7
"""Cells at each side that are not looked at."""
_DARKER: Final = 16
"""Of 255: a cell that is so much darker than paper is no paper."""
_DUST: Final = 2
"""So many of these cells are dust. The smallest digit has more."""
_MODES: Final = frozenset({"1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr"})
"""Kinds of pictures that become grey as one sees them; those of 16 bits are cut off at white."""
_DARK_PAPER: Final = 128
"""A page that is darker than that in the middle is nobody's paper: rather not blank than guessed."""


def is_blank(picture: Image.Image) -> bool:
    """If in doubt it is not. Raises whatever the decoder raises."""
    if picture.mode not in _MODES:
        return False
    grey = picture.convert("L")
    factor = _CELLS / max(grey.size)
    if factor < 1:
        size = (max(1, round(grey.width * factor)), max(1, round(grey.height * factor)))
        grey = grey.resize(size, Image.Resampling.BOX)
    if min(grey.size) < 3 * _EDGE:  # too small to be a page
        return False
    inner = grey.crop((_EDGE, _EDGE, grey.width - _EDGE, grey.height - _EDGE))
    counts = inner.histogram()
    paper = _median(counts)
    return paper >= _DARK_PAPER and sum(counts[: max(0, paper - _DARKER)]) <= _DUST


def _median(counts: list[int]) -> int:
    half, seen = sum(counts) / 2, 0
    for shade, count in enumerate(counts):
        seen += count
        if seen >= half:
            return shade
    return 0
