"""The script process as the daemon holds it: one subprocess, one socket, frames in and out. No threads."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self, cast

from torhaus.daemon.scripts.protocol import (
    OWN_SOURCES,
    Answers,
    Failed,
    FrameReader,
    Limits,
    ProtocolError,
    Ready,
    Reply,
    Request,
    Setup,
    decode_reply,
    encode,
)

COMMAND: Final = (sys.executable, "-I", "-m", "torhaus.daemon.scripts.worker")
ENVIRONMENT: Final = {"TZ": "UTC0", "LANG": "C.UTF-8"}
"""All that the process sees of ours: nothing. Scripts reckon in UTC wherever the box stands."""


class ChildGone(Exception):  # noqa: N818 - a state of the process, not a defect of the daemon
    """The process ended, or was ended because it hung or spoke nonsense. The text says which, in one line."""


def own_sources() -> dict[str, str]:
    """Our own JavaScript by file name."""
    folder = Path(__file__).parent
    return {name: (folder / name).read_text(encoding="utf-8") for name in OWN_SOURCES}


class ScriptChild(asyncio.Protocol):
    """A running script process. `progress` grows with everything that is sent to it or comes from it.

    `on_gone` is called once when the connection is lost.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", on_gone: Callable[[], None]) -> None:
        self.process = process
        self.progress = 0
        self.gone = False
        self._on_gone = on_gone
        self._why = ""
        self._reader = FrameReader()
        self._replies: deque[Reply] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def spawn(cls, limits: Limits, on_gone: Callable[[], None], command: tuple[str, ...] = COMMAND) -> Self:
        """Start the process and send it its set-up; it is usable after `ready`. Raises OSError."""
        ours, theirs = socket.socketpair()
        try:
            process = _start(theirs, command)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        child = cls(process, on_gone)
        try:
            ours.setblocking(False)
            await asyncio.get_running_loop().create_unix_connection(lambda: child, sock=ours)
            child.send(Setup(limits, own_sources()))
        except BaseException:
            ours.close()
            await child.end()
            raise
        return child

    # ---- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is ours to use."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Bytes from the process."""
        self.progress += 1
        try:
            for body in self._reader.feed(data):
                self._replies.append(decode_reply(body))
        except ProtocolError as error:
            self.kill(str(error))
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """The process is gone, or was told to go."""
        self.gone = True
        self._wake()
        self._on_gone()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # ---- the host's side

    def send(self, message: Request) -> None:
        """Queue a message. What cannot be sent any more shows when an answer is waited for."""
        self.progress += 1
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(encode(message))

    async def ready(self) -> None:
        """Wait until the process is confined. Raises ChildGone."""
        if not isinstance(await self._receive(), Ready):
            self.kill("the first message was not Ready")
            raise ChildGone(self._why)

    async def answers(self) -> Answers:
        """The next answers. Raises ChildGone."""
        reply = await self._receive()
        if not isinstance(reply, Answers):
            self.kill("Ready was said twice")
            raise ChildGone(self._why)
        return reply

    async def _receive(self) -> Reply:
        while not self._replies:
            if self.gone:
                raise ChildGone(self._why)
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        reply = self._replies.popleft()
        if isinstance(reply, Failed):
            self.kill(reply.detail)
            raise ChildGone(self._why)
        return reply

    def kill(self, why: str) -> None:
        """End the process at once. `why` is kept if it is the first reason."""
        self._why = self._why or why
        if self.process.returncode is None:
            self.process.kill()
        if self._transport is not None:
            self._transport.abort()

    async def end(self) -> str:
        """Make sure that the process is gone and reaped; says in one line how it ended."""
        self.kill("")
        if self.process.returncode is None:
            await _exited(self.process.pid)
        status = self.process.wait()  # does not wait any more
        ended = signal.Signals(-status).name if status < 0 else f"exit status {status}"
        return f"{self._why} ({ended})" if self._why else ended


def _start(peer: socket.socket, command: tuple[str, ...]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        command,
        stdin=peer.fileno(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=ENVIRONMENT,
        cwd="/",
        start_new_session=True,  # Ctrl-C in a terminal is the daemon's business
    )


async def _exited(pid: int) -> None:
    """Wait for our own child, which was not reaped yet, without blocking the loop."""
    loop = asyncio.get_running_loop()
    over: asyncio.Future[None] = loop.create_future()
    handle = os.pidfd_open(pid)
    loop.add_reader(handle, _finish, over)
    try:
        await over
    finally:
        loop.remove_reader(handle)
        os.close(handle)


def _finish(over: asyncio.Future[None]) -> None:
    if not over.done():
        over.set_result(None)
