"""In a real browser: every view in both languages, on a wide screen and on a telephone, with nothing on its console."""

import asyncio
from pathlib import Path

import pytest

from tests.browser import Page, browser, sign_in
from tests.daemon.page_scene import PASSWORD, home_of, lorawan, put, spoil, visited
from tests.daemon.release_page_scene import Town, with_batch
from torhaus.codecs.model import Value
from torhaus.daemon.outbox.store import MAIN
from torhaus.daemon.page.lot import path
from torhaus.daemon.page.registry import VIEWS
from torhaus.daemon.page.views import overview

PATHS = (
    *(f"/{name}" for name in VIEWS if name not in {"scans", "release"}),
    "/devices/meter",
    "/sign-in",
    "/decode?codec=elsys&data=0100e2",
)
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def test_every_view(tmp_path: Path) -> None:
    async def go() -> None:
        async with visited(home_of(tmp_path)) as visitor, browser(tmp_path) as page:
            await spoil(visitor.app)
            for path in PATHS:
                for language, width in (("de", 1280), ("en", 390)):
                    await page.look(visitor.base + path, language=language, width=width, height=800)
                    assert await page.run("document.documentElement.lang") == language
                    assert await page.run("document.querySelectorAll('h1').length") == 1
                    assert await page.run(WIDER) <= 0, (path, width)  # nothing sticks out
                    assert await page.run("getComputedStyle(document.body).margin") == "0px"  # the sheet is there
            assert page.said == []
            assert {url.partition("/static")[0].partition("?")[0] for url in page.requested if "/static" in url} == {
                visitor.base
            }
            assert [url for url in page.requested if not url.startswith(visitor.base)] == []

    asyncio.run(go())


def test_quality_control_and_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(town: Town) -> None:
        base, there = town.visitor.base, path(town.lot)
        paper = (await town.sample())[0]
        async with browser(tmp_path) as page:
            await sign_in(page, base, "poststelle", PASSWORD)
            for where in ("/release", there, f"{there}?id={paper.id}", f"{there}?list=1"):
                await page.look(base + where, language="en", width=360, height=800)
                assert await page.run(WIDER) <= 0, where
            await page.look(f"{base}{there}?id={paper.id}", width=1280)
            assert await page.run(WIDER) <= 0
            await waited(page, "document.querySelector('figure img').naturalWidth === 1240")
            await page.run("document.querySelector('.say button').focus()")  # by the keyboard alone
            assert await page.run("document.activeElement.textContent") == "✓ in Ordnung"
            await page.click("document.activeElement.click()")
            assert await page.run("document.querySelector('.done').textContent") == "Das Ergebnis ist eingetragen."
            assert page.said == []
        assert [p.quality for p in await town.sample()] == ["ok"]

    with_batch(tmp_path, body, monkeypatch, count=1, pages=1, delay_days=30)


async def waited(page: Page, script: str) -> None:
    """Until it holds."""
    async with asyncio.timeout(30):
        while not await page.run(script):  # noqa: ASYNC110 - whatever the page does
            await asyncio.sleep(0.02)


def test_it_keeps_itself_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "QUICK_S", 1)

    async def go() -> None:
        async with visited(home_of(tmp_path)) as visitor, browser(tmp_path) as page:
            await page.look(f"{visitor.base}/frames")
            await waited(page, "document.querySelector('#frames') !== null")
            while not visitor.app.watch.frame_viewers:  # noqa: ASYNC110 - the stream begins behind the page
                await asyncio.sleep(0.01)
            await page.run("document.querySelector('#frames').innerHTML = '<table><tbody></tbody></table>'")
            await put(visitor.app, MAIN, lorawan("hupe", "a81758fffe0312ad", {"level": Value(7)}))
            await waited(page, "document.querySelectorAll('#frames tbody tr.new').length === 1")
            assert "hupe" in await page.run("document.querySelector('#frames').textContent")
            await page.look(visitor.base)

            await page.run("document.querySelector('h1').textContent = 'old'")
            await waited(page, "document.querySelector('h1').textContent !== 'old'")
            assert page.said == []

    asyncio.run(go())


def test_signing_in_with_the_keyboard(tmp_path: Path) -> None:
    async def go() -> None:
        async with visited(home_of(tmp_path, http='sign_in = "always"\n')) as visitor, browser(tmp_path) as page:
            await page.look(f"{visitor.base}/devices?q=meter")
            assert await page.run("location.pathname") == "/sign-in"
            assert await page.run("document.activeElement.name") == "name"
            await page.ask("Input.insertText", text="technik")
            await page.run("document.querySelector('[name=password]').focus()")
            await page.ask("Input.insertText", text=PASSWORD)
            await page.click("document.querySelector('main form').requestSubmit()")
            assert await page.run("location.pathname + location.search") == "/devices?q=meter"
            assert await page.run("document.querySelector('.me').textContent.includes('technik')")
            assert await page.run("document.cookie") == ""  # no script sees it
            await page.click("document.querySelector('.me form').requestSubmit()")
            assert await page.run("location.pathname") == "/sign-in"
            assert page.said == []

    asyncio.run(go())
