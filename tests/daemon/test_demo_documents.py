"""Simulated documents are PDF files that a strict reader opens."""

from io import BytesIO
from pathlib import Path

import pytest

from torhaus.daemon.demo.documents import document, drop


@pytest.mark.parametrize(("number", "pages"), [(1, 1), (7, 3), (99_999, 40)])
def test_a_strict_reader_opens_it(number: int, pages: int) -> None:
    pikepdf = pytest.importorskip("pikepdf")
    data = document(number, pages)
    with pikepdf.open(BytesIO(data), attempt_recovery=False) as pdf:
        assert len(pdf.pages) == pages
        assert pdf.check_pdf_syntax() == [] if hasattr(pdf, "check_pdf_syntax") else pdf.check() == []
        for n, page in enumerate(pdf.pages, 1):
            assert f"(Document {number}, page {n} of {pages})".encode() in page.Contents.read_bytes()


@pytest.mark.parametrize("pages", [1, 2, 12])
def test_every_offset_is_where_it_says(pages: int) -> None:
    data = document(5, pages)
    start = int(data.rsplit(b"startxref\n", 1)[1].split()[0])
    lines = data[start:].split(b"\n")
    assert lines[0] == b"xref"
    count = int(lines[1].split()[1])
    for n, line in enumerate(lines[3 : 2 + count], 1):
        assert len(line) == 19
        assert data[int(line[:10]) :].startswith(b"%d 0 obj\n" % n)
    assert data.endswith(b"%%EOF\n")


def test_it_is_in_the_folder_under_its_final_name_only(tmp_path: Path) -> None:
    folder = tmp_path / "hot" / "folder"
    path = drop(folder, 12, 2)
    assert path == folder / "scan-0012.pdf"
    assert path.read_bytes() == document(12, 2)
    assert list(folder.iterdir()) == [path]
    assert document(12) != document(13)
