import asyncio
import os
from pathlib import Path

import aiohttp
from aiohttp import web

from torhaus.daemon.evidence.who import account_of
from torhaus.daemon.httpd import serve


def test_accounts(tmp_path: Path) -> None:
    async def page(request: web.Request) -> web.Response:
        return web.Response(text=account_of(request))

    async def go() -> None:
        app = web.Application()
        app.router.add_get("/", page)
        local = await serve(app, socket=tmp_path / "t.sock")
        connector = aiohttp.UnixConnector(str(tmp_path / "t.sock"))
        async with aiohttp.ClientSession(connector=connector) as session, session.get("http://localhost/") as answer:
            assert await answer.text() == f"uid:{os.getuid()}"
        await local.close()
        app = web.Application()
        app.router.add_get("/", page)
        remote = await serve(app, listen=("127.0.0.1", 0))
        url = f"http://127.0.0.1:{remote.port}/"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            assert await answer.text() == "unknown"
        await remote.close()

    asyncio.run(go())
