"""The daemon's HTTP: metrics and health on TCP, the same and the control calls on a local socket."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
from aiohttp import web

from torhaus.daemon.outbox.state import State
from torhaus.daemon.outbox.store import Outbox
from torhaus.daemon.status import Survey, letter

JSON = "application/json"
Route = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type=JSON, status=status)


class Pages:
    """The answers. Liveness and readiness never depend on a far side."""

    def __init__(
        self, survey: Survey, outbox: Outbox, metrics: Callable[[], bytes], wall_ns: Callable[[], int]
    ) -> None:
        self._survey = survey
        self._outbox = outbox
        self._metrics = metrics
        self._wall_ns = wall_ns

    async def metrics(self, _: web.Request) -> web.Response:
        """Prometheus text format."""
        return web.Response(body=self._metrics(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    async def livez(self, _: web.Request) -> web.Response:
        """200 while the loop turns (it answered) and the writer answers."""
        alive = self._outbox.silent_s() < 20
        return web.Response(text="ok\n" if alive else "the writer does not answer\n", status=200 if alive else 503)

    async def readyz(self, _: web.Request) -> web.Response:
        """200 while what comes in is stored."""
        if self._survey.ready():
            return web.Response(text="ok\n")
        return web.Response(text="\n".join(self._survey.problems()) + "\n", status=503)

    async def healthz(self, _: web.Request) -> web.Response:
        """How every part is, with reasons; 200 always, since it is for people and dashboards."""
        return _json(self._survey.status())

    async def index(self, _: web.Request) -> web.Response:
        """Where to look."""
        links = "".join(f'<li><a href="{p}">{p}</a></li>' for p in ("/metrics", "/livez", "/readyz", "/healthz"))
        return web.Response(text=f"<!doctype html><title>torhaus</title><ul>{links}</ul>", content_type="text/html")

    async def dead_letters(self, request: web.Request) -> web.Response:
        """What was refused for good."""
        name = request.query.get("forwarder")
        found = await self._outbox.on_state(lambda s: s.dead_letters(name))
        return _json([letter(d, self._outbox.site) for d in found])

    async def retry(self, request: web.Request) -> web.Response:
        """Try a dead letter again."""
        number = int(request.match_info["number"])
        done = await self._outbox.on_state(lambda s: s.retry_dead_letter(number, self._wall_ns()))
        if done:
            for _, runner in self._survey.runners.values():
                await runner.books.load()
        return _json({"done": done}, 200 if done else 404)

    async def drop(self, request: web.Request) -> web.Response:
        """Delete a dead letter: a person's decision."""
        number = int(request.match_info["number"])
        done = await self._outbox.on_state(lambda s: State.drop_dead_letter(s, number))
        return _json({"done": done}, 200 if done else 404)

    def public(self) -> web.Application:
        """What the TCP port has: reading only."""
        app = web.Application(client_max_size=1 << 16)
        app.router.add_get("/", self.index)
        app.router.add_get("/metrics", self.metrics)
        app.router.add_get("/livez", self.livez)
        app.router.add_get("/readyz", self.readyz)
        app.router.add_get("/healthz", self.healthz)
        return app

    def control(self, more: list[tuple[str, str, Route]]) -> web.Application:
        """What the local socket has: the same, and what changes something."""
        app = self.public()
        app.router.add_get("/dead-letters", self.dead_letters)
        app.router.add_post(r"/dead-letters/{number:\d+}/retry", self.retry)
        app.router.add_delete(r"/dead-letters/{number:\d+}", self.drop)
        for method, path, route in more:
            app.router.add_route(method, path, route)
        return app


async def serve(
    app: web.Application, *, listen: tuple[str, int] | None = None, socket: Path | None = None
) -> web.AppRunner:
    """Serve on a TCP address or a UNIX socket (user and group only). Raises OSError when it cannot be had."""
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
    await runner.setup()
    try:
        if listen is not None:
            await web.TCPSite(runner, *listen).start()
        if socket is not None:
            _clear(socket)
            await web.UnixSite(runner, socket).start()
            _restrict(socket)
    except BaseException:
        await runner.cleanup()
        raise
    return runner


def _clear(socket: Path) -> None:
    socket.parent.mkdir(parents=True, exist_ok=True)
    socket.unlink(missing_ok=True)


def _restrict(socket: Path) -> None:
    socket.chmod(0o660)
