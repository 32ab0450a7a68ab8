import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.daemon.scans_fakes import Bench, fake_pdf
from torhaus.daemon.httpd import serve
from torhaus.daemon.scans.check import CheckUnavailable
from torhaus.daemon.scans.offline import read_scan, read_scans
from torhaus.daemon.scans.pages import ScanPages

Ask = Callable[..., Awaitable[tuple[int, Any]]]


def with_pages(root: Path, body: Callable[[Bench, Ask], Awaitable[None]], **station: Any) -> None:
    async def go() -> None:
        bench = Bench(root, **station)
        app = web.Application()
        for method, path, page in ScanPages(bench.queue).routes():
            app.router.add_route(method, path, page)
        server = await serve(app, listen=("127.0.0.1", 0))
        async with aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as session:

            async def ask(path: str, method: str = "GET") -> tuple[int, Any]:
                async with session.request(method, path) as answer:
                    return answer.status, json.loads(await answer.read())

            await body(bench, ask)
        await server.close()

    asyncio.run(go())


def test_list_show_retry(tmp_path: Path) -> None:
    async def body(b: Bench, ask: Ask) -> None:
        closed = (503, {"error": "the scan store is not open: see torhaus status"})
        assert await ask("/scans") == await ask("/scans/show?id=x") == await ask("/scans/retry", "POST") == closed
        assert await ask("/scans/lots") == await ask("/evidence/key") == await ask("/scans/discard", "POST") == closed
        async with b:
            for name in (b"a.pdf", b"evil\n\x1b[31m\xff.pdf"):
                b.put(name, fake_pdf())
            await b.look()
            await b.queue.seal()
            status, rows = await ask("/scans")
            assert status == 200
            assert [r["state"] for r in rows] == ["held", "sealed"]
            assert all(r["name"].isprintable() for r in rows)
            held = rows[0]["id"]
            assert [r["id"] for r in (await ask("/scans?state=held&state=spooled"))[1]] == [held]
            status, answer = await ask("/scans?state=lost")
            assert status == 400
            assert "verified" in answer["error"]
            status, shown = await ask(f"/scans/show?id={held}")
            assert (status, shown["scan"]["reason"]) == (200, "duplicate")
            assert [e["event"] for e in shown["entries"]] == ["arrived", "spooled", "source_removed", "held"]
            assert (
                await ask("/scans/show?id=none")
                == await ask("/scans/retry", "POST")
                == (
                    404,
                    {"error": "no such scan"},
                )
            )
            assert (await ask(f"/scans/retry?id={held}", "POST"))[1]["state"] == "sealed"
            assert (await ask(f"/scans/retry?id={held}", "POST"))[0] == 409
            path = tmp_path / "state/scans/scans.db"  # what the command line reads when the daemon is down
            offline = read_scans(path, ["sealed"])
            assert [r.id for r in offline] == [r["id"] for r in (await ask("/scans?state=sealed"))[1]]
            one = read_scan(path, held)
            assert one is not None
            assert [e.event for e in one.entries][-1] == "sealed"

    with_pages(tmp_path, body, duplicates="hold")


def test_a_check_that_cannot_be_made_just_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(b: Bench, ask: Ask) -> None:
        async with b:
            b.put("a.pdf", b"%PDF broken")
            await b.look(700)
            await b.look(700)
            [scan] = await b.queue.list()
            assert scan.state.value == "quarantined"

            async def unavailable(_: Path, *, codes: bool) -> Any:
                raise CheckUnavailable("no pikepdf")

            monkeypatch.setattr(b.check, "check", unavailable)
            assert (await ask(f"/scans/retry?id={scan.id}", "POST"))[0] == 503

    with_pages(tmp_path, body)


def test_targets_and_whether_they_can_be_reached(tmp_path: Path) -> None:
    async def body(b: Bench, ask: Ask) -> None:
        async with b:
            status, (target,) = await ask("/scans/targets")
            assert status == 200
            assert target["name"] == "archive"
            assert (target["type"], target["proves"], target["is_up"]) == ("folder", "verified", True)
            status, said = await ask("/scans/try?target=archive", "POST")
            assert status == 200
            assert said.startswith("can be written, ")
            assert await ask("/scans/try?target=none", "POST") == (404, {"error": "no such target"})
            b.out.rmdir()
            status, said = await ask("/scans/try?target=archive", "POST")
            assert (status, said) == (503, {"error": "folder not there or not mounted"})

    with_pages(tmp_path, body)
