"""Over the control socket: who asks is known by the number of a system account."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from tests.daemon.evidence_scene import read
from tests.daemon.scans_fakes import Bench, fake_pdf
from torhaus.daemon.httpd import serve
from torhaus.daemon.scans.pages import ScanPages

Ask = Callable[..., Awaitable[tuple[int, Any]]]


def with_pages(root: Path, body: Callable[[Bench, Ask], Awaitable[None]]) -> None:
    async def go() -> None:
        bench = Bench(root)
        app = web.Application()
        for method, path, page in ScanPages(bench.queue).routes():
            app.router.add_route(method, path, page)
        server = await serve(app, socket=root / "t.sock")
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(root / "t.sock"))) as session:

            async def ask(path: str, method: str = "GET") -> tuple[int, Any]:
                async with session.request(method, f"http://localhost{path}") as answer:
                    return answer.status, await answer.json()

            await body(bench, ask)
        await server.close()

    asyncio.run(go())


def test_key_note_state_export(tmp_path: Path) -> None:
    async def body(b: Bench, ask: Ask) -> None:
        assert (await ask("/evidence/key"))[0] == 503
        async with b:
            assert await ask("/evidence/key") == (200, {"key": b.queue.evidence.signer.public})
            b.put("a.pdf", fake_pdf())
            await b.look()
            [scan] = await b.queue.list()
            what = f"/scans/state?id={scan.id}&by=S17&field=quality=passed&field=match=yes"
            status, note = await ask(what, "POST")
            assert (status, note["quality"]["value"], note["schema"]) == (200, "passed", "torhaus-transfer-note/1")
            assert note["match"]["account"] == f"uid:{os.getuid()}"
            assert await ask(f"/scans/note?id={scan.id}") == (200, note)
            status, exported = await ask(f"/evidence/export?id={scan.id}", "POST")
            assert (status, exported["document"], exported["sha256"]) == (200, "document.pdf", scan.sha256)
            journal = read(tmp_path)
            assert journal.get(journal.seqs("use.exported")[0]).data["account"] == f"uid:{os.getuid()}"
            b.put("b.pdf", b"%PDF-1.7 cut")
            await b.look(700)
            retried = await ask(f"/scans/retry?id={(await b.queue.list())[0].id}", "POST")
            assert retried[0] == 200
            journal = read(tmp_path)
            assert journal.get(journal.seqs("use.retried")[0]).data["account"] == f"uid:{os.getuid()}"

    with_pages(tmp_path, body)


def test_batches_and_what_cannot_be_said(tmp_path: Path) -> None:
    async def body(b: Bench, ask: Ask) -> None:
        async with b:
            b.put("a.pdf", fake_pdf())
            await b.look()
            await b.queue._db.run(lambda tx: tx.conn.execute("UPDATE scan SET batch = 'x'"))
            [scan] = await b.queue.list()
            status, note = await ask("/scans/state?batch=x&by=S17&field=completeness=complete", "POST")
            assert (status, note["count"], note["schema"]) == (200, 1, "torhaus-batch-note/1")
            assert (await ask("/scans/note?batch=x"))[1] == note
            assert (await ask("/scans/note?batch=y"))[0] == (await ask("/scans/note"))[0] == 404
            assert (await ask("/evidence/export?id=no", "POST"))[0] == 404
            for odd in ("by=Anna%20M&field=match=yes", "by=S17", "by=S17&field=match=perhaps", "field=match=yes"):
                status, answer = await ask(f"/scans/state?id={scan.id}&{odd}", "POST")
                assert (status, list(answer)) == (400, ["error"])

    with_pages(tmp_path, body)
