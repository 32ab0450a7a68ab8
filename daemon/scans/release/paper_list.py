"""A release list as a PDF to print, sign and file: A4 landscape, its head on every page. Needs the extra `scans`."""

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import pikepdf
from pikepdf import Array, Dictionary, Name

from torhaus.daemon.scans.release.listing import COLUMNS, WORDS, Lang, cells
from torhaus.daemon.scans.release.papers import Paper
from torhaus.daemon.scans.sheets.paper import MM, fonts_of, line

_WIDTH_MM, _HEIGHT_MM, _MARGIN_MM = 297.0, 210.0, 14.0
_AT_MM: Final = (14, 24, 74, 99, 112, 131, 154, 171, 193, 217, 239)
"""Where each of COLUMNS begins."""
_CHARS: Final = (5, 31, 15, 6, 11, 11, 9, 13, 14, 11, 30)
ROWS: Final = 27
_STEP_MM: Final = 5.0


def pdf_of(papers: Sequence[Paper], title: str, lang: Lang, now: datetime) -> bytes:
    """The list of one lot. `title`: the site's name; `now` with a time zone."""
    parts = [papers[i : i + ROWS] for i in range(0, len(papers), ROWS)] or [[]]
    with pikepdf.new() as pdf:
        fonts = fonts_of(pdf)
        for number, part in enumerate(parts, 1):
            text = [*_head(papers, title, lang, now, f"{number}/{len(parts)}"), *_rows(part, lang)]
            page = Dictionary(
                Type=Name.Page,
                MediaBox=Array([0, 0, round(_WIDTH_MM * MM, 2), round(_HEIGHT_MM * MM, 2)]),
                Resources=Dictionary(Font=fonts),
                Contents=pdf.make_stream("\n".join(text).encode("cp1252", "replace")),
            )
            pdf.pages.append(pikepdf.Page(pdf.make_indirect(page)))
        out = io.BytesIO()
        pdf.save(out, deterministic_id=True)
        return out.getvalue()


def _head(papers: Sequence[Paper], title: str, lang: Lang, now: datetime, page: str) -> list[str]:
    words, top = WORDS[lang], _HEIGHT_MM - _MARGIN_MM
    released = sum(paper.released_ns is not None for paper in papers)
    lot = (papers[0].lot if papers else None) or ""
    state = f"{words['printed']}: {now.astimezone():%Y-%m-%d %H:%M}   {words['sum']}: {released}/{len(papers)}"
    return [
        line("/B", 16, _MARGIN_MM, top - 4, f"{words['title']}  {title}"),
        line("/T", 11, _MARGIN_MM, top - 11, f"{words['batch']}: {lot}"),
        line("/T", 9, _MARGIN_MM, top - 17, state),
        line("/T", 9, 250, top - 4, f"{words['page']} {page}"),
        *(line("/B", 7.5, x, top - 25, words[name]) for x, name in zip(_AT_MM, COLUMNS, strict=True)),
        line("/T", 9, _MARGIN_MM, 18, words["hint"]),
        line("/T", 9, _MARGIN_MM, 10, f"{words['sign']}: {'_' * 60}"),
    ]


def _rows(papers: Sequence[Paper], lang: Lang) -> list[str]:
    found = []
    for i, paper in enumerate(papers):
        y = _HEIGHT_MM - _MARGIN_MM - 31 - i * _STEP_MM
        for x, most, text in zip(_AT_MM, _CHARS, cells(paper, lang), strict=True):
            found.append(line("/T", 7.5, x, y, text if len(text) <= most else "…" + text[1 - most :]))
    return found
