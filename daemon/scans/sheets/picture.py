"""Draws one page of a document for people to look at. Runs in a process like the one that examines documents.

A page that is a picture is made smaller, any other is drawn. Needs the extra `scans`.
"""

import io
import warnings
from typing import BinaryIO, Final

import pypdfium2
from PIL import Image, ImageOps

from torhaus.daemon.scans.checker import Limits, Verdict, media_type_of
from torhaus.daemon.scans.states import Reason

DPI: Final = 150
"""At which small print can be read, and a missing corner be seen."""
MAX_PIXELS: Final = 2_400_000
"""A4 at 150 dpi has 2.2 million. What is larger is drawn smaller."""
QUALITY: Final = 80
MAX_BYTES: Final = 4 << 20
"""More than such a picture has, whatever is on it."""


def draw(file: BinaryIO, pages: range, limits: Limits) -> tuple[Verdict, bytes]:
    """The first of these pages (from 0) as a JPEG, or the reason why not. Never raises for what is in the document."""
    media_type = media_type_of(file.read(16))
    file.seek(0)
    try:
        if media_type == "application/pdf":
            picture = _of_pdf(file, pages.start)
        elif media_type.startswith("image/"):
            picture = _of_image(file, media_type, pages.start, limits)
        else:
            return Verdict(media_type, Reason.UNKNOWN_TYPE), b""
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=QUALITY)
    except EOFError:
        return Verdict(media_type, Reason.NO_PAGES), b""
    except MemoryError:
        return Verdict(media_type, Reason.TOO_BIG_TO_CHECK), b""
    except Exception:  # noqa: BLE001 - parsers raise anything for hostile bytes; all of it means "cannot be drawn"
        return Verdict(media_type, Reason.DAMAGED), b""
    if len(out.getvalue()) > MAX_BYTES:
        return Verdict(media_type, Reason.TOO_BIG_TO_CHECK), b""
    return Verdict(media_type, None, 1), out.getvalue()


def _of_pdf(file: BinaryIO, number: int) -> Image.Image:
    pdf = pypdfium2.PdfDocument(file)
    try:
        if not 0 <= number < len(pdf):
            raise EOFError
        page = pdf[number]
        width, height = page.get_size()
        scale = min(DPI / 72, (MAX_PIXELS / max(1.0, width * height)) ** 0.5)
        picture: Image.Image = page.render(scale=scale, rev_byteorder=True).to_pil().convert("RGB")
        return picture
    finally:
        pdf.close()


def _of_image(file: BinaryIO, media_type: str, number: int, limits: Limits) -> Image.Image:
    Image.MAX_IMAGE_PIXELS = limits.max_pixels
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    with Image.open(file, formats=[media_type.removeprefix("image/").upper()]) as image:
        if number:
            image.seek(number)
        if image.width * image.height > limits.max_pixels:
            raise MemoryError
        image.load()
        turned = ImageOps.exif_transpose(image) if media_type == "image/jpeg" else image
        return _smaller(_opaque(turned))


def _opaque(image: Image.Image) -> Image.Image:
    """In grey or in colours, on white."""
    if "A" in image.mode or "transparency" in image.info:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    if image.mode.startswith("I;16"):
        return image.convert("I").point(lambda value: value / 257).convert("L")
    return image.convert("L" if image.mode in {"1", "L"} else "RGB")


def _smaller(image: Image.Image) -> Image.Image:
    pixels = image.width * image.height
    if pixels <= MAX_PIXELS:
        return image
    factor = (MAX_PIXELS / pixels) ** 0.5
    size = max(1, int(image.width * factor)), max(1, int(image.height * factor))
    return image.resize(size, Image.Resampling.BOX)
