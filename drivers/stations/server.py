"""The server that stations connect to: websockets at /router-info and /router/EUI, updates at /update-info."""

import asyncio
import contextlib
import logging
import os
import re
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Final

from aiohttp import WSMsgType, web
from aiohttp.typedefs import Middleware

from torhaus.codecs.framing.basics_station import discovery
from torhaus.codecs.framing.basics_station.id6 import parse_router
from torhaus.codecs.framing.basics_station.upward import MAX_BYTES
from torhaus.codecs.lorawan.downlink import Downlink, TxAnswer, TxStatus
from torhaus.codecs.model import DecodeError, RejectReason
from torhaus.drivers.base import DriverGone, GatewayLeft, GatewayRefused, GatewaySeen, Host, LinkChanged
from torhaus.drivers.basics_station import Config, uri_of
from torhaus.drivers.said import Said, system
from torhaus.drivers.semtech_udp import split_listen
from torhaus.drivers.stations.access import Access
from torhaus.drivers.stations.session import Session
from torhaus.drivers.stations.tls import Tls
from torhaus.drivers.stations.updates import MAX_QUESTION_BYTES, Updates

PROTOCOL: Final = "basics_station"
MAX_STATIONS: Final = 256
MAX_CONNECTIONS: Final = 2 * MAX_STATIONS
"""Also those that have not said who they are."""
FIRST_WORDS_S: Final = 10.0
"""Who has said nothing by then is let go: before TLS is agreed, before the request, before the question."""
RENEW_S: Final = 60.0
"""How often a look is taken whether the certificate was renewed."""
_UNHEARD: Final = logging.getLogger("torhaus.drivers.stations.http")
_UNHEARD.disabled = True  # aiohttp has a line and a traceback for every scanner's bad request
_HOST: Final = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")

Route = Callable[[web.Request], Awaitable[web.StreamResponse]]


