"""tcp://: a converter that passes a device's bytes through. A far side that died without a word is noticed."""

import asyncio
import socket
from typing import Final, Protocol

from torhaus.drivers.base import DriverGone
from torhaus.drivers.links.base import Link
from torhaus.drivers.links.url import TcpSpec
from torhaus.drivers.said import Said, about, system

CONNECT_S: Final = 10.0
"""Name look-up and connecting together."""
CLOSE_S: Final = 2.0
"""An orderly end may take so long; then the connection is dropped."""
MAX_UNREAD_BYTES: Final = 65_536
"""Bytes that wait here for the driver; asyncio stops the sender at twice as many."""
KEEPALIVE: Final = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30),  # seconds of silence before the first probe
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10),  # seconds between probes
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),  # probes that may stay without an answer
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 60_000),  # ms that sent data may stay unacknowledged
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),  # requests are small and wait for their answer
)
"""With these a far side that lost its power is noticed after a minute."""


class _Socket(Protocol):
    def setsockopt(self, level: int, option: int, value: int, /) -> None: ...


def keep_alive(sock: _Socket) -> None:
    """Have the kernel notice a far side that is gone."""
    for level, option, value in KEEPALIVE:
        sock.setsockopt(level, option, value)


async def open_tcp(spec: TcpSpec, idle_s: float) -> "TcpLink":
    """The connection. Raises DriverGone."""
    name = f"{spec.host}:{spec.port}"
    try:
        async with asyncio.timeout(CONNECT_S):
            reader, writer = await asyncio.open_connection(spec.host, spec.port, limit=MAX_UNREAD_BYTES)
    except TimeoutError:
        raise DriverGone(about(name, Said("no_answer", s=CONNECT_S))) from None
    except OSError as error:
        raise DriverGone(about(name, system(error))) from error
    keep_alive(writer.get_extra_info("socket"))
    return TcpLink(name, reader, writer, idle_s)


class TcpLink(Link):
    """An open connection."""

    sets_baud = False

    def __init__(self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, idle_s: float) -> None:
        super().__init__(name, idle_s)
        self._reader = reader
        self._writer = writer
        self._closed = False

    async def _read(self, max_bytes: int) -> bytes:
        try:
            data = await self._reader.read(max_bytes)
        except OSError as error:
            raise DriverGone(about(self.name, system(error))) from error
        if not data:
            raise DriverGone(about(self.name, Said("closed_there")))
        return data

    async def _write(self, data: bytes) -> None:
        try:
            self._writer.write(data)
            await self._writer.drain()
        except OSError as error:
            raise DriverGone(about(self.name, system(error))) from error

    async def close(self) -> None:
        """Disconnect: in order if the far side goes along."""
        if self._closed:
            return
        self._closed = True
        self._writer.close()
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._writer.wait_closed()
        except (OSError, TimeoutError):
            pass  # it is closed all the same
        finally:
            self._writer.transport.abort()
