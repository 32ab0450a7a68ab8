import asyncio
import re
from pathlib import Path

import pytest

from tests.daemon.page_scene import checked, home_of, visited
from torhaus.daemon.page.html import el
from torhaus.daemon.page.language import Language
from torhaus.daemon.page.layout import FILES, STATIC, Files, main, whole
from torhaus.daemon.page.registry import load
from torhaus.daemon.page.view import Ask, Shown


def test_files_have_names_that_change_with_them() -> None:
    files = Files()
    assert {p.name for p in STATIC.iterdir()} == set(FILES)
    assert len(set(files.digests.values())) == len(FILES)
    assert files.path("torhaus.css") == f"/static/{files.digests['torhaus.css']}/torhaus.css"


def test_nothing_comes_from_elsewhere() -> None:
    for name in FILES:
        text = (STATIC / name).read_text().replace("http://www.w3.org/2000/svg", "")
        assert "//" not in text.replace("// ", "")
        assert "@import" not in text
        assert "url(" not in text


def test_what_stands_around_a_view(tmp_path: Path) -> None:
    async def go() -> None:
        async with visited(home_of(tmp_path)) as visitor:
            ask = Ask(visitor.app._sources(), Language("en"))
            shown = Shown("<T>", el("p", "body"), 5)
            text = whole(ask, shown, load(), "devices", Files(), "/devices?q=1&lang=de&show=all").text
            found = checked(text)
            assert {"/devices?lang=de&q=1&show=all", "/devices?lang=en&q=1&show=all"} <= set(found.links)
            assert '<a href="/devices" aria-current="page">Devices</a>' in text
            assert "/scans" not in found.links  # this site does not scan
            assert "/dead-letters" not in found.links
            assert 'data-refresh="5"' in text
            assert '<noscript><meta http-equiv="refresh" content="30"></noscript>' in text
            assert "<title>&lt;T&gt; – test – torhaus</title>" in text
            assert main(shown).text in text
            still = whole(ask, Shown("T", el("p")), load(), "", Files(), "/").text
            assert "refresh" not in still

    asyncio.run(go())


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    digits = colour.removeprefix("#")
    digits = "".join(c * 2 for c in digits) if len(digits) == 3 else digits
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("room", [0, 1], ids=["light", "dark"])
def test_everything_can_be_read(room: int) -> None:
    """WCAG 2.2, 1.4.3 at level AA."""
    sheet = (STATIC / "torhaus.css").read_text()
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]+)", re.findall(r":root \{(.*?)\}", sheet, re.DOTALL)[room]))
    pairs = [(f, g) for f in ("ink", "soft", "link") for g in ("ground", "paper", "mark")]
    pairs += [(level, f"{level}-bg") for level in ("good", "note", "warn", "bad", "off")]
    pairs += [
        ("bad", "paper"),
        ("warn", "paper"),
        ("bad", "ground"),
        ("ink", "good-bg"),
        ("ink", "bad-bg"),
        ("ink", "warn-bg"),
        ("ink", "note-bg"),
        ("good", "paper"),
        ("ink", "off-bg"),
    ]
    for fore, ground in pairs:
        light, dark = sorted((luminance(colours[fore]), luminance(colours[ground])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (fore, ground)
