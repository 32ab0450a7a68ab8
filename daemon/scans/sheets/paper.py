"""Cover sheets as PDF pages to print: A4, black on white, the code twice, and all it says in words beside it.

Needs the extra `scans`. Text is drawn with the standard fonts of every reader (ISO 32000-1 section 9.6.2.2).
"""

import io
from collections.abc import Iterable
from typing import Any, Final

import pikepdf
import zxingcpp
from pikepdf import Array, Dictionary, Name

from torhaus.codecs.cover_sheet import CoverSheet

MM: Final = 72 / 25.4
_WIDTH_MM, _HEIGHT_MM, _MARGIN_MM = 210.0, 297.0, 18.0
CODE_MM: Final = 48.0
"""Side of a code: some 50 modules, 6 dots each at 150 dpi."""
_QUIET_MM: Final = 4.0
_HINTS: Final = (
    "Obenauf legen und mit einscannen. Jedes Blatt nur einmal verwenden.",
    "Lay on top and scan along. Use each sheet once only.",
)
_MAX_LINE: Final = 62
_FONTS: Final = {"/B": "/Helvetica-Bold", "/T": "/Helvetica", "/C": "/Courier"}


def draw(sheets: Iterable[tuple[CoverSheet, str]], title: str, *, duplex: bool = False) -> bytes:
    """One page for each sheet and its text, two alike where both sides are printed. `title` is the site's name."""
    with pikepdf.new() as pdf:
        fonts = fonts_of(pdf)
        for sheet, text in sheets:
            content = pdf.make_stream(_page(sheet, text, title))
            for _ in range(1 + duplex):
                page = Dictionary(
                    Type=Name.Page,
                    MediaBox=Array([0, 0, round(_WIDTH_MM * MM, 2), round(_HEIGHT_MM * MM, 2)]),
                    Resources=Dictionary(Font=fonts),
                    Contents=content,
                )
                pdf.pages.append(pikepdf.Page(pdf.make_indirect(page)))
        out = io.BytesIO()
        pdf.save(out, deterministic_id=True)
        return out.getvalue()


def fonts_of(pdf: pikepdf.Pdf) -> Dictionary:
    """What `line` draws with: /B bold, /T text, /C of one width."""
    return Dictionary(
        {
            name: pdf.make_indirect(
                Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name(font), Encoding=Name.WinAnsiEncoding)
            )
            for name, font in _FONTS.items()
        }
    )


def _page(sheet: CoverSheet, text: str, title: str) -> bytes:
    left, top = _MARGIN_MM, _HEIGHT_MM - _MARGIN_MM
    right = _WIDTH_MM - _MARGIN_MM
    pages = "" if sheet.pages is None else f"{sheet.pages} {'Seite' if sheet.pages == 1 else 'Seiten'}"
    parts = [
        *_code(text, left, top - CODE_MM),
        *_code(text, right - CODE_MM, _MARGIN_MM),
        line("/T", 13, left + CODE_MM + 10, top - 8, title),
        line("/B", 26, left + CODE_MM + 10, top - 22, "Deckblatt"),
        line("/T", 13, left + CODE_MM + 10, top - 30, "Cover sheet"),
        line("/B", 44 if len(sheet.department) < 18 else 26, left, 180, sheet.department),
        line("/T", 28, left, 162, sheet.class_ or ""),
        line("/T", 28, left, 146, pages),
        line("/T", 18, left, 132, sheet.batch or ""),
        line("/C", 20, left, 112, sheet.sheet),
        *(line("/T", 12, left, 98 - 6 * i, hint) for i, hint in enumerate(_HINTS)),
        *(line("/C", 8, left, 24 - 4 * i, part) for i, part in enumerate(_broken(text))),
    ]
    return "\n".join(parts).encode("cp1252", "replace")


def _code(text: str, x_mm: float, y_mm: float) -> list[str]:
    """The code as one filled path; its quiet zone is the paper around it."""
    matrix = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="Q")
    image: Any = zxingcpp.write_barcode_to_image(matrix, scale=1, add_quiet_zones=False)
    modules = memoryview(image)  # a buffer of two dimensions, which its type does not say
    rows, columns = image.shape
    side = (CODE_MM - 2 * _QUIET_MM) * MM / rows
    x0, y0 = (x_mm + _QUIET_MM) * MM, (y_mm + CODE_MM - _QUIET_MM) * MM
    found = ["0 g"]
    for row in range(rows):
        start = None
        for column in range(columns + 1):
            is_dark = column < columns and modules[row, column] == 0
            if is_dark and start is None:
                start = column
            elif not is_dark and start is not None:
                x, width = x0 + start * side, (column - start) * side
                found.append(f"{x:.3f} {y0 - (row + 1) * side:.3f} {width:.3f} {side:.3f} re")
                start = None
    return [*found, "f"]


def line(font: str, size: float, x_mm: float, y_mm: float, text: str) -> str:
    """One line of text at a place on the page, from its lower left corner."""
    if not text:
        return ""
    safe = "".join(f"\\{c}" if c in "()\\" else c for c in text if c.isprintable())
    return f"BT {font} {size} Tf {x_mm * MM:.2f} {y_mm * MM:.2f} Td ({safe}) Tj ET"


def _broken(text: str) -> list[str]:
    return [text[i : i + _MAX_LINE] for i in range(0, len(text), _MAX_LINE)]
