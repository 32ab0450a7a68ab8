"""Sheets that were printed, bent, stained and scanned are read; no other code ever is."""

import io
import random
from typing import Any

import msgspec
import pikepdf
import pypdfium2
import pytest
import zxingcpp
from PIL import Image, ImageDraw, ImageFilter

from tests.daemon.pixel_limit import pixel_limit  # noqa: F401 - used for each test
from torhaus.codecs.cover_sheet import MAX_TEXT, PREFIX, CoverSheet, build
from torhaus.daemon.scans.checker import MAX_CODES, MAX_VERDICT_BYTES, UNREAD, Code, Limits, examine
from torhaus.daemon.scans.sheets.codes import find, texts
from torhaus.daemon.scans.sheets.desk import new_number
from torhaus.daemon.scans.sheets.paper import draw

KEY = bytes(range(32))
SHEET = CoverSheet("bauamt", "4KQ7VZ2MXPHB", "rechnung", 12)
TEXT = build(SHEET, KEY)
FOREIGN = ("https://example.org/a", "ASN00012", "PATCHT", "BCD\n002\n1\nSCT\n\nStadt\nDE00\nEUR1", "TH2;d=bauamt")


def picture(pdf: bytes, dpi: int = 150) -> Image.Image:
    with pypdfium2.PdfDocument(pdf) as document:
        image: Image.Image = document[0].render(scale=dpi / 72, grayscale=True).to_pil()
        return image


def scanned(sheet: Image.Image, dpi: int, rng: random.Random) -> Image.Image:
    """As a scanner that was fed in a hurry sees it."""
    turn = rng.uniform(-4, 4) + rng.choice([0, 90, 180, 270])
    image = sheet.rotate(turn, expand=True, fillcolor=rng.choice([255, 240, 30]), resample=Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(image)
    for _ in range(rng.randrange(6)):
        x, y, size = rng.randrange(image.width), rng.randrange(image.height), rng.randrange(5, dpi // 4)
        pen.ellipse([x, y, x + size, y + size], fill=rng.randrange(200))
    if rng.random() < 0.5:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 0.008 * dpi)))
    noise = Image.effect_noise(image.size, rng.uniform(5, 60))
    image = Image.blend(image, noise, rng.uniform(0.05, 0.3))
    if rng.random() < 0.4:
        limit = rng.randrange(110, 150)
        image = image.point([255 * (v > limit) for v in range(256)]).convert("1")
    return image


def of(kind: str, *pictures: Image.Image, **more: Any) -> bytes:
    out = io.BytesIO()
    pictures[0].copy().save(out, kind, save_all=True, append_images=[p.copy() for p in pictures[1:]], **more)
    return out.getvalue()


def with_codes(data: bytes, limits: Limits | None = None) -> Any:
    return examine(io.BytesIO(data), limits or Limits(), codes=True)


@pytest.mark.parametrize("count", [6, pytest.param(500, marks=[pytest.mark.crash, pytest.mark.timeout(900)])])
def test_all_sheets_are_read_and_none_is_misread(count: int) -> None:
    rng = random.Random(count)
    words = ("bauamt", "sozialamt", "kaemmerei", "ordnungsamt-gewerbe")
    read = misread = 0
    for n in range(count):
        sheet = CoverSheet(rng.choice(words), new_number(), rng.choice([None, "rechnung"]), rng.choice([None, n + 1]))
        text, dpi = build(sheet, KEY), rng.choice([150, 200, 300])
        found = texts(scanned(picture(draw([(sheet, text)], "Rathaus"), dpi), dpi, rng))
        read += found == [text]
        misread += bool(found) and found != [text]
    assert misread == 0
    assert read >= 0.995 * count


@pytest.mark.parametrize("text", FOREIGN)
def test_foreign_codes_are_nobodys_sheet(text: str) -> None:
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode)
    page = Image.new("L", (1240, 1754), 255)
    page.paste(Image.fromarray(zxingcpp.write_barcode_to_image(code, scale=6)), (300, 300))
    assert texts(page) == []


@pytest.mark.parametrize("kind", ["TIFF", "PDF"])
def test_on_which_page(kind: str) -> None:
    sheet, plain = picture(draw([(SHEET, TEXT)], "Rathaus")), Image.new("L", (600, 800), 255)
    verdict = with_codes(of(kind, plain, sheet, plain, sheet))
    assert (verdict.pages, verdict.codes, verdict.flags) == (4, (Code(1, TEXT, True), Code(3, TEXT)), ())


