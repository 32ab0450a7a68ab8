"""ZeroMQ sockets on the event loop, and a client that asks one question at a time. Needs pyzmq (extra `chirpstack`).

A socket's descriptor says only that something has changed (zmq_getsockopt(3), ZMQ_FD): its state is asked each time.
Nothing is taken out of a socket while somebody waits for it, so to be cancelled costs no message.
"""

import asyncio
import re
from collections.abc import Callable
from ipaddress import ip_address
from itertools import count
from typing import Final, cast

import zmq
from zmq.utils.monitor import parse_monitor_message

MAX_IPC_PATH: Final = 107
"""Bytes of a Unix socket's path (unix(7))."""
MAX_PARTS: Final = 4
"""Parts of one message that are kept; what follows is dropped."""
MAX_MESSAGE_BYTES: Final = 256 << 10
"""A peer that sends more is hung up on."""
RECONNECT_MS: Final = 100
HEARTBEAT_MS: Final = 10_000
_monitors: Final = count()
_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", re.ASCII)


def check_url(url: str) -> None:
    """Raises ValueError unless it is `ipc:///path`, `ipc://@name` or `tcp://host:port`."""
    kind, _, rest = url.partition("://")
    if kind == "ipc" and rest[:1] in {"/", "@"} and 1 < len(rest.encode()) <= MAX_IPC_PATH and rest.isprintable():
        return
    if kind == "tcp":
        host, _, port = rest.rpartition(":")
        is_port = port.isascii() and port.isdigit() and len(port) <= 5 and 1 <= int(port) <= 65_535
        if is_port and (_HOST.fullmatch(host) or _is_bracketed(host)):
            return
    raise ValueError(f"is {url[:120]!r}, but must be ipc:///path (at most {MAX_IPC_PATH} bytes) or tcp://host:port")


def _is_bracketed(host: str) -> bool:
    if not (host.startswith("[") and host.endswith("]")):
        return False
    try:
        return ip_address(host[1:-1]).version == 6
    except ValueError:
        return False


def _number(socket: "zmq.Socket[bytes]", option: int) -> int:
    return cast("int", socket.getsockopt(option))


