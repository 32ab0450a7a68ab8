"""A driver leaves its line while somebody asks for it, and has it back when they have gone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from torhaus.daemon import link_pages
from torhaus.daemon.control import Refused, follow
from torhaus.daemon.httpd import serve
from torhaus.daemon.link_pages import LinkPages


class Driver:
    def __init__(self, *, busy: bool = False) -> None:
        self.busy = busy
        self.taken_by = 0
        self.left = asyncio.Event()

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        if self.busy:
            await asyncio.Event().wait()
        self.taken_by += 1
        try:
            yield
        finally:
            self.taken_by -= 1
            self.left.set()


def asked(socket: Path, name: str, driver: object, longest_s: float = 60) -> list[bytes]:
    """What the asker hears: one line and it goes; or the refusal is raised."""

    async def main() -> list[bytes]:
        app = web.Application()
        for method, path, route in LinkPages({"bus": driver}, 0.01, longest_s).routes():
            app.router.add_route(method, path, route)
        server = await serve(app, socket=socket)

        def ask() -> list[bytes]:
            lines = follow(socket, f"/links/{name}")
            heard = [next(lines)]
            if isinstance(driver, Driver):
                assert driver.taken_by == 1
            if longest_s < 1:
                heard += list(lines)
            lines.close()
            return heard

        try:
            heard = await asyncio.to_thread(ask)
            if isinstance(driver, Driver):
                async with asyncio.timeout(30):
                    await driver.left.wait()
                assert driver.taken_by == 0
            return heard
        finally:
            await server.close()

    return asyncio.run(main())


def test_held_until_the_asker_has_gone(tmp_path: Path) -> None:
    assert asked(tmp_path / "s", "bus", Driver()) == [b"\n"]


def test_a_forgotten_one_ends(tmp_path: Path) -> None:
    assert asked(tmp_path / "s", "bus", Driver(), 0.05) == [b"\n"] * 5


def test_refusals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_pages, "TURN_S", 0.01)
    with pytest.raises(Refused, match="no driver has this name"):
        asked(tmp_path / "s", "none", Driver())
    with pytest.raises(Refused, match="has no line"):
        asked(tmp_path / "s", "bus", object())
    with pytest.raises(Refused, match="being read"):
        asked(tmp_path / "s", "bus", Driver(busy=True))
