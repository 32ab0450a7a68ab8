"""Backs of sheets as scanners see them are blank; a page with anything on it is not."""

import random

import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from torhaus.daemon.scans.sheets.blank import is_blank


def paper(dpi: int, shade: int = 245, noise: float = 0.0, seed: int = 1) -> Image.Image:
    size = (round(8.27 * dpi), round(11.69 * dpi))
    page = Image.new("L", size, shade)
    if noise:
        random.seed(seed)
        page = Image.blend(page, Image.effect_noise(size, noise), 0.2)
    return page


def written(text: str, dpi: int, points: float = 10, shade: int = 0) -> Image.Image:
    page = paper(dpi)
    font = ImageFont.load_default(points * dpi / 72)
    ImageDraw.Draw(page).text((page.width // 2, page.height - dpi), text, fill=shade, font=font)
    return page


@pytest.mark.parametrize("dpi", [100, 200, 300])
@pytest.mark.parametrize("shade", [255, 235, 200])
def test_paper_is_blank(dpi: int, shade: int) -> None:
    assert is_blank(paper(dpi, shade))
    assert is_blank(paper(dpi, shade, noise=40))


def test_a_feeders_shadow_grain_and_dust_are_nothing() -> None:
    page = paper(200)
    pen = ImageDraw.Draw(page)
    pen.rectangle([0, 0, page.width, 12], fill=40)
    pen.rectangle([0, 0, 8, page.height], fill=90)
    pen.ellipse([800, 900, 804, 904], fill=60)
    assert is_blank(page)
    specks = paper(300).convert("1")
    rng = random.Random(7)
    for _ in range(300):
        specks.putpixel((rng.randrange(specks.width), rng.randrange(specks.height)), 0)
    assert is_blank(specks)


def test_what_shines_through_is_nothing() -> None:
    page = paper(200, 240)
    ImageDraw.Draw(page).rectangle([200, 200, 600, 600], fill=228)
    assert is_blank(page.filter(ImageFilter.GaussianBlur(3)))


@pytest.mark.parametrize("dpi", [150, 300])
@pytest.mark.parametrize(("text", "points", "shade"), [("1", 10, 0), ("Seite 2", 8, 0), ("Mit Bleistift", 12, 150)])
def test_a_single_word_is_something(text: str, points: float, shade: int, dpi: int) -> None:
    assert not is_blank(written(text, dpi, points, shade))
    assert not is_blank(written(text, dpi, points, shade).convert("RGB"))
    if not shade:
        assert not is_blank(written(text, dpi, points).convert("1"))


def test_if_in_doubt_it_is_not() -> None:
    assert not is_blank(Image.new("L", (1240, 1754), 40))  # dark
    assert not is_blank(Image.new("L", (10, 10), 255))  # no page
    assert not is_blank(Image.new("L", (5000, 3), 255))
    assert not is_blank(Image.new("I;16", (1240, 1754), 65535))  # cut off at white
    half = paper(100)
    ImageDraw.Draw(half).rectangle([0, 0, half.width, half.height // 2], fill=100)
    assert not is_blank(half)
    line = paper(150)
    ImageDraw.Draw(line).line([200, 700, 900, 700], fill=0, width=1)
    assert not is_blank(line)
