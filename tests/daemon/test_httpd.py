import asyncio
import io
import json
import socket
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from torhaus.daemon import httpd
from torhaus.daemon.httpd import MAX_BODY_BYTES, CannotListen, Pages, serve
from torhaus.daemon.supervise import Told

Ask = Callable[..., Awaitable[tuple[int, str]]]


class Parts(Told):
    """What the pages look at."""

    def __init__(self) -> None:
        self.silent = 0.0
        self.is_ready = True
        self.numbers: list[int] = []
        self.loaded = 0
        self.defects: list[BaseException] = []
        self.fault: Exception | None = None
        self.pages = Pages(self, self, lambda: b"m 1\n", lambda: 5, self)  # type: ignore[arg-type]
        self.site = "test"

        async def load() -> None:
            self.loaded += 1

        self.runners = {"x": ("file", SimpleNamespace(books=SimpleNamespace(load=load)))}

    def silent_s(self) -> float:
        return self.silent

    def ready(self) -> bool:
        return self.is_ready

    def problems(self) -> list[str]:
        return ["starting", "driver x: gone"]

    def status(self) -> dict[str, str]:
        if self.fault is not None:
            raise self.fault
        return {"site": "test"}

    async def on_state(self, job: Callable[[Any], Any]) -> Any:
        return job(self)

    def dead_letters(self, forwarder: str | None) -> list[Any]:
        assert forwarder in {None, "a b"}
        return []

    def retry_dead_letter(self, number: int, now_ns: int) -> bool:
        self.numbers.append(number)
        return number == 7

    def defect(self, name: str, error: BaseException) -> None:
        self.defects.append(error)


def with_pages(folder: Path, body: Callable[[Parts, Ask, Ask], Awaitable[None]]) -> None:
    """`body` is given the parts, the TCP side and the socket side."""

    async def go() -> None:
        parts = Parts()
        path = folder / "t.sock"
        tcp = await serve(parts.pages.public(), listen=("127.0.0.1", 0))
        unix = await serve(parts.pages.control([]), socket=path)

        def asker(session: aiohttp.ClientSession) -> Ask:
            async def ask(what: str, method: str = "GET", **more: Any) -> tuple[int, str]:
                async with session.request(method, what, **more) as answer:
                    return answer.status, await answer.text()

            return ask

        async with (
            aiohttp.ClientSession(f"http://127.0.0.1:{tcp.port}") as one,
            aiohttp.ClientSession("http://x", connector=aiohttp.UnixConnector(str(path))) as other,
        ):
            await body(parts, asker(one), asker(other))
        await tcp.close()
        await unix.close()
        assert not path.exists()

    asyncio.run(go())


def test_health(tmp_path: Path) -> None:
    async def body(parts: Parts, tcp: Ask, unix: Ask) -> None:
        for ask in (tcp, unix):
            assert await ask("/livez") == await ask("/readyz") == (200, "ok\n")
            assert await ask("/metrics") == (200, "m 1\n")
            assert json.loads((await ask("/healthz"))[1]) == {"site": "test"}
            assert 'href="/metrics"' in (await ask("/"))[1]
        parts.is_ready = False
        assert await tcp("/readyz") == (503, "starting\ndriver x: gone\n")
        assert await tcp("/livez") == (200, "ok\n")  # not ready is no reason to be killed
        parts.silent = 21.0
        assert await tcp("/livez") == (503, "the writer does not answer\n")
        assert (await tcp("/healthz"))[0] == 200

    with_pages(tmp_path, body)


def test_dead_letters(tmp_path: Path) -> None:
    async def body(parts: Parts, tcp: Ask, unix: Ask) -> None:
        assert await unix("/dead-letters?forwarder=a%20b") == (200, "[]")
        assert (await unix("/dead-letters/7/retry", "POST"))[0] == 200
        assert parts.loaded == 1
        assert await unix("/dead-letters/8/retry", "POST") == (404, '{"error":"no such dead letter"}')
        assert parts.loaded == 1
        assert (await unix("/dead-letters/7/retry"))[0] == 405
        for odd in ("9" * 19, "9" * 5000, "-1", "x", "%D9%A3"):
            assert (await unix(f"/dead-letters/{odd}/retry", "POST"))[0] == 404
        assert parts.numbers == [7, 8]
        for path in ("/dead-letters", "/dead-letters/7/retry", "/scans"):  # TCP is for reading only
            assert (await tcp(path, "POST"))[0] == (await tcp(path))[0] == 404

    with_pages(tmp_path, body)


