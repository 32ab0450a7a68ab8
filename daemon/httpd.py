"""The daemon's HTTP: metrics and health on TCP, the same and the control calls on a local socket."""

import contextlib
import logging
import os
import sqlite3
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from socket import AF_UNIX, SOCK_STREAM
from socket import socket as new_socket
from ssl import SSLContext
from typing import Final

import msgspec
from aiohttp import web
from aiohttp.typedefs import Middleware

from torhaus.daemon.outbox.state import State
from torhaus.daemon.outbox.store import Outbox
from torhaus.daemon.page.door import Door
from torhaus.daemon.status import Survey, letter
from torhaus.daemon.supervise import Told

JSON: Final = "application/json"
MAX_BODY_BYTES: Final = 1 << 16
"""Of a request. Only an order for a downlink has a body."""
IDLE_S: Final = 30.0
"""For a request's head, and between two requests: whoever says nothing must not hold a descriptor for ever."""
LINGER_S: Final = 5.0
"""A client that is refused may go on sending for so long, so that it gets to read why."""
_SILENT: Final = logging.Logger("http", logging.CRITICAL + 1)  # noqa: LOG001 - nobody else's
"""aiohttp's own words about malformed requests: a traceback each, with what strangers sent, and cookies, in it."""
Route = Callable[[web.Request], Awaitable[web.StreamResponse]]


class CannotListen(Exception):  # noqa: N818 - a fact
    """An address or a socket cannot be had."""


def reply_json(value: object, status: int = 200) -> web.Response:
    """Any structure as a JSON answer."""
    return web.Response(body=msgspec.json.encode(value), content_type=JSON, status=status)


class Pages:
    """The answers. Liveness and readiness never depend on a far side."""

    def __init__(
        self,
        survey: Survey,
        outbox: Outbox,
        metrics: Callable[[], bytes],
        wall_ns: Callable[[], int],
        told: Told,
        door: Door | None = None,
    ) -> None:
        self._survey = survey
        self._outbox = outbox
        self._metrics = metrics
        self._wall_ns = wall_ns
        self._told = told
        self._door = door

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
        return reply_json(self._survey.status())

    async def guarded_healthz(self, request: web.Request) -> web.Response:
        """The same for whoever may look at the page; 403 for others."""
        if self._door is None or self._door.may_look(request):
            return await self.healthz(request)
        return reply_json({"error": "sign in to the page first, or ask the local socket: torhaus status --json"}, 403)

    async def index(self, _: web.Request) -> web.Response:
        """Where to look."""
        links = "".join(f'<li><a href="{p}">{p}</a></li>' for p in ("/metrics", "/livez", "/readyz", "/healthz"))
        return web.Response(text=f"<!doctype html><title>torhaus</title><ul>{links}</ul>", content_type="text/html")

    async def dead_letters(self, request: web.Request) -> web.Response:
        """What was refused for good."""
        name = request.query.get("forwarder")
        found = await self._outbox.on_state(lambda s: s.dead_letters(name))
        return reply_json([letter(d, self._outbox.site) for d in found])

    async def retry(self, request: web.Request) -> web.Response:
        """Try a dead letter again."""
        number = int(request.match_info["number"])
        done = await self._outbox.on_state(lambda s: s.retry_dead_letter(number, self._wall_ns()))
        if not done:
            return reply_json({"error": "no such dead letter"}, 404)
        for _, runner in self._survey.runners.values():
            await runner.books.load()
        return reply_json({"done": True})

    async def drop(self, request: web.Request) -> web.Response:
        """Delete a dead letter: a person's decision."""
        number = int(request.match_info["number"])
        done = await self._outbox.on_state(lambda s: State.drop_dead_letter(s, number))
        return reply_json({"done": True}) if done else reply_json({"error": "no such dead letter"}, 404)

    def public(self) -> web.Application:
        """What the TCP port has: metrics, health, and the web page where there is one."""
        app = self._bare()
        app.router.add_get("/healthz", self.guarded_healthz)
        if self._door is None:
            app.router.add_get("/", self.index)
        else:
            app.router.add_route("*", "/{rest:.*}", self._door.handle)
        return app

    def _bare(self) -> web.Application:
        app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[self._guard()])
        app.router.add_get("/metrics", self.metrics)
        app.router.add_get("/livez", self.livez)
        app.router.add_get("/readyz", self.readyz)
        return app

    def control(self, more: list[tuple[str, str, Route]]) -> web.Application:
        """What the local socket has: the same, and what changes something."""
        app = self._bare()
        app.router.add_get("/", self.index)
        app.router.add_get("/healthz", self.healthz)
        app.router.add_get("/dead-letters", self.dead_letters)
        app.router.add_post("/dead-letters/{number:[0-9]{1,18}}/retry", self.retry)  # what SQLite takes for a number
        app.router.add_delete("/dead-letters/{number:[0-9]{1,18}}", self.drop)
        for method, path, route in more:
            app.router.add_route(method, path, route)
        return app

    def _guard(self) -> Middleware:
        @web.middleware
        async def guard(request: web.Request, handler: Route) -> web.StreamResponse:
            """A file that cannot be read is 503; a defect is told like any other, and 500."""
            try:
                return await handler(request)
            except web.HTTPException:
                raise
            except (OSError, sqlite3.Error) as e:
                return reply_json({"error": str(e)}, 503)
            except Exception as e:  # noqa: BLE001 - told, and the next request is answered
                self._told.defect("http", e)
                return reply_json({"error": "defect: see the log"}, 500)

        return guard


