"""A reception with a station `phone` on loopback, and requests to it."""

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Self, TypeVar

import aiohttp

from tests.daemon.scans_fakes import Bench, FakeClock
from torhaus.daemon.scans.config import Route, ScanConfig
from torhaus.daemon.scans.uploads.config import HttpListener, HttpStation

Made = TypeVar("Made", bound="UploadBench")


class StillClock(FakeClock):
    """Sleeping does not end: what waits for time waits."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.Event().wait()


class UploadBench(Bench):
    """A ScanQueue with an open door."""

    def __init__(self, root: Path, *, http: dict[str, Any] | None = None, disk: Any = None, **station: Any) -> None:
        super().__init__(root, disk=disk)
        self.clock = StillClock()
        phone = HttpStation("phone", **{"target": "archive", **station})
        other = HttpStation("other", target="archive")
        listener = HttpListener(**{"listen": "127.0.0.1:0", **(http or {})})
        self.config = ScanConfig((phone, other), (self.target,), (Route("archive", class_="x"),), http=listener)
        self.queue = self.new_queue()
        self.token = self.text = ""
        self.http = aiohttp.ClientSession.__new__(aiohttp.ClientSession)
        self._serving: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self.http = aiohttp.ClientSession()
        await self.serve()
        made, self.text = await self.queue.reception.add_token("phone")
        self.token = made.id
        return self

    async def serve(self) -> None:
        door = self.queue.reception.door
        self._serving = asyncio.get_running_loop().create_task(door.run())
        serving = self._serving
        await until(lambda: door.port != 0 or serving.done())
        if self._serving.done():
            self._serving.result()

    async def __aexit__(self, *_: object) -> None:
        await self.http.close()
        await self.stop()
        await super().__aexit__()

    async def stop(self) -> None:
        if self._serving is not None:
            self._serving.cancel()
            await asyncio.gather(self._serving, return_exceptions=True)

    async def restart(self) -> None:
        await self.stop()
        await super().__aexit__()
        await self.new_queue().open()
        await self.serve()

    @property
    def port(self) -> int:
        return self.queue.reception.door.port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def headers(self, **more: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.text}", **{k.replace("_", "-"): v for k, v in more.items()}}

    async def ask(self, method: str, path: str, data: Any = None, **more: str) -> "Answer":
        headers = {**self.headers(), **{k.replace("_", "-"): v for k, v in more.items()}}
        async with self.http.request(method, f"{self.url}{path}", data=data, headers=headers) as r:
            return Answer(r.status, r.headers, await r.read())

    async def tus(self, method: str, path: str, data: Any = None, **more: str) -> "Answer":
        kind = {"Content_Type": "application/offset+octet-stream"} if data is not None else {}
        return await self.ask(method, path, data, **{"Tus_Resumable": "1.0.0", **kind, **more})

    async def create(self, length: int, data: Any = None, **more: str) -> str:
        made = await self.tus("POST", "/tus/phone/", data, **{"Upload_Length": str(length), **more})
        assert made.status == 201, made
        return str(made.headers["Location"])

    async def hashes(self) -> list[str]:
        return sorted(scan.sha256 for scan in await self.queue.list())

    def uploads(self) -> list[str]:
        return [path.name for path in (self.root / "state/scans/uploads").iterdir()]


class Answer:
    """What came back."""

    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def __repr__(self) -> str:
        return f"{self.status} {dict(self.headers)} {self.body[:300]!r}"


def with_uploads(root: Path, work: Callable[[UploadBench], Awaitable[None]], **more: Any) -> UploadBench:
    return with_bench(UploadBench(root, **more), work)


def with_bench(bench: Made, work: Callable[[Made], Awaitable[None]]) -> Made:
    root = bench.root

    async def go() -> Made:
        async with bench as made:
            await work(made)
            result = await made.queue.verify_evidence()
            assert result.faults == []
            assert not list((root / "state/scans/tmp").iterdir())
            return made

    return asyncio.run(go())


async def until(is_so: Callable[[], bool]) -> None:
    """Let others work until it is so."""
    async with asyncio.timeout(20):
        while not is_so():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
