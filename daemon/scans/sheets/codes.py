"""Finds the codes of cover sheets in a document. Runs in the process that examines it; never anywhere else.

A page that is one picture is read as it is; any other is drawn first. Needs the extra `scans`.
"""

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import BinaryIO, Final, cast

import pikepdf
import pypdfium2
import zxingcpp
from PIL import Image

from torhaus.codecs.cover_sheet import MAX_TEXT, is_meant
from torhaus.daemon.scans.checker import Code, Limits, Refusal
from torhaus.daemon.scans.sheets.blank import is_blank
from torhaus.daemon.scans.states import Reason

DPI: Final = 200
"""Of a page that has to be drawn: a module of a printed code has seven dots then."""
_BIG_PIXELS: Final = 18_000_000
"""Over this (A4 at 360 dpi) a picture is made smaller: it would take longer and be read no better."""
_PAINTING: Final = "f F f* B B* b b* S s sh BI INLINE IMAGE"
"""Operators that draw something beside pictures and text (ISO 32000-1 annex A)."""
_Page = tuple[Image.Image, Callable[[], Image.Image]]
"""The picture on it, and all that is seen on it: text may lie over a picture."""
_QR: Final = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
_BINARIZERS: Final = (zxingcpp.Binarizer.LocalAverage, zxingcpp.Binarizer.GlobalHistogram)


def find(file: BinaryIO, media_type: str, limits: Limits) -> tuple[Code, ...]:
    """All codes that claim to be a cover sheet's, page by page. Raises Refusal, and whatever parsers raise."""
    pages = _pdf(file, limits) if media_type == "application/pdf" else _frames(file, media_type)
    found: list[Code] = []
    last: list[Code] = []  # of the page before
    for page, (picture, whole) in enumerate(pages):
        if picture.width * picture.height > limits.max_pixels:
            raise Refusal(Reason.TOO_BIG_TO_CHECK)
        said = texts(picture)
        blank_behind = bool(last) and not said and is_blank(picture) and is_blank(whole())
        found += [Code(code.page, code.text, blank_behind) for code in last]
        last = [Code(page, text) for text in said]
    return (*found, *last)


def texts(picture: Image.Image) -> list[str]:
    """Of one page, each text once. Another way of telling black from white is tried only where none was found."""
    grey = picture.convert("L")
    if (pixels := grey.width * grey.height) > _BIG_PIXELS:
        factor = (_BIG_PIXELS / pixels) ** 0.5
        grey = grey.resize((int(grey.width * factor), int(grey.height * factor)), Image.Resampling.BOX)
    for binarizer in _BINARIZERS:
        codes = zxingcpp.read_barcodes(grey, _QR, binarizer=binarizer)
        said = list(dict.fromkeys(c.text for c in codes if is_meant(c.text) and len(c.text) <= MAX_TEXT))
        if said:
            return said
    return []


def _frames(file: BinaryIO, media_type: str) -> Iterator[_Page]:
    with Image.open(file, formats=[media_type.removeprefix("image/").upper()]) as image:
        for frame in range(getattr(image, "n_frames", 1)):
            image.seek(frame)
            yield image, lambda: image


def _pdf(file: BinaryIO, limits: Limits) -> Iterator[_Page]:
    with pikepdf.open(file, attempt_recovery=False, suppress_warnings=True) as pdf, contextlib.ExitStack() as opened:
        document: list[pypdfium2.PdfDocument] = []

        def draw(number: int) -> Image.Image:
            if not document:
                document.append(opened.enter_context(contextlib.closing(pypdfium2.PdfDocument(file))))
            return _draw(document[0][number], limits)

        for number, page in enumerate(pdf.pages):
            picture = _only_picture(page) or draw(number)
            yield picture, partial(draw, number)


def _only_picture(page: pikepdf.Page) -> Image.Image | None:
    """The picture that a scanned page is, with text over it or not; None for a page on which more is drawn."""
    images, things = list(page.get_images(recursive=False).values()), page.resources.get("/XObject", ())
    if len(images) != 1 or len(things) != 1 or pikepdf.parse_content_stream(page, _PAINTING):
        return None
    try:
        return pikepdf.PdfImage(cast("pikepdf.Stream", images[0])).as_pil_image()
    except (pikepdf.PdfError, NotImplementedError, ValueError):  # a coding that is not taken apart: drawn instead
        return None


def _draw(page: pypdfium2.PdfPage, limits: Limits) -> Image.Image:
    width, height = page.get_size()
    scale = DPI / 72
    if width * height * scale * scale > limits.max_pixels:
        raise Refusal(Reason.TOO_BIG_TO_CHECK)
    image: Image.Image = page.render(scale=scale, grayscale=True).to_pil()
    return image
