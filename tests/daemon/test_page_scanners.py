"""Scanners on the page: who may start one, pages that come in, and how a job ended, in both languages."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.browser import browser
from tests.daemon.escl_scanner import Scanner
from tests.daemon.page_scene import PASSWORD, Visitor, checked, home_of, opened_queue, visited
from tests.daemon.scans_fakes import make_pdf
from torhaus.daemon.page.users import account_of
from torhaus.daemon.scans.queue import ScanQueue

SCAN = """[[scan.station]]
name = "flur"
type = "escl"
url = "{0}"
target = "akten"
[[scan.target]]
name = "akten"
type = "folder"
path = "{1}/out"
"""


def with_scanner(folder: Path, scanner: Scanner, body: Callable[[Visitor, ScanQueue], Awaitable[None]]) -> None:
    async def go() -> None:
        (folder / "out").mkdir()
        async with scanner, visited(home_of(folder, SCAN.format(scanner.url, folder))) as visitor:
            await body(visitor, await opened_queue(visitor))
            assert visitor.app.watch.defects == {}

    asyncio.run(go())


async def seen(visitor: Visitor, words: str, language: str = "de") -> str:
    """The page, once it says so."""
    async with asyncio.timeout(30):
        while words not in (text := (await visitor.get("/scans", Accept_Language=language))[1]):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    checked(text)
    return text


def test_only_who_may_operate_starts_a_scanner(tmp_path: Path) -> None:
    async def body(visitor: Visitor, queue: ScanQueue) -> None:
        text = await seen(visitor, "seit dem Start noch nichts")
        assert 'name="station"' not in text
        await visitor.sign_in("gast")
        assert 'name="station"' not in await seen(visitor, "kann hier scannen")
        assert (await visitor.do("/scans", station="flur")).status == 403
        await visitor.do("/sign-out")
        await visitor.sign_in("poststelle")
        assert (await visitor.do("/scans", station="nobody")).status == 404
        assert queue.pulls.last == {}

    with_scanner(tmp_path, Scanner([]), body)


def test_started_looked_at_and_done(tmp_path: Path) -> None:
    scanner = Scanner([make_pdf(n) for n in (1, 2)])

    async def body(visitor: Visitor, queue: ScanQueue) -> None:
        scanner.gate = asyncio.Event()
        await visitor.sign_in("poststelle")
        assert "Scannen</button>" in await seen(visitor, 'name="station" value="flur"')
        answer = await visitor.do("/scans", station="flur")
        assert (answer.status, answer.headers["Location"]) == (303, "/scans")
        text = await seen(visitor, "1 Dokument gekommen")
        assert "scannt" in text
        assert 'name="station"' not in text
        assert "scanning" in await seen(visitor, "1 document came", "en")
        assert (await visitor.do("/scans", station="flur")).status == 409
        scanner.gate.set()
        assert "2 Dokumente gekommen" in await seen(visitor, "fertig")
        assert 'name="station"' in await seen(visitor, "done", "en")
        assert (await queue.verify_evidence()).faults == []
        rows = await queue._db.run(lambda tx: tx.conn.execute("SELECT entry FROM evidence").fetchall())
        said = b"".join(bytes(row[0]) for row in rows)
        assert b"use.scan_started" in said
        assert account_of("poststelle").encode() in said

    with_scanner(tmp_path, scanner, body)


def test_a_fault_is_told_in_the_readers_language(tmp_path: Path) -> None:
    scanner = Scanner([make_pdf(n) for n in (1, 2, 3)])

    async def body(visitor: Visitor, queue: ScanQueue) -> None:
        scanner.adf = "ScannerAdfEmpty"
        await visitor.sign_in("poststelle")
        await visitor.do("/scans", station="flur")
        assert "nicht begonnen" in await seen(visitor, "Im Einzug liegt kein Papier.")
        await seen(visitor, "There is no paper in the feeder.", "en")
        scanner.adf, scanner.jams_after = "ScannerAdfLoaded", 1
        await visitor.do("/scans", station="flur")
        text = await seen(visitor, "Papierstau.")
        assert "nicht alles da" in text
        assert "1 Dokument wird angehalten" in text
        await seen(visitor, "1 document is held", "en")

    with_scanner(tmp_path, scanner, body)


def test_in_a_browser(tmp_path: Path) -> None:
    scanner = Scanner([make_pdf(n) for n in (1, 2)])

    async def body(visitor: Visitor, _: ScanQueue) -> None:
        scanner.gate = asyncio.Event()
        async with browser(tmp_path) as page:
            await page.look(f"{visitor.base}/sign-in")
            for field, value in (("name", "poststelle"), ("password", PASSWORD)):
                await page.run(f"document.querySelector('[name={field}]').value = '{value}'")
            await page.click("document.querySelector('main form').requestSubmit()")
            await page.look(f"{visitor.base}/scans")
            await page.click("document.querySelector('[name=station]').form.requestSubmit()")
            await _until(page.run, "document.body.textContent.includes('1 Dokument gekommen')")
            await page.shot(tmp_path / "coming.png", whole=True)
            scanner.gate.set()
            await _until(page.run, "document.body.textContent.includes('2 Dokumente gekommen')")  # by itself
            await page.look(f"{visitor.base}/scans", language="en", width=390, height=800)
            await page.shot(tmp_path / "done.png", whole=True)
            sideways = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert await page.run(sideways) <= 0
            assert page.said == []

    with_scanner(tmp_path, scanner, body)


async def _until(run: Callable[[str], Awaitable[object]], script: str) -> None:
    async with asyncio.timeout(30):
        while not await run(script):  # noqa: ASYNC110 - whatever the page does
            await asyncio.sleep(0.02)
