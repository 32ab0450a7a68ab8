"""serial://: a port of this machine. pyserial opens and configures it, the event loop reads its descriptor.

Nothing is buffered here: what is not read waits in the kernel (4 KiB), which then stops the sender if there is flow
control. DTR and RTS are on after opening: optical heads draw their power from them.
"""

import asyncio
import errno
import fcntl
import grp
import os
import termios
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import serial

from torhaus.drivers.base import DriverGone
from torhaus.drivers.links.base import Link
from torhaus.drivers.links.url import SerialSpec
from torhaus.drivers.links.worker import Worker
from torhaus.drivers.said import Said, about

_BUSY: Final = {errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK}
_GONE: Final = {errno.EIO, errno.ENODEV, errno.ENXIO, errno.EBADF}
_Fault = (OSError, termios.error, ValueError)
"""What pyserial raises: SerialException is an OSError, termios.error is not; ValueError for a rate the port refuses."""


async def open_serial(spec: SerialSpec, idle_s: float) -> "SerialLink":
    """The port, opened. Raises DriverGone with what to do about it."""
    port = serial.Serial(
        baudrate=spec.line.baud,
        parity=spec.line.parity,
        bytesize=spec.line.bytesize,
        stopbits=spec.line.stopbits,
        rtscts=spec.line.rtscts,
        exclusive=spec.exclusive,
        inter_byte_timeout=0,  # VMIN 1: an empty read then means a hang-up, and EAGAIN means nothing there
    )
    port.port = spec.path
    worker = Worker("torhaus-serial")
    try:
        await worker.call(_open, port, spec)
        return SerialLink(port, spec, worker, idle_s)
    except BaseException as error:
        worker.leave(lambda: _close(port))
        if isinstance(error, _Fault):
            raise DriverGone(explain(spec.path, error)) from error
        raise


class SerialLink(Link):
    """An open serial port."""

    def __init__(self, port: Any, spec: SerialSpec, worker: Worker, idle_s: float) -> None:  # noqa: ANN401 - untyped
        super().__init__(spec.path, idle_s)
        self._port = port
        self._worker = worker
        self._fd: int = port.fileno()
        self._loop = asyncio.get_running_loop()
        self._waiting: set[asyncio.Future[None]] = set()
        self._closed = False

    async def _read(self, max_bytes: int) -> bytes:
        while True:
            await self._until(self._loop.add_reader, self._loop.remove_reader)
            try:
                data = os.read(self._fd, max_bytes)
            except BlockingIOError:
                continue
            except OSError as error:
                raise DriverGone(explain(self.name, error)) from error
            if not data:
                raise DriverGone(about(self.name, Said("hung_up")))
            return data

    async def _write(self, data: bytes) -> None:
        while data:
            await self._until(self._loop.add_writer, self._loop.remove_writer)
            try:
                data = data[os.write(self._fd, data) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise DriverGone(explain(self.name, error)) from error

    async def _until(self, watch: Callable[..., object], unwatch: Callable[[int], object]) -> None:
        """Wait until the descriptor is ready, or the link closed."""
        if self._closed:
            raise DriverGone(about(self.name, Said("closed")))
        ready = self._loop.create_future()
        self._waiting.add(ready)
        try:
            watch(self._fd, _wake, ready)
            await ready
        except OSError as error:  # epoll refuses a descriptor whose device is gone
            raise DriverGone(explain(self.name, error)) from error
        finally:
            self._waiting.discard(ready)
            if not self._closed:
                unwatch(self._fd)

    async def _set_baud(self, baud: int) -> None:
        if self._closed:
            raise DriverGone(about(self.name, Said("closed")))
        try:
            await self._worker.call(_set_baud, self._port, baud)
        except _Fault as error:
            raise DriverGone(explain(self.name, error)) from error

    async def close(self) -> None:
        """Let go of the port; what was not sent yet is dropped."""
        if self._closed:
            return
        self._closed = True
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_exception(DriverGone(about(self.name, Said("closed"))))
        with suppress(OSError, termios.error):  # else the kernel waits up to 30 s for a line that does not move
            termios.tcflush(self._fd, termios.TCIOFLUSH)
        await asyncio.shield(asyncio.wrap_future(self._worker.leave(lambda: _close(self._port))))


def _wake(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


def _open(port: Any, spec: SerialSpec) -> None:  # noqa: ANN401 - pyserial has no types
    port.open()
    if spec.exclusive:  # pyserial's own lock is a flock, which only those heed who ask for it
        fcntl.ioctl(port.fileno(), termios.TIOCEXCL)


def _set_baud(port: Any, baud: int) -> None:  # noqa: ANN401 - pyserial has no types
    port.flush()  # what was written goes out at the old rate
    port.baudrate = baud


def _close(port: Any) -> None:  # noqa: ANN401 - pyserial has no types
    with suppress(OSError, termios.error):
        if port.is_open:
            fcntl.ioctl(port.fileno(), termios.TIOCNXCL)
    with suppress(OSError, termios.error):
        port.close()


def explain(path: str, error: Exception) -> str:
    """What is wrong with a port and what to do about it, in one line."""
    number = error.errno if isinstance(error, OSError) else None
    if isinstance(error, termios.error) and error.args and isinstance(error.args[0], int):
        number = error.args[0]
    if number in {errno.ENOENT, errno.ENOTDIR}:
        return about(path, Said("port_missing"))
    if number == errno.EACCES:
        return about(path, Said("port_denied", group=_group(path)))
    if number == errno.EPERM:
        return about(path, Said("port_forbidden"))
    if number in _BUSY:
        return about(path, Said("port_busy"))
    if number in _GONE:
        return about(path, Said("port_gone"))
    if number == errno.EINVAL:
        return about(path, Said("port_settings"))
    if number == errno.ENOTTY or (number is None and "Inappropriate ioctl" in str(error)):
        return about(path, Said("port_none"))
    return about(path, os.strerror(number) if number else str(error))


def _group(path: str) -> str:
    try:
        return grp.getgrgid(Path(path).stat().st_gid).gr_name
    except (OSError, KeyError):
        return "dialout"
