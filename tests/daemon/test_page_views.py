"""Every view that is registered: in both languages, for everybody and for somebody, on quiet and on spoiled sites."""

import asyncio
import re
from pathlib import Path

import pytest

from tests.daemon.page_scene import EVIL, GATEWAY, Visitor, checked, home_of, spoil, visited
from torhaus.daemon.page.registry import VIEWS, load

HOSTILE = ("?page=%27%22<b>", "?q=%00%ff<s>", "?lang=xx", "?show=../..", "?state=<b>", "?" + "a=b&" * 500,
           "?q=" + "x" * 5000, "?gateway=zz", "?device=%3Cb%3E", "?data=zz&codec=<b>",
           "?data=00&codec=elsys&fport=9999",
           "?kind=frame&data=<b>", "?id=<b>", "?forwarder=<b>", "?reason=<b>", "?page=99999999999999999999",
           "?done=retry&n=<b>", "?note=<b>", "?data=" + "00" * 2000, "?stream")  # fmt: skip
NAMES = ("", EVIL, "../../etc/passwd", "x" * 3000, "\u202e", "1" * 30, GATEWAY)


async def look(visitor: Visitor, path: str, *statuses: int, language: str = "de") -> str:
    status, text = await visitor.get(path, Accept_Language=language)
    assert status in (statuses or (200,)), (path, status, text[-500:])
    if status != 421:
        checked(text)
    return text


def test_on_a_quiet_site(tmp_path: Path) -> None:
    async def go() -> None:
        async with visited(home_of(tmp_path)) as visitor:
            for name in VIEWS:
                expected = 404 if name in {"scans", "release"} else 200
                german = await look(visitor, f"/{name}", expected, language="de-DE")
                english = await look(visitor, f"/{name}", expected, language="en")
                assert 'lang="de"' in german
                assert 'lang="en"' in english
                assert german != english
            assert "Alles in Ordnung" in await look(visitor, "/") or "Die Uhr ist nicht" in await look(visitor, "/")
            assert "27,2" in await look(visitor, "/devices")
            assert "27.2" in await look(visitor, "/devices/meter", language="en")
            assert visitor.app.watch.defects == {}

    asyncio.run(go())


@pytest.mark.parametrize("is_known", [False, True])
def test_on_a_spoiled_site(tmp_path: Path, is_known: bool) -> None:
    async def go() -> None:
        async with visited(home_of(tmp_path)) as visitor:
            await spoil(visitor.app)
            defects = dict(visitor.app.watch.defects)
            if is_known:
                assert (await visitor.sign_in()).status == 303
            links: set[str] = set()
            for name in VIEWS:
                for language in ("de", "en"):
                    text = await look(visitor, f"/{name}", 200, 404, language=language)
                    links |= {link for link in checked(text).links if "lang=" not in link and not link.startswith("#")}
                part = (await visitor.get(f"/{name}", X_Torhaus_Part="main"))[1]
                assert part.startswith("<h1>")
                checked(part, "main")
            assert any("%3Cimg" in link for link in links)
            for link in sorted(links):  # whatever can be clicked on is there
                await look(visitor, link, 200, 404 if "gateways/" in link or "scans" in link else 200)
            assert visitor.app.watch.defects == defects

    asyncio.run(go())


def test_whatever_is_asked_for_is_answered(tmp_path: Path) -> None:
    async def go() -> None:
        async with visited(home_of(tmp_path)) as visitor:
            await spoil(visitor.app)
            defects = dict(visitor.app.watch.defects)
            await visitor.sign_in()
            for name in VIEWS:
                for query in HOSTILE[:: 1 if name in {"devices", "decode", "frames", "scans"} else 3]:
                    if query == "?stream" and name == "frames":
                        continue
                    await look(visitor, f"/{name}{query}", 200, 404, 409)
                for odd in NAMES:
                    await look(visitor, f"/{name}/{odd}".replace("\u202e", "%E2%80%AE"), 200, 404)
            assert visitor.app.watch.defects == defects

    asyncio.run(go())


def test_what_is_wrong_comes_with_advice(tmp_path: Path) -> None:
    async def go() -> None:
        async with visited(home_of(tmp_path)) as visitor:
            await spoil(visitor.app)
            text = await look(visitor, "/")
            kinds = re.findall(r"<li class=\"(bad|warn)\">", text)
            assert len(kinds) >= 7
            assert kinds == sorted(kinds)  # the worst first
            assert f"{len(kinds)} Sachen ansehen" in text
            assert "Kabel, Strom und Anschluss" in text
            assert '<code class="command">journalctl -u torhaus</code>' in text
            text = await look(visitor, "/strangers", language="en")
            assert "wrong key" in text
            assert '<code class="command">torhaus devices allow-join hupe</code>' in text
            assert "torhaus devices add --name NAME --dev-eui &#x27;&lt;img" in text

    asyncio.run(go())


def test_two_thousand_devices_come_page_by_page(tmp_path: Path) -> None:
    async def go() -> None:
        home = home_of(tmp_path)
        text = "".join(f'[[device]]\nname = "d{i:04}"\nplace = "Raum {i % 7}"\n' for i in range(2000))
        (tmp_path / "devices.toml").write_text((tmp_path / "devices.toml").read_text() + text)
        async with visited(home) as visitor:
            first = await look(visitor, "/devices")
            assert "2.003 Geräte" in first
            assert len(first) < 60_000
            assert "Seite 1 von 41" in first
            assert "d1999" in await look(visitor, "/devices?page=41")
            assert "1 Gerät." in await look(visitor, "/devices?q=D1234")
            assert "Seite 2 von 6" in await look(visitor, "/devices?q=raum+3&page=2")
            assert "1 Gerät." in await look(visitor, "/devices?show=heard")

    asyncio.run(go())


def test_views_are_called_what_they_are_registered_as() -> None:
    views = load()
    assert [view.name for view in views] == list(VIEWS)
    assert {view.below for view in views} <= {None, *VIEWS}
