import random

import pytest

from tests.daemon.pictures import fax_data, page
from torhaus.daemon.scans.pictures.fax import Fax, is_whole

SIZE = (413, 120)
"""The width is no whole number of bytes, and odd."""
PICTURE = page(SIZE).convert("1")
WHITE = page((400, 40)).convert("1").crop((0, 0, 400, 10))
GROUP4 = Fax(SIZE[1], SIZE[0], -1)


@pytest.mark.parametrize("ended", [True, False])
@pytest.mark.parametrize("behind", [b"", b"\n", b"\r\n", bytes(3)])
def test_a_whole_picture_with_or_without_its_end_mark(ended: bool, behind: bytes) -> None:
    assert is_whole(fax_data(PICTURE, ended=ended) + behind, GROUP4)


@pytest.mark.parametrize("ended", [True, False])
def test_a_row_too_few(ended: bool) -> None:
    data = fax_data(PICTURE, ended=ended)
    assert not is_whole(data, Fax(SIZE[1] + 1, SIZE[0], -1))
    assert not is_whole(data, Fax(SIZE[1] * 2, SIZE[0], -1))
    assert is_whole(data, Fax(SIZE[1] - 1, SIZE[0], -1))  # more rows than are shown hurt nobody


def test_white_paper_and_a_black_last_row() -> None:
    white = fax_data(WHITE)
    assert is_whole(white, Fax(10, 400, -1))
    assert not is_whole(white, Fax(11, 400, -1))
    dark = PICTURE.copy()
    dark.paste(0, (0, SIZE[1] - 3, *SIZE))
    assert is_whole(fax_data(dark), GROUP4)
    assert not is_whole(fax_data(dark), Fax(SIZE[1] + 1, SIZE[0], -1))


@pytest.mark.parametrize("compression", ["group4", "group3"])
def test_cut_anywhere(compression: str) -> None:
    data = fax_data(PICTURE, compression)
    fax = GROUP4 if compression == "group4" else Fax(SIZE[1], SIZE[0], 0, has_line_ends=True)
    assert fax.is_known
    assert is_whole(data, fax)
    rng = random.Random(5)
    for end in {rng.randrange(2, len(data) - 8) for _ in range(40)}:
        try:
            assert not is_whole(data[:end], fax), end
        except OSError:
            continue


def test_what_a_tiff_cannot_say() -> None:
    assert not Fax(1, 1, -1, is_aligned=True).is_known
    assert not Fax(1, 1, 0).is_known
    assert Fax(1, 1, 4, has_line_ends=True).is_known
