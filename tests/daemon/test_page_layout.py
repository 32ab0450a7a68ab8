import asyncio
from pathlib import Path

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
