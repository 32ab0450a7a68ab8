"""Eleven kinds of document, each cut off at fifty places: not one of them passes the strict check."""

import io
import random
import re
import warnings
from collections.abc import Callable
from typing import Any, Final

import pikepdf
import pytest
from PIL import Image

from tests.daemon.pixel_limit import pixel_limit  # noqa: F401 - used for each test
from tests.daemon.scans_fakes import make_image, make_pdf
from torhaus.daemon.scans.checker import Limits, examine

CUTS: Final = 50
FILLER: Final = 16
"""Zeros that Pillow may put behind all that a TIFF's directories speak of: without them nothing is missing."""
SIZE: Final = (160, 120)


def tiff(mode: str, frames: int = 3, **save: Any) -> bytes:
    rng = random.Random(3)
    size = SIZE[0] * SIZE[1]
    noise = rng.randbytes(size // 8 if mode == "1" else size * len(mode))
    images = [Image.frombytes(mode, SIZE, noise) for _ in range(frames)]
    out = io.BytesIO()
    images[0].save(out, "TIFF", save_all=True, append_images=images[1:], **save)
    return out.getvalue()


def picture_pdf() -> bytes:
    """As scanners make them: one JPEG a page."""
    picture = make_image("JPEG", size=SIZE)
    pdf = pikepdf.Pdf.new()
    for _ in range(3):
        pdf.add_blank_page(page_size=(595, 842))
        image = pikepdf.Stream(
            pdf, picture, Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image, Width=SIZE[0], Height=SIZE[1],
            ColorSpace=pikepdf.Name.DeviceGray, BitsPerComponent=8, Filter=pikepdf.Name.DCTDecode,
        )  # fmt: skip
        pdf.pages[-1].obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(I=pdf.make_indirect(image)))
    out = io.BytesIO()
    pdf.save(out)
    return out.getvalue()


def appended_pdf() -> bytes:
    """Changed once: what is new lies behind the first end mark, and ends with another (ISO 32000-1 §7.5.6)."""
    first = make_pdf(5, object_stream_mode=pikepdf.ObjectStreamMode.disable, static_id=True)
    start, size, root = (
        int(re.findall(p, first)[-1]) for p in (rb"startxref\s+(\d+)", rb"/Size (\d+)", rb"/Root (\d+)")
    )
    new = b"%d 0 obj\n<< /Title (%s) >>\nendobj\n" % (size, b"x" * 2000)
    trailer = b"<< /Size %d /Root %d 0 R /Info %d 0 R /Prev %d >>" % (size + 1, root, size, start)
    table = b"xref\n%d 1\n%010d 00000 n \ntrailer\n%s\n" % (size, len(first), trailer)
    return b"%s%s%sstartxref\n%d\n%%%%EOF\n" % (first, new, table, len(first) + len(new))


KINDS: Final[dict[str, Callable[[], bytes]]] = {
    "pdf": lambda: make_pdf(5),
    "pdf, old cross-reference table": lambda: make_pdf(
        5, object_stream_mode=pikepdf.ObjectStreamMode.disable, compress_streams=False
    ),
    "pdf, linearized": lambda: make_pdf(5, linearize=True),
    "pdf of pictures": picture_pdf,
    "pdf, appended to": appended_pdf,
    "tiff, plain": lambda: tiff("L"),
    "tiff, fax group 4": lambda: tiff("1", compression="group4"),
    "tiff, deflate": lambda: tiff("RGB", compression="tiff_adobe_deflate"),
    "tiff, big": lambda: tiff("L", frames=2, big_tiff=True),
    "jpeg": lambda: make_image("JPEG", size=SIZE),
    "png": lambda: make_image("PNG", size=SIZE),
}


@pytest.mark.parametrize("kind", KINDS)
def test_none_passes(kind: str) -> None:
    data = KINDS[kind]()
    warnings.simplefilter("ignore")  # as in the checker's process: what a parser only warns of must not count
    assert examine(io.BytesIO(data), Limits()).reason is None
    rng = random.Random(kind)
    whole = len(data) - (FILLER if kind.startswith("tiff") else 1)
    ends = {rng.randrange(whole) for _ in range(CUTS)} | {whole - 1, len(data) // 2}
    passed = [end for end in sorted(ends) if examine(io.BytesIO(data[:end]), Limits()).reason is None]
    assert passed == []