class Server:
    """An application that is served."""

    def __init__(self, runner: web.AppRunner, socket: Path | None) -> None:
        self._runner = runner
        self._socket = socket
        self._identity = _identity(socket) if socket is not None else None

    @property
    def port(self) -> int:
        """The TCP port, also when any free one was asked for."""
        port: int = self._runner.addresses[0][1]
        return port

    async def close(self) -> None:
        """Finish the answers that are under way. The socket is removed, unless it has become somebody else's."""
        await self._runner.cleanup()
        if self._socket is not None and _identity(self._socket) == self._identity:
            self._socket.unlink(missing_ok=True)


async def serve(
    app: web.Application,
    *,
    listen: tuple[str, int] | None = None,
    socket: Path | None = None,
    tls: SSLContext | None = None,
) -> Server:
    """Serve on a TCP address, with or without TLS, or a UNIX socket (user and group only). Raises CannotListen."""
    runner = web.AppRunner(
        app,
        access_log=None,
        logger=_SILENT,
        handle_signals=False,
        shutdown_timeout=1.0,
        keepalive_timeout=IDLE_S,
        lingering_time=LINGER_S,
    )
    await runner.setup()
    where = str(socket) if listen is None else f"{listen[0]}:{listen[1]}"
    try:
        if listen is not None:
            await web.TCPSite(runner, *listen, ssl_context=tls).start()
        if socket is not None:
            await _serve_unix(runner, socket)
        return Server(runner, socket)
    except BaseException as e:
        await runner.cleanup()
        if isinstance(e, OSError | OverflowError):  # OverflowError: no such port
            raise CannotListen(f"cannot listen on {where}: {_why(e)}") from e
        raise


def _why(error: OSError | OverflowError) -> str:
    number = getattr(error, "errno", None) or 0
    return os.strerror(number) if number > 0 else getattr(error, "strerror", None) or str(error)


async def _serve_unix(runner: web.AppRunner, socket: Path) -> None:
    """Make the socket under another name, so that it has its mode before anybody can connect; then put it in place."""
    _make_way(socket)
    new = socket.with_name(f".{socket.name}.{os.getpid()}")
    try:
        await web.UnixSite(runner, new).start()
        new.chmod(0o660)
        new.rename(socket)
    finally:
        new.unlink(missing_ok=True)


def _make_way(socket: Path) -> None:
    """Raise OSError unless there is nothing, or the socket that a dead daemon left."""
    socket.parent.mkdir(parents=True, exist_ok=True)
    if _identity(socket) is None:
        return
    if not stat.S_ISSOCK(socket.lstat().st_mode):
        raise OSError("something is there that is no socket")
    with new_socket(AF_UNIX, SOCK_STREAM) as probe:
        probe.setblocking(False)
        with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
            with contextlib.suppress(BlockingIOError):  # many are waiting there
                probe.connect(str(socket))
            raise OSError("another torhaus answers there")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
