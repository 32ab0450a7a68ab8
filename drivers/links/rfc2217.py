"""rfc2217://: a serial port behind Telnet with the COM port control option (RFC 2217). The client is pyserial's.

pyserial's reader thread is given another body: its own buffers without a limit, and ends on a stray IAC SE. This one
hands over at most MAX_BUFFER_BYTES, then leaves the bytes with the system, which stops the far side.
"""

import asyncio
import socket
import threading
from contextlib import suppress
from typing import Any, Final

from serial import rfc2217

from torhaus.drivers.base import DriverGone
from torhaus.drivers.links.base import Link
from torhaus.drivers.links.tcp import keep_alive
from torhaus.drivers.links.telnet import Negotiation, Subnegotiation, Telnet
from torhaus.drivers.links.url import Rfc2217Spec
from torhaus.drivers.links.worker import Worker
from torhaus.drivers.said import Said, about, system

MAX_BUFFER_BYTES: Final = 65_536
"""Bytes from the reader thread that wait for the driver."""
_RECEIVE_BYTES: Final = 4096


async def open_rfc2217(spec: Rfc2217Spec, idle_s: float) -> "Rfc2217Link":
    """The port, with its line set. Raises DriverGone; takes up to 25 s where the far side is slow to refuse."""
    host = f"[{spec.host}]" if ":" in spec.host else spec.host
    name = f"{host}:{spec.port}"
    inbox = Inbox(asyncio.get_running_loop(), name)
    port = _Port(inbox)
    port.baudrate = spec.line.baud
    port.parity = spec.line.parity
    port.bytesize = spec.line.bytesize
    port.stopbits = spec.line.stopbits
    port.rtscts = spec.line.rtscts
    port.port = f"rfc2217://{name}"
    worker = Worker("torhaus-rfc2217")
    try:
        await worker.call(port.open)
    except BaseException as error:
        port.abort()
        worker.leave(lambda: _close(port))
        if isinstance(error, OSError | ValueError):
            raise DriverGone(about(name, _reason(error))) from error
        raise
    inbox.clear()  # older than the settings
    return Rfc2217Link(name, port, inbox, worker, idle_s)


class Inbox:
    """Bytes on their way from a thread to the event loop. The thread waits while there are MAX_BUFFER_BYTES or more."""

    def __init__(self, loop: asyncio.AbstractEventLoop, name: str) -> None:
        self._loop = loop
        self._name = name
        self._room = threading.Condition()
        self._data = bytearray()
        self._ended: str | None = None
        self._news = asyncio.Event()

    def put(self, data: bytes) -> None:
        """From the thread: hand over, or wait for room. Nothing is taken after the end."""
        with self._room:
            self._room.wait_for(lambda: len(self._data) < MAX_BUFFER_BYTES or self._ended is not None)
            if self._ended is None:
                self._data += data
        self._tell()

    def end(self, reason: str) -> None:
        """From any thread: nothing more will come. The first reason holds; what is there can still be read."""
        with self._room:
            self._ended = self._ended or reason
            self._room.notify_all()
        self._tell()

    def clear(self) -> None:
        """Forget what has arrived."""
        with self._room:
            self._data.clear()
            self._room.notify_all()

    async def get(self, max_bytes: int) -> bytes:
        """What has arrived; waits for the first byte. Raises DriverGone at the end."""
        while True:
            self._news.clear()
            with self._room:
                data = bytes(self._data[:max_bytes])
                del self._data[:max_bytes]
                self._room.notify_all()
                ended = self._ended
            if data:
                return data
            if ended is not None:
                raise DriverGone(about(self._name, ended))
            await self._news.wait()

    def _tell(self) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody reads any more
            self._loop.call_soon_threadsafe(self._news.set)


class _Port(rfc2217.Serial):  # type: ignore[misc]  # pyserial has no types
    """pyserial's client with a reader of ours."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        super().__init__()

    def abort(self) -> None:
        """From any thread: break the connection, so that a call under way ends soon."""
        self._inbox.end("closed")
        sock = self._socket
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """As pyserial's, which leaves the socket open when the far side has gone before."""
        sock = self._socket
        super().close()
        if sock is not None:
            sock.close()

    def _telnet_read_loop(self) -> None:
        """What pyserial's thread runs from `open` to `close`."""
        telnet, reason = Telnet(), "closed by the far side"
        try:
            keep_alive(self._socket)
            while self.is_open:
                try:
                    data = self._socket.recv(_RECEIVE_BYTES)
                except TimeoutError:  # of the socket pyserial makes: time to see whether we are still open
                    continue
                if not data:
                    break
                payload, commands = telnet.feed(data)
                for command in commands:
                    self._obey(command)
                if payload:
                    self._inbox.put(payload)
        except OSError as error:
            reason = system(error)
        finally:
            self._inbox.end(reason)

    def _obey(self, command: Negotiation | Subnegotiation) -> None:
        match command:
            case Negotiation(verb, option):
                self._telnet_negotiate_option(verb, option)
            case Subnegotiation(data):
                self._telnet_process_subnegotiation(data)


class Rfc2217Link(Link):
    """An open port at the other end of a network."""

    def __init__(self, name: str, port: Any, inbox: Inbox, worker: Worker, idle_s: float) -> None:  # noqa: ANN401
        super().__init__(name, idle_s)
        self._port = port
        self._inbox = inbox
        self._worker = worker
        self._closed = False

    async def _read(self, max_bytes: int) -> bytes:
        return await self._inbox.get(max_bytes)

    async def _write(self, data: bytes) -> None:
        await self._call(self._port.write, data)

    async def _set_baud(self, baud: int) -> None:
        await self._call(setattr, self._port, "baudrate", baud)

    async def _call(self, function: Any, *args: object) -> None:  # noqa: ANN401 - pyserial has no types
        if self._closed:
            raise DriverGone(about(self.name, Said("closed")))
        try:
            await self._worker.call(function, *args)
        except (OSError, ValueError) as error:
            raise DriverGone(about(self.name, _reason(error))) from error

    async def close(self) -> None:
        """Disconnect."""
        if self._closed:
            return
        self._closed = True
        self._port.abort()
        await asyncio.shield(asyncio.wrap_future(self._worker.leave(lambda: _close(self._port))))


def _close(port: Any) -> None:  # noqa: ANN401 - pyserial has no types
    with suppress(OSError):
        port.close()


def _reason(error: Exception) -> str:
    """One line without pyserial's dump of its options."""
    text = str(error)
    if "does not seem to support RFC2217" in text:
        return Said("no_rfc2217")
    if "does not accept parameter change" in text or "remote rejected value" in text:
        return Said("line_refused")
    if "Could not open port" in text:
        return f"no connection ({text.rpartition(': ')[2]})"
    return text
