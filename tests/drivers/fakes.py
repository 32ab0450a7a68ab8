"""Fakes with bad manners for drivers and links, and a clock that only moves when it is told to."""

import asyncio
import os
import socket
import struct
import tty
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Self, TypeVar

import serial
from serial import rfc2217

from torhaus.codecs.model import Frame, Reject, Stamp
from torhaus.drivers.base import Answer, Delivery, Done, Event, GatewayStats
from torhaus.drivers.link import Link

T = TypeVar("T")

SECOND_NS = 1_000_000_000


class StillLoop(asyncio.SelectorEventLoop):
    """An event loop whose time stands still until `advance`: time-outs happen when a test says so, I/O is real."""

    now_s = 1000.0

    def time(self) -> float:
        return self.now_s

    def advance(self, seconds: float) -> None:
        self.now_s += seconds


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a test's coroutine with time standing still. Whatever asyncio wants to complain about fails the test."""
    complaints: list[dict[str, Any]] = []
    with asyncio.Runner(loop_factory=StillLoop) as runner:
        runner.get_loop().set_exception_handler(lambda _, context: complaints.append(context))
        result = runner.run(main)
    assert not complaints, complaints
    return result


async def advance(seconds: float) -> None:
    """Let everybody come to a wait, then move the time."""
    for _ in range(20):
        await asyncio.sleep(0)
    loop = asyncio.get_running_loop()
    assert isinstance(loop, StillLoop)
    loop.advance(seconds)


class FakeHost:
    """The daemon's side of a driver. `holding` keeps every `done` back until `settle`."""

    def __init__(self, *, holding: bool = False) -> None:
        self.frames: list[Frame] = []
        self.rejects: list[Reject] = []
        self.events: list[Event] = []
        self.now_ns = 5 * SECOND_NS
        self.holding = holding
        self._undone: list[Done] = []
        self._news = asyncio.Event()

    def stamp(self) -> Stamp:
        return Stamp(wall_ns=1_700_000_000 * SECOND_NS + self.now_ns, boot_ns=self.now_ns, synced=True)

    def boot_ns(self) -> int:
        return self.now_ns

    async def sleep(self, seconds: float) -> None:
        """Time passes at once: a schedule is gone through as fast as its talks are."""
        self.now_ns += round(seconds * SECOND_NS)
        await asyncio.sleep(0)

    def deliver(
        self, frames: list[Frame], rejects: list[Reject], done: Done | None = None, stats: GatewayStats | None = None
    ) -> None:
        assert frames or rejects or stats, "an empty delivery"
        self.frames += frames
        self.rejects += rejects
        if done is not None:
            self._undone.append(done)
        if not self.holding:
            asyncio.get_running_loop().call_soon(self.settle)
        self._news.set()

    def deliver_all(self, deliveries: list[Delivery], answer: Answer) -> None:
        for frames, rejects, ticket, stats in deliveries:
            done = None if ticket is None else partial(answer, [ticket])
            self.deliver(frames, rejects, done, stats)

    def settle(self, *, stored: bool = True) -> None:
        """What was delivered so far is on disk now, or could not be stored."""
        undone, self._undone = self._undone, []
        for done in undone:
            done(stored)

    def event(self, event: Event) -> None:
        self.events.append(event)
        self._news.set()

    def acked(self, seconds: float, count: int = 1) -> None:
        raise AssertionError("nothing to acknowledge here")

    def ack_withheld(self) -> None:
        raise AssertionError("nothing to acknowledge here")

    async def until_frames(self, n: int) -> None:
        """Wait for so many frames in all."""
        while len(self.frames) < n:
            self._news.clear()
            await self._news.wait()

    async def until_events(self, n: int) -> None:
        """Wait for so many events in all."""
        while len(self.events) < n:
            self._news.clear()
            await self._news.wait()


class FakeLink(Link):
    """A link in memory. `asked` counts the reads the driver has begun."""

    def __init__(self) -> None:
        super().__init__("fake")
        self.asked = 0
        self._said: asyncio.Queue[bytes] = asyncio.Queue()
        self._news = asyncio.Event()

    async def say(self, data: bytes) -> None:
        """As the device: one read's worth; returns when it was taken."""
        self._said.put_nowait(data)
        while not self._said.empty():
            self._news.clear()
            await self._news.wait()

    async def until_asked(self, times: int) -> None:
        """Wait until the driver has come back for more so often: it has dealt with what it was given before."""
        while self.asked < times:
            self._news.clear()
            await self._news.wait()

    async def _read(self, max_bytes: int) -> bytes:
        self.asked += 1
        self._news.set()
        data = await self._said.get()
        self._news.set()
        return data

    async def _write(self, data: bytes) -> None:
        raise AssertionError("nothing is written here")

    async def close(self) -> None: ...


class Pty:
    """A serial port whose other end the test holds. `path` is what a driver opens."""

    def __init__(self) -> None:
        self.fd, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)

    def send(self, data: bytes) -> None:
        """As the device: at most what the kernel holds (4 KiB)."""
        assert os.write(self.fd, data) == len(data)

    def receive(self, n: int) -> bytes:
        data = b""
        while len(data) < n:
            data += os.read(self.fd, n - len(data))
        return data

    def settings(self) -> list[Any]:
        import termios

        return termios.tcgetattr(self._slave)

    def unplug(self) -> None:
        """The device vanishes: every open descriptor hangs up."""
        for fd in (self.fd, self._slave):
            if fd >= 0:
                os.close(fd)
        self.fd = self._slave = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.unplug()


class Device:
    """The far side of one TCP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes, *, each: int = 0) -> None:
        """All at once, or in pieces of `each` bytes."""
        for at in range(0, len(data), each or len(data)):
            self.writer.write(data[at : at + (each or len(data))])
            await self.writer.drain()
            await asyncio.sleep(0)

    def half_close(self) -> None:
        self.writer.write_eof()

    def reset(self) -> None:
        """End with RST instead of FIN."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Behaviour = Callable[[Device], Coroutine[Any, Any, None]]


@asynccontextmanager
async def tcp_device(behaviour: Behaviour) -> AsyncIterator[int]:
    """A device on a loopback port, given as the value; the connection stays open when `behaviour` has returned."""
    serving: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        try:
            await behaviour(Device(reader, writer))
            await asyncio.Event().wait()
        except (ConnectionError, asyncio.CancelledError):
            pass  # the end of the test; a cancelled handler would be reported by asyncio
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving)


class ComPort:
    """An RFC 2217 server: pyserial's port manager over a loop-back port. `port` shows what was set."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self.port = serial.serial_for_url("loop://", timeout=0)
        self.received = bytearray()
        self._manager = rfc2217.PortManager(self.port, device.writer)

    def send(self, data: bytes) -> None:
        self._device.writer.write(b"".join(self._manager.escape(data)))

    def send_raw(self, data: bytes) -> None:
        """Past the escaping: Telnet of one's own."""
        self._device.writer.write(data)

    def leave(self) -> None:
        self._device.half_close()

    async def serve(self) -> None:
        """Answer the client until it leaves."""
        try:
            while data := await self._device.reader.read(4096):
                self.received += b"".join(self._manager.filter(data))
        finally:
            self.port.close()
