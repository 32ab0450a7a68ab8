import io
import random
from typing import Any

import pikepdf
import pytest
from PIL import Image

from tests.daemon.pixel_limit import pixel_limit  # noqa: F401 - used for each test
from tests.daemon.scans_fakes import make_image, make_pdf
from torhaus.daemon.scans.checker import Limits, Verdict
from torhaus.daemon.scans.sheets.picture import MAX_PIXELS, draw
from torhaus.daemon.scans.states import Reason


def drawn(data: bytes, page: int = 0) -> tuple[Verdict, Image.Image | None]:
    verdict, made = draw(io.BytesIO(data), range(page, page + 1), Limits())
    if not made:
        return verdict, None
    image = Image.open(io.BytesIO(made))
    image.load()
    assert (image.format, verdict.reason, verdict.pages) == ("JPEG", None, 1)
    return verdict, image


def encoded(image: Image.Image, kind: str, **more: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **more)
    return out.getvalue()


def sized_pdf(width: float, height: float) -> bytes:
    pdf = pikepdf.new()
    pdf.add_blank_page().MediaBox = pikepdf.Array([0, 0, width, height])
    out = io.BytesIO()
    pdf.save(out)
    return out.getvalue()


def test_a_page_of_a_pdf_as_people_read_it() -> None:
    _, image = drawn(make_pdf(3), 2)
    assert image is not None
    assert image.size == (1240, 1755)
    assert image.getpixel((1000, 100)) == (255, 255, 255)
    assert min(image.convert("L").tobytes()) < 100  # what is drawn on it


@pytest.mark.parametrize(("width", "height"), [(3, 3), (14_400, 14_400), (14_400, 3), (0.01, 0.01)])
def test_whatever_the_size_of_the_paper(width: float, height: float) -> None:
    verdict, image = drawn(sized_pdf(width, height))
    assert image is None or image.width * image.height <= MAX_PIXELS * 1.1
    assert verdict.reason in {None, Reason.DAMAGED}


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "RGBA", "P", "LA", "CMYK", "I;16"])
def test_whatever_the_colours(mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    _, image = drawn(encoded(Image.new(mode, (40, 30)), kind))
    assert image is not None
    assert image.size == (40, 30)
    if mode in {"RGBA", "LA"}:
        assert image.getpixel((5, 5)) == (255, 255, 255)  # what is transparent is paper


def test_frames_of_a_tiff_and_a_turned_photo() -> None:
    _, image = drawn(make_image("TIFF", 3), 2)
    assert image is not None
    assert image.size == (120, 90)
    exif = Image.Exif()
    exif[0x0112] = 6
    _, image = drawn(encoded(Image.new("RGB", (40, 30)), "JPEG", exif=exif))
    assert image is not None
    assert image.size == (30, 40)


def test_a_large_scan_is_made_smaller() -> None:
    _, image = drawn(encoded(Image.new("1", (4960, 7016), 1), "TIFF", compression="group4"))
    assert image is not None
    assert MAX_PIXELS * 0.9 < image.width * image.height <= MAX_PIXELS


@pytest.mark.parametrize("data", [make_pdf(2), make_image("TIFF", 2), make_image("PNG"), make_image("JPEG")])
def test_a_page_that_is_not_there(data: bytes) -> None:
    verdict, image = drawn(data, 2)
    assert (verdict.reason, image) == (Reason.NO_PAGES, None)


def test_nonsense_is_a_verdict() -> None:
    assert drawn(b"hello")[0].reason is Reason.UNKNOWN_TYPE
    assert drawn(b"")[0].reason is Reason.UNKNOWN_TYPE
    assert drawn(b"%PDF-1.7\nnothing\n%%EOF\n")[0].reason is Reason.DAMAGED
    assert draw(io.BytesIO(make_image("PNG")), range(1), Limits(max_pixels=100))[0].reason is not None
    locked = io.BytesIO()
    with pikepdf.open(io.BytesIO(make_pdf())) as pdf:
        pdf.save(locked, encryption=pikepdf.Encryption(user="x", owner="y"))
    assert drawn(locked.getvalue())[0].reason is Reason.DAMAGED


def test_changed_documents_are_a_verdict_or_a_picture() -> None:
    rng = random.Random(11)
    for data in (make_pdf(2), make_image("PNG"), make_image("JPEG"), make_image("TIFF", 2)):
        for _ in range(25):
            changed = bytearray(data)
            for _ in range(rng.randrange(1, 8)):
                changed[rng.randrange(len(changed))] = rng.randrange(256)
            drawn(bytes(changed[: rng.randrange(len(changed))] if rng.random() < 0.3 else changed), rng.randrange(2))
