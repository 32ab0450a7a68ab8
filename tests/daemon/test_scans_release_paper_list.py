import io
from datetime import UTC, datetime

import msgspec
import pikepdf
import pypdfium2
import pytest

from tests.daemon.test_scans_release_listing import PAPER
from torhaus.daemon.scans.release.listing import Lang
from torhaus.daemon.scans.release.paper_list import ROWS, pdf_of

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


def text_of(pdf: bytes, page: int) -> str:
    document = pypdfium2.PdfDocument(pdf)
    try:
        return str(document[page].get_textpage().get_text_range())
    finally:
        document.close()


@pytest.mark.parametrize(
    ("lang", "words"), [("de", ("Freigabeliste", "Frist läuft")), ("en", ("Release list", "delay"))]
)
def test_what_a_reader_sees(lang: Lang, words: tuple[str, ...]) -> None:
    papers = [msgspec.structs.replace(PAPER, place=n, id=f"rathaus/0a1b2c3d/{n}") for n in range(1, ROWS + 2)]
    pdf = pdf_of(papers, "Rathaus (Nord)", lang, NOW)
    with pikepdf.open(io.BytesIO(pdf), attempt_recovery=False) as opened:
        assert len(opened.pages) == 2
    text = text_of(pdf, 0)
    for word in (*words, "Rathaus (Nord)", "post/2026-11-26", f"0/{ROWS + 1}", f"rathaus/0a1b2c3d/{ROWS}"):
        assert word in text
    assert f"rathaus/0a1b2c3d/{ROWS + 1}" in text_of(pdf, 1)


def test_none_and_what_is_too_long() -> None:
    assert "0/0" in text_of(pdf_of([], "", "de", NOW), 0)
    text = text_of(pdf_of([msgspec.structs.replace(PAPER, id="x" * 90 + "/17", class_="ζ\n" * 40)], "", "de", NOW), 0)
    assert "xxx/17" in text
