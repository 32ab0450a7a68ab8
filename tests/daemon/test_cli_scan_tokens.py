"""`torhaus scans token`, against the calls that a running daemon answers."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.daemon.home import Home
from tests.daemon.test_cli_status import run
from tests.daemon.upload_fakes import UploadBench
from torhaus.daemon.cli import scans
from torhaus.daemon.httpd import serve
from torhaus.daemon.scans.pages import ScanPages


def test_add_list_revoke(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from aiohttp import web

    from torhaus.daemon.config.load import load

    config = str(Home(tmp_path / "home").config)
    socket = Path(load(Path(config), check_only=True).control.socket)

    async def cli(*arguments: str) -> tuple[int, str, str]:
        code = await asyncio.to_thread(run, scans, "scans", "token", *arguments, "--config", config)
        out = capsys.readouterr()
        return code, out.out, out.err

    async def go() -> None:
        (tmp_path / "bench").mkdir()
        async with UploadBench(tmp_path / "bench") as b:
            app = web.Application()
            for method, path, route in ScanPages(b.queue).routes():
                app.router.add_route(method, path, route)
            server = await serve(app, socket=socket)
            code, text, _ = await cli("add", "phone")
            assert (code, len(text)) == (0, 44)
            b.text = text.strip()
            assert (await b.ask("PUT", "/scans/phone/a", b"x")).status == 201
            code, table, _ = await cli("list", "phone")
            assert table.count("good") == 2
            assert b.text not in table
            found = json.loads((await cli("list", "--json"))[1])
            made = next(t["id"] for t in found if t["id"] != b.token)
            assert await cli("revoke", "phone", made) == (0, f"{made}: revoked\n", "")
            assert (await b.ask("PUT", "/scans/phone/a", b"x")).status == 401
            assert "revoked" in (await cli("list"))[1]
            assert (await cli("revoke", "phone", made))[0] == 64
            assert (await cli("add", "counter"))[0] == 64
            await server.close()

    asyncio.run(go())


def test_it_needs_the_daemon(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(scans, "scans", "token", "add", "phone", "--config", str(Home(tmp_path).config)) == 69
    assert "not running" in capsys.readouterr().err