class StationServer:
    """One listener, any number of stations."""

    tells_refusals = False  # a station says what it has sent, and nothing else

    def __init__(self, config: Config) -> None:
        self.config = config
        self.port = 0
        self.bound = asyncio.Event()
        self.sessions: dict[str, Session] = {}
        self.gateways = frozenset(g.eui.lower() for g in config.gateway)
        self._access = Access(config)
        self._updates = Updates(config)
        self._numbers = count(1)
        self._silent: set[object] = set()  # connections that have asked for nothing yet
        self._host: Host

    async def run(self, host: Host) -> None:
        """Serve until cancelled. Raises DriverGone when the address or the certificate cannot be had."""
        self._host = host
        self._numbers = count(host.stamp().wall_ns >> 14)  # goes on where the run before ended, and beyond
        c = self.config
        try:
            tls = Tls(c.cert_file, c.key_file, c.client_ca_file, self._handshake_failed) if c.cert_file else None
        except OSError as e:
            raise DriverGone(Said("certificate", why=e.strerror or str(e))) from e
        runner = web.AppRunner(
            self._app(),
            access_log=None,
            logger=_UNHEARD,
            handle_signals=False,
            shutdown_timeout=1.0,
            keepalive_timeout=15.0,
        )
        await runner.setup()
        try:
            await self._serve(runner, tls)
        finally:
            self.bound.clear()
            for session in self.sessions.values():
                session.abort("the server stops")
            await runner.cleanup()

    async def transmit(self, downlink: Downlink) -> tuple[TxAnswer, ...]:
        """Send through one of its gateways (torhaus.drivers.downlink.Transmitter)."""
        session = self.sessions.get(downlink.gateway)
        if session is None or not session.can_send:
            return (TxAnswer(TxStatus.NO_GATEWAY),) * len(downlink.items)
        return await session.sender.transmit(downlink)

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=MAX_QUESTION_BYTES, middlewares=[self._guard()])
        app.router.add_get("/router-info", self._discover)
        app.router.add_get("/router/{router}", self._data)
        app.router.add_post("/update-info", self._update)
        return app

    async def _serve(self, runner: web.AppRunner, tls: Tls | None) -> None:
        assert runner.server is not None
        loop = asyncio.get_running_loop()
        factory = self._factory(runner.server)
        address, port = split_listen(self.config.listen)
        context = tls.context if tls is not None else None
        limit = FIRST_WORDS_S if tls is not None else None
        try:
            server = await loop.create_server(factory, address, port, ssl=context, ssl_handshake_timeout=limit)
        except OSError as e:
            raise DriverGone(Said("cannot_listen", listen=self.config.listen, why=system(e))) from e
        try:
            self.port = server.sockets[0].getsockname()[1]
            self.bound.set()
            self._host.event(LinkChanged(up=True, detail=Said("tls_port" if tls else "tcp_port", port=str(self.port))))
            while True:
                await asyncio.sleep(RENEW_S)
                if tls is not None:
                    self._renew(tls)
        finally:
            server.close()

    def _renew(self, tls: Tls) -> None:
        try:
            tls.renew()
        except OSError as e:  # between two files, perhaps: it is tried again
            self._host.event(GatewayRefused("", f"the renewed certificate cannot be used: {e.strerror or e}"))

    def _factory(self, server: web.Server) -> Callable[[], asyncio.Protocol]:
        loop = asyncio.get_running_loop()

        def protocol() -> asyncio.Protocol:
            if len(server.connections) >= MAX_CONNECTIONS:
                return _Full()
            made = server()
            self._silent.add(made)
            loop.call_later(FIRST_WORDS_S, let_go, made)
            return made

        def let_go(made: web.RequestHandler) -> None:
            if made in self._silent:
                self._silent.discard(made)
                if made.transport is not None:
                    made.transport.abort()

        return protocol

    def _guard(self) -> Middleware:
        @web.middleware
        async def guard(request: web.Request, handler: Route) -> web.StreamResponse:
            """A defect is told like any other, and 500."""
            self._silent.discard(request.protocol)
            try:
                return await handler(request)
            except web.HTTPException:
                raise
            except ConnectionError:  # gone meanwhile: nobody reads this
                return web.Response()
            except Exception as e:  # noqa: BLE001 - told, and the next request is answered
                told = {"message": "defect on a station's request", "exception": e}
                asyncio.get_running_loop().call_exception_handler(told)
                raise web.HTTPInternalServerError from None

        return guard

    async def _refusal(self, request: web.Request, eui: str) -> str | None:
        """Why this gateway may not connect; the daemon is told, too."""
        transport = request.transport
        certificate = transport.get_extra_info("peercert") if transport is not None else None
        shown = request.headers.get("Authorization")
        why = await asyncio.to_thread(self._access.refusal, eui, certificate, shown)
        if why is not None:
            self._host.event(GatewayRefused(_peer(request), why, eui))
        return why

    async def _discover(self, request: web.Request) -> web.StreamResponse:
        """One question, one answer."""
        socket = await _upgrade(request, discovery.MAX_BYTES)
        with contextlib.suppress(TimeoutError, OSError, RuntimeError):  # gone, or says nothing
            async with asyncio.timeout(FIRST_WORDS_S):
                message = await socket.receive()
                if message.type is WSMsgType.TEXT:
                    await socket.send_str((await self._answer(request, message.data)).decode())
                await socket.close()
        return socket

    async def _answer(self, request: web.Request, text: bytes) -> bytes:
        try:
            question = discovery.parse_question(text)
        except DecodeError as e:
            self._host.event(GatewayRefused(_peer(request), f"its question cannot be read: {e.detail}"))
            return discovery.refusal(discovery.Question("", ""), "the question cannot be read")
        why = await self._refusal(request, question.eui)
        if why is not None:
            return discovery.refusal(question, why)
        try:
            return discovery.answer(question, uri_of(self._base(request), question.eui))
        except ValueError as e:
            self._host.event(GatewayRefused(_peer(request), f"the URI {e}: set public_uri", question.eui))
            return discovery.refusal(question, "the server does not know its own address")

    def _base(self, request: web.Request) -> str:
        """Where this server is, as the configuration says, or as the station reached it."""
        if self.config.public_uri:
            return self.config.public_uri
        host = request.headers.get("Host", "")
        if _HOST.fullmatch(host) is None:
            return ""
        has_port = host.rpartition("]")[2].find(":") >= 0
        return f"{'wss' if self.config.cert_file else 'ws'}://{host}{'' if has_port else f':{self.port}'}"

    async def _data(self, request: web.Request) -> web.StreamResponse:
        """A station's connection, as long as it lasts."""
        try:
            eui = parse_router(request.match_info["router"])
        except DecodeError:
            raise web.HTTPNotFound from None
        why = await self._refusal(request, eui)
        if why is not None:
            raise web.HTTPForbidden(text=f"{why}\n")
        before = self.sessions.get(eui)
        if before is None and len(self.sessions) >= MAX_STATIONS:
            raise web.HTTPServiceUnavailable(text="too many gateways\n")
        socket = await _upgrade(request, MAX_BYTES)
        before = self.sessions.get(eui)
        if before is not None:  # its old connection is dead, and the network has not told us
            before.abort("connected anew")
        stranger = None if self._access.is_listed else RejectReason.UNKNOWN_GATEWAY
        session = Session(self.config, self._host, eui, socket, request.transport, self._numbers, stranger)
        self.sessions[eui] = session
        self._host.event(GatewaySeen(eui, _peer(request), PROTOCOL, known=True, listed=eui in self.gateways))
        try:
            await session.run()
        finally:
            if self.sessions.get(eui) is session:
                del self.sessions[eui]
                self._host.event(GatewayLeft(eui, session.why))
        return socket

    async def _update(self, request: web.Request) -> web.StreamResponse:
        if not self.config.updates_dir:
            raise web.HTTPNotFound
        try:
            async with asyncio.timeout(FIRST_WORDS_S):
                body = await request.read()
        except TimeoutError:
            raise web.HTTPRequestTimeout from None
        return await self._updates.answer(request, body, self._refusal, self._host.event, _peer(request))

    def _handshake_failed(self, why: str) -> None:
        self._host.event(GatewayRefused("", why))


class _Full(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.abort()


async def _upgrade(request: web.Request, max_bytes: int) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(
        autoping=False, compress=False, max_msg_size=max_bytes, decode_text=False, timeout=1.0
    )
    try:
        await socket.prepare(request)
    except ValueError:  # headers with bytes that are no text
        raise web.HTTPBadRequest from None
    return socket


def _peer(request: web.Request) -> str:
    return request.remote or ""


def _why(error: OSError) -> str:
    number = error.errno or 0
    return os.strerror(number) if number > 0 else error.strerror or str(error)