class ZmqSocket:
    """One socket that connects to `url`, and again whenever the other side goes and comes.

    `lost_s` is when (the loop's time) a connection ended after which there is none; `told`, if given, is called when
    it changes. The library does not always try again: mostly not after a message that was too long.
    """

    def __init__(
        self,
        context: "zmq.Context[zmq.Socket[bytes]]",
        kind: int,
        url: str,
        queue: int,
        told: Callable[[], None] | None = None,
    ) -> None:
        self._changed = asyncio.Event()
        self._socket = socket = context.socket(kind)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.RCVHWM, queue)
        socket.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)
        socket.setsockopt(zmq.IMMEDIATE, 1)  # nothing is queued for a peer that is not there
        socket.setsockopt(zmq.RECONNECT_IVL, RECONNECT_MS)
        if url.startswith("tcp:"):
            socket.setsockopt(zmq.IPV6, 1)
            socket.setsockopt(zmq.HEARTBEAT_IVL, HEARTBEAT_MS)
        if kind == zmq.SUB:
            socket.setsockopt(zmq.SUBSCRIBE, b"")
        self.closed = False
        self.lost_s: float | None = None
        self._told = told
        self._loop = asyncio.get_running_loop()
        self._fd = _number(socket, zmq.FD)
        self._loop.add_reader(self._fd, self._change)
        if told is not None:
            socket.monitor(
                where := f"inproc://{next(_monitors)}", zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED
            )
            self._monitor = context.socket(zmq.PAIR)
            self._monitor.connect(where)
            self._monitor_fd = _number(self._monitor, zmq.FD)
            self._loop.add_reader(self._monitor_fd, self._watch)
            self._watch()  # a descriptor tells of nothing before the socket was first asked for its state
        socket.connect(url)

    def _watch(self) -> None:
        while _number(self._monitor, zmq.EVENTS) & zmq.POLLIN:
            event = parse_monitor_message(self._monitor.recv_multipart(zmq.NOBLOCK))["event"]
            is_lost = event == zmq.EVENT_DISCONNECTED
            if is_lost == (self.lost_s is None):
                self.lost_s = self._loop.time() if is_lost else None
                if self._told is not None:
                    self._told()

    def _change(self) -> None:
        _number(self._socket, zmq.EVENTS)  # until it is asked for its state the descriptor stays readable
        self._changed.set()

    async def ready(self, for_what: int) -> None:
        """Wait for something to receive (zmq.POLLIN), for a peer to send to (zmq.POLLOUT), or for the end."""
        while not self.is_ready(for_what):
            await self._changed.wait()

    def is_ready(self, for_what: int) -> bool:
        """Whether it would not have to wait."""
        self._changed.clear()  # first: what changes from here on wakes `ready`
        return self.closed or bool(_number(self._socket, zmq.EVENTS) & for_what)

    def send(self, message: bytes) -> None:
        """Send what there is a peer for. Raises zmq.ZMQError otherwise."""
        self._socket.send(message, zmq.NOBLOCK)

    def receive(self) -> list[bytes] | None:
        """The parts of the message that is there; None when it was none of ours and was dropped."""
        try:
            parts = [self._socket.recv(zmq.NOBLOCK)]
        except zmq.Again:
            return None
        while _number(self._socket, zmq.RCVMORE):
            part = self._socket.recv(zmq.NOBLOCK)
            if len(parts) < MAX_PARTS:
                parts.append(part)
        return parts

    def close(self) -> None:
        """Drop what was not sent, and let nobody wait any longer."""
        if not self.closed:
            self.closed = True
            self._changed.set()
            self._loop.remove_reader(self._fd)
            if self._told is not None:
                self._socket.monitor(None, 0)
                self._loop.remove_reader(self._monitor_fd)
                self._monitor.close(linger=0)
            self._socket.close(linger=0)


class Unanswered(Exception):  # noqa: N818 - reads as a fact
    """No answer came in time. `sent` says whether the question can have arrived."""

    def __init__(self, *, sent: bool) -> None:
        self.sent = sent
        super().__init__("no answer in time" if sent else "nobody is there")


class Questions:
    """A REQ socket. One question at a time; after one without an answer the socket is made anew, as REQ demands."""

    def __init__(self, context: "zmq.Context[zmq.Socket[bytes]]", url: str, timeout_s: float) -> None:
        self._context = context
        self._url = url
        self._timeout_s = timeout_s
        self._turn = asyncio.Lock()
        self._socket: ZmqSocket | None = None
        self._closed = False
        self.waiting = 0

    async def ask(self, question: bytes) -> bytes:
        """The answer, its first part. Raises Unanswered. Those who ask meanwhile wait for their turn."""
        self.waiting += 1
        try:
            async with self._turn:
                return await self._ask(question)
        finally:
            self.waiting -= 1

    async def _ask(self, question: bytes) -> bytes:
        if self._closed:
            raise Unanswered(sent=False)
        self._socket = socket = self._socket or ZmqSocket(self._context, zmq.REQ, self._url, 1)
        sent, answer = False, None
        try:
            async with asyncio.timeout(self._timeout_s):
                await socket.ready(zmq.POLLOUT)
                if not socket.closed:
                    socket.send(question)
                    sent = True
                while answer is None and not socket.closed:
                    await socket.ready(zmq.POLLIN)
                    answer = None if socket.closed else socket.receive()
        except TimeoutError:
            pass  # so there is no answer
        finally:
            if answer is None:
                socket.close()
                self._socket = None
        if answer is None:
            raise Unanswered(sent=sent)
        return answer[0]

    def close(self) -> None:
        """Hang up; who waits for an answer has none."""
        self._closed = True
        if self._socket is not None:
            self._socket.close()
