"""The address at which uploads are taken: few connections, few of one address, short patience, TLS.

Whoever sends nothing, or only half a request, is cut off after `PATIENCE_S`; what a request's body may take is for who
reads it. An answer to a request whose body was not read closes the connection.
"""

import asyncio
import logging
from collections import Counter
from typing import Any, Final

from aiohttp import web

from torhaus.daemon.clock import Clock
from torhaus.daemon.config.model import parse_address
from torhaus.daemon.scans.uploads.config import HttpListener
from torhaus.drivers.base import DriverGone
from torhaus.drivers.stations.tls import Tls

PATIENCE_S: Final = 15.0
"""For a TLS handshake, for a request's head, and between two requests."""
LINGER_S: Final = 2.0
"""A client that is refused may go on sending for so long, so that it gets to read why."""
MAX_LINE: Final = 8190
MAX_HEADERS: Final = 64
RENEW_S: Final = 60.0
"""How often it is looked whether the certificate is a new one."""
SHARE: Final = 4
"""One address may have a quarter of all connections."""


_SILENT: Final = logging.Logger("uploads", logging.CRITICAL + 1)  # noqa: LOG001 - nobody else's
"""aiohttp's own words about requests would have tokens and documents' names in them."""


class Guests:
    """Who is connected."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._share = max(1, most // SHARE)
        self._counts: Counter[str] = Counter()

    def enter(self, address: str) -> bool:
        """One more, if there is room. Whoever comes from this machine (a proxy) may have all."""
        is_near = address in {"127.0.0.1", "::1"}
        if self._counts.total() >= self._most or (not is_near and self._counts[address] >= self._share):
            return False
        self._counts[address] += 1
        return True

    def leave(self, address: str) -> None:
        """One less."""
        self._counts[address] -= 1
        if self._counts[address] <= 0:
            del self._counts[address]


class _Connection(web.RequestHandler):
    """A connection that may be refused."""

    __slots__ = ("_address", "_guests")

    def __init__(self, server: web.Server, guests: Guests, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            server, loop=loop, keepalive_timeout=PATIENCE_S, lingering_time=LINGER_S,
            access_log=_SILENT, logger=_SILENT,
            max_line_size=MAX_LINE, max_field_size=MAX_LINE, max_headers=MAX_HEADERS, auto_decompress=False,
        )  # fmt: skip
        self._guests = guests
        self._address: str | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take it, or end it at once."""
        address = address_of(transport.get_extra_info("peername"))
        if self._guests.enter(address):
            self._address = address
        super().connection_made(transport)
        if self._address is None:
            self.force_close()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Its place is free."""
        if self._address is not None:
            self._guests.leave(self._address)
            self._address = None
        super().connection_lost(exc)


class Door:
    """Serves an application until cancelled. `port` is 0 while it is closed."""

    def __init__(self, config: HttpListener, app: web.Application, clock: Clock) -> None:
        self._config = config
        self._app = app
        self._clock = clock
        self.port = 0

    async def run(self) -> None:
        """Open, serve. Raises DriverGone where the address or a certificate cannot be had: tried again later."""
        tls = self._tls()
        loop = asyncio.get_running_loop()
        runner = web.AppRunner(self._app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        guests, server = Guests(self._config.max_connections), runner.server
        assert server is not None
        try:
            listening = await self._listen(loop, server, guests, tls)
            try:
                self.port = listening.sockets[0].getsockname()[1]
                while True:
                    await self._clock.sleep(RENEW_S)
                    if tls is not None:
                        tls.renew()
            except OSError as error:
                raise DriverGone(f"certificate: {error}") from error
            finally:
                self.port = 0
                listening.close()
        finally:
            await runner.cleanup()

    def _tls(self) -> Tls | None:
        c = self._config
        if c.cert_file is None or c.key_file is None:
            return None
        try:
            return Tls(c.cert_file, c.key_file, c.client_ca_file or "", lambda _why: None)
        except OSError as error:
            raise DriverGone(f"certificate: {error}") from error

    async def _listen(
        self, loop: asyncio.AbstractEventLoop, server: web.Server, guests: Guests, tls: Tls | None
    ) -> asyncio.Server:
        more: dict[str, Any] = {} if tls is None else {"ssl": tls.context, "ssl_handshake_timeout": PATIENCE_S}
        host, port = parse_address(self._config.listen)
        try:
            return await loop.create_server(lambda: _Connection(server, guests, loop), host, port, backlog=64, **more)
        except OSError as error:
            raise DriverGone(f"cannot listen on {self._config.listen}: {error.strerror}") from error


def address_of(peer: object) -> str:
    """The address in what a socket says of its other end."""
    return str(peer[0]) if isinstance(peer, tuple) and peer else ""
