"""What is printed on a cover sheet."""

import io

import pikepdf
import pypdfium2
import pytest

from tests.daemon.pixel_limit import pixel_limit  # noqa: F401 - used for each test
from torhaus.codecs.cover_sheet import CoverSheet, build
from torhaus.daemon.scans.checker import Limits, examine
from torhaus.daemon.scans.sheets.paper import draw

KEY = bytes(range(32))


def words(pdf: bytes, page: int = 0) -> str:
    with pypdfium2.PdfDocument(pdf) as document:
        text: str = document[page].get_textpage().get_text_range()
        return text


def sheet_of(**more: object) -> tuple[CoverSheet, str]:
    sheet = CoverSheet("bauamt", "4KQ7VZ2MXPHB", **more)  # type: ignore[arg-type]
    return sheet, build(sheet, KEY)


def test_it_says_in_words_what_its_codes_say() -> None:
    sheet, text = sheet_of(class_="rechnung", pages=12, batch="b-1")
    said = words(draw([(sheet, text)], "Bürgerhaus (Süd)"))
    for part in ("Bürgerhaus (Süd)", "bauamt", "rechnung", "12 Seiten", "b-1", "4KQ7VZ2MXPHB", "Deckblatt", text[:60]):
        assert part in said
    assert "1 Seite\r" in words(draw([sheet_of(pages=1)], "")) + "\r"


@pytest.mark.parametrize(("count", "duplex", "pages"), [(1, False, 1), (3, False, 3), (3, True, 6)])
def test_a_page_for_each_or_both_sides(count: int, duplex: bool, pages: int) -> None:
    pdf = draw([sheet_of(pages=n + 1) for n in range(count)], "Rathaus", duplex=duplex)
    assert examine(io.BytesIO(pdf), Limits()).pages == pages
    if duplex:
        assert words(pdf, 0) == words(pdf, 1)


def test_whatever_the_site_is_called_it_is_a_pdf() -> None:
    for title in ("a\\b(c", "\u0130\u2603", "x\n) Tj ET", "x" * 500):
        with pikepdf.open(io.BytesIO(draw([sheet_of()], title))) as pdf:
            pikepdf.parse_content_stream(pdf.pages[0])
            assert len(pdf.pages) == 1


def test_the_same_order_is_the_same_file() -> None:
    assert draw([sheet_of()], "Rathaus") == draw([sheet_of()], "Rathaus")