def test_what_goes_wrong_is_an_answer(tmp_path: Path) -> None:
    async def body(parts: Parts, tcp: Ask, unix: Ask) -> None:
        parts.fault = sqlite3.OperationalError("disk I/O error")
        assert await tcp("/healthz") == (503, '{"error":"disk I/O error"}')
        assert parts.defects == []
        parts.fault = ValueError("secret")
        assert await tcp("/healthz") == (500, '{"error":"defect: see the log"}')
        assert parts.defects == [parts.fault]
        assert await tcp("/livez") == (200, "ok\n")

    with_pages(tmp_path, body)


def test_a_large_body_is_not_kept(tmp_path: Path) -> None:
    async def body(parts: Parts, tcp: Ask, unix: Ask) -> None:
        try:
            status, _ = await unix("/dead-letters/7/retry", "POST", data=io.BytesIO(bytes(20 * MAX_BODY_BYTES)))
        except aiohttp.ClientError:
            status = 200  # answered and closed before all of it was sent
        assert status == 200
        assert await unix("/livez") == (200, "ok\n")

    with_pages(tmp_path, body)


async def hello(_: web.Request) -> web.Response:
    return web.Response(text="hello")


def app() -> web.Application:
    made = web.Application()
    made.router.add_get("/", hello)
    return made


def in_loop(body: Callable[[], Awaitable[None]]) -> None:
    async def go() -> None:
        await body()

    asyncio.run(go())


def test_the_socket_has_its_mode_before_anybody_can_find_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run" / "t.sock"
    seen: list[int] = []
    rename = Path.rename

    def watched(self: Path, target: Path) -> Path:
        seen.append(self.stat().st_mode & 0o777)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", watched)

    async def body() -> None:
        server = await serve(app(), socket=path)
        assert [p.name for p in path.parent.iterdir()] == ["t.sock"]
        assert (seen, path.stat().st_mode & 0o777) == ([0o660], 0o660)
        await server.close()
        assert list(path.parent.iterdir()) == []

    in_loop(body)


def test_a_stale_socket_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "t.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))

    async def body() -> None:
        server = await serve(app(), socket=path)
        connector = aiohttp.UnixConnector(str(path))
        async with aiohttp.ClientSession(connector=connector) as session, session.get("http://x/") as answer:
            assert await answer.text() == "hello"
        await server.close()

    in_loop(body)


@pytest.mark.parametrize("backlog", [0, 5])
def test_somebody_elses_socket_is_left_alone(tmp_path: Path, backlog: int) -> None:
    path = tmp_path / "t.sock"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen(backlog)
        waiting = [socket.socket(socket.AF_UNIX) for _ in range(3)]
        for s in waiting:
            s.setblocking(False)
            s.connect_ex(str(path))

        async def body() -> None:
            with pytest.raises(CannotListen, match="another torhaus answers there"):
                await serve(app(), socket=path)

        in_loop(body)
        for s in waiting:
            s.close()
    assert path.is_socket()


def test_a_socket_that_has_become_somebody_elses_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "t.sock"

    async def body() -> None:
        server = await serve(app(), socket=path)
        path.unlink()
        path.write_text("new")
        await server.close()
        assert path.read_text() == "new"

    in_loop(body)


def test_what_is_no_socket_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "t.sock"
    path.write_text("precious")

    async def body() -> None:
        with pytest.raises(CannotListen, match="no socket"):
            await serve(app(), socket=path)
        with pytest.raises(CannotListen, match="too long"):
            await serve(app(), socket=tmp_path / ("x" * 200))
        with pytest.raises(CannotListen, match=r"192\.0\.2\.1:80: Cannot assign"):
            await serve(app(), listen=("192.0.2.1", 80))

    in_loop(body)
    assert path.read_text() == "precious"
    assert httpd._identity(tmp_path / "none") is None
