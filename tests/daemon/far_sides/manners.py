"""What the strict fakes of far sides have in common: on loopback; they note what is wrong, and misbehave on command.

`script` holds ways to misbehave for the next requests that hand a document over, one by one; `chaos` does so by the
dice for that share of all requests. Ways: a status, "drop" (hang up before anything is done), "store_then_drop" (hang
up in place of the answer), "flip", "truncate" and "lose" (say yes, and have other bytes or none), "slow".
"""

import asyncio
import random
from typing import Any, Self

from aiohttp import web

CHAOS = ("drop", "store_then_drop", "flip", "truncate", "lose", "500", "503", "403", "429", "502", "slow")
HOW = web.RequestKey("how", str)


class FarSide:
    """A server; subclasses add routes and say which requests hand a document over."""

    def __init__(self, *, chaos: float = 0.0, seed: int = 1) -> None:
        self.script: list[str] = []
        self.faults: list[str] = []
        self.asked: list[str] = []
        self.chaos = chaos
        self.rng = random.Random(seed)
        self.url = ""
        self._runner: web.AppRunner | None = None

    def routes(self) -> list[web.RouteDef]:
        raise NotImplementedError

    def hands_over(self, request: web.Request) -> bool:
        """Whether the script is about this request."""
        return request.method == "PUT"

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=1 << 30, middlewares=[self._manners()])
        app.router.add_routes(self.routes())
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    def fault(self, text: str) -> None:
        """The client did something that it must not."""
        self.faults.append(text)

    def _way(self, request: web.Request) -> str:
        if self.chaos and self.rng.random() < self.chaos:
            return self.rng.choice(CHAOS)
        return self.script.pop(0) if self.script and self.hands_over(request) else ""

    def _manners(self) -> Any:
        @web.middleware
        async def manners(request: web.Request, handler: Any) -> web.StreamResponse:
            self.asked.append(f"{request.method} {request.path}")
            how = self._way(request)
            if how == "drop":
                return hang_up(request)
            if how.isdigit():
                await request.read()
                return web.Response(status=int(how), headers={"Retry-After": "120"} if how in {"503", "429"} else {})
            if how == "slow":
                await asyncio.sleep(0.005)
            request[HOW] = how
            try:
                reply: web.StreamResponse = await handler(request)
            except web.HTTPException as refused:
                reply = web.Response(status=refused.status, text=refused.text, headers=refused.headers)
            return hang_up(request) if how == "store_then_drop" else reply

        return manners

    @staticmethod
    def harmed(request: web.Request, data: bytes) -> bytes | None:
        """What is stored of what came."""
        match request[HOW]:
            case "flip":
                return bytes([data[0] ^ 1]) + data[1:]
            case "truncate":
                return data[:-1]
            case "lose":
                return None
        return data


def answered_raw(request: web.Request, status: bytes, field: bytes) -> web.Response:
    """An answer with a field that no library would write."""
    assert request.transport is not None
    request.transport.write(
        b"HTTP/1.1 " + status + b"\r\n" + field + b"\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    )
    request.transport.close()
    return web.Response()


def hang_up(request: web.Request) -> web.StreamResponse:
    """No answer, and the connection is gone."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()