def test_text_over_a_blank_picture_is_seen() -> None:
    sheet, back = picture(draw([(SHEET, TEXT)], "Rathaus")), Image.new("L", (1240, 1754), 255)
    with pikepdf.open(io.BytesIO(of("PDF", sheet, back, sheet, back, resolution=150))) as pdf:
        for page, mode in ((pdf.pages[1], b"0"), (pdf.pages[3], b"3")):  # 3: not drawn, as what was read by OCR
            fonts = pikepdf.Dictionary(
                F=pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Courier)
            )
            page.obj.Resources.Font = fonts
            page.contents_add(pdf.make_stream(b"BT " + mode + b" Tr /F 12 Tf 200 400 Td (Seite 1) Tj ET"))
        out = io.BytesIO()
        pdf.save(out)
    assert [code.blank_behind for code in with_codes(out.getvalue()).codes] == [False, True]


def test_a_page_that_is_no_picture_is_drawn() -> None:
    verdict = with_codes(draw([(SHEET, TEXT)], "Rathaus", duplex=True))
    assert (verdict.pages, verdict.codes) == (2, (Code(0, TEXT), Code(1, TEXT)))


def test_a_code_that_is_drawn_beside_a_picture() -> None:
    with pikepdf.open(io.BytesIO(draw([(SHEET, TEXT)], "Rathaus"))) as pdf:
        with pikepdf.open(io.BytesIO(of("PDF", Image.new("L", (60, 80), 255)))) as logo:
            pdf.pages[0].add_overlay(logo.pages[0], pikepdf.Rectangle(300, 400, 360, 480))
        out = io.BytesIO()
        pdf.save(out)
    assert with_codes(out.getvalue()).codes == (Code(0, TEXT),)


def test_only_who_asks_has_pages_searched() -> None:
    assert examine(io.BytesIO(draw([(SHEET, TEXT)], "Rathaus")), Limits()).codes == ()


def test_a_page_that_is_too_large_to_draw() -> None:
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=(14_400, 14_400))
        out = io.BytesIO()
        pdf.save(out)
    verdict = with_codes(out.getvalue())
    assert (verdict.reason, verdict.pages, verdict.flags, verdict.codes) == (None, 1, (UNREAD,), ())


def test_more_codes_than_anybody_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    many = tuple(Code(n, TEXT) for n in range(MAX_CODES + 1))
    monkeypatch.setattr("torhaus.daemon.scans.sheets.codes.find", lambda *_: many)
    verdict = with_codes(of("PNG", Image.new("L", (60, 80), 255)))
    assert (verdict.codes, verdict.flags) == ((), (UNREAD,))


@pytest.mark.parametrize("char", ["x", "\1", "\u00fc", "\U0001f5a8"])
def test_codes_that_do_not_fit_into_a_verdict(monkeypatch: pytest.MonkeyPatch, char: str) -> None:
    many = tuple(Code(n, PREFIX + char * (MAX_TEXT - len(PREFIX))) for n in range(MAX_CODES))
    monkeypatch.setattr("torhaus.daemon.scans.sheets.codes.find", lambda *_: many)
    verdict = with_codes(of("PNG", Image.new("L", (60, 80), 255)))
    assert (verdict.codes, verdict.flags) == ((many, ()) if char == "x" else ((), (UNREAD,)))
    assert len(msgspec.json.encode(verdict)) <= MAX_VERDICT_BYTES


def test_a_locked_document_says_nothing() -> None:
    with pikepdf.open(io.BytesIO(draw([(SHEET, TEXT)], "Rathaus"))) as pdf:
        out = io.BytesIO()
        pdf.save(out, encryption=pikepdf.Encryption(owner="o", user="u"))
    assert with_codes(out.getvalue()).flags == (UNREAD, "encrypted")


def test_a_large_picture_is_read_all_the_same() -> None:
    sheet = picture(draw([(SHEET, TEXT)], "Rathaus"), 600)
    assert find(io.BytesIO(of("PNG", sheet)), "image/png", Limits()) == (Code(0, TEXT),)
