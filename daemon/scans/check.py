"""Has documents checked strictly in processes of their own and turns whatever happens to these into a verdict."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

import msgspec

from torhaus.daemon.scans.checker import EX_UNAVAILABLE, Limits, Verdict
from torhaus.daemon.scans.disk import Disk
from torhaus.daemon.scans.nursery import ANSWER, EX_OSERR, MAX_ANSWER_BYTES, REQUEST, TIMED_OUT, limits_of
from torhaus.daemon.scans.sealed import Content
from torhaus.daemon.scans.states import Reason
from torhaus.daemon.scans.threads import to_end

NURSERY: Final = (sys.executable, "-I", "-m", "torhaus.daemon.scans.nursery")
MAX_AT_ONCE: Final = 4
"""Documents that are checked at the same time."""
GRACE_S: Final = 10.0
"""So much longer than a document may take, the process that ends those that do may take to say so."""
_UNKNOWN: Final = "application/octet-stream"


class CheckUnavailable(Exception):  # noqa: N818 - a state of this machine, not of the document
    """No check could be run: parsers are not installed, or no process can be started. The document is not judged."""


class Check(Protocol):
    """Judges one document."""

    async def check(self, path: Content, *, codes: bool = False) -> Verdict:
        """The verdict on the file's bytes, with cover sheets' `codes` if they are wanted.

        Raises CheckUnavailable and OSError; nothing else.
        """
        ...

    async def cut(self, path: Content, pages: range, into: int) -> Verdict:
        """These pages (from 0) as a document of their own, written to the pipe `into`, which stays open here.

        The verdict's reason is None, or why they cannot be taken out unchanged. Raises as `check` does.
        """
        ...

    async def draw(self, path: Content, page: int, into: int) -> Verdict:
        """A page (from 0) as a JPEG for people to look at, written to the pipe `into`, which stays open here.

        The verdict's reason is None, or why it cannot be drawn. Raises as `check` does.
        """
        ...

    async def close(self) -> None:
        """Give back what it holds. It may be used again afterwards."""
        ...


class _Child:
    """A running nursery: its process, our end of the socket, and who waits for an answer."""

    def __init__(self, process: asyncio.subprocess.Process, sock: socket.socket) -> None:
        self.process = process
        self.sock = sock
        self.waiting: dict[int, asyncio.Future[tuple[int, bytes]]] = {}
        asyncio.get_running_loop().add_reader(sock.fileno(), self._read)

    def ask(
        self, number: int, fds: list[int], key: bytes, pages: range, *, codes: bool
    ) -> asyncio.Future[tuple[int, bytes]]:
        """Hand over an open document, and where `pages` of it are to be written to. Raises OSError."""
        answer: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()
        socket.send_fds(self.sock, [REQUEST.pack(number, codes, bool(key), key, pages.start, len(pages))], fds)
        self.waiting[number] = answer
        return answer

    def _read(self) -> None:
        try:
            answer = self.sock.recv(MAX_ANSWER_BYTES)
        except BlockingIOError:
            return
        except OSError:
            answer = b""
        if len(answer) < ANSWER.size:
            self.end("the checking process ended")
            return
        number, code = ANSWER.unpack_from(answer)
        waiter = self.waiting.pop(number, None)
        if waiter is not None and not waiter.done():
            waiter.set_result((code, answer[ANSWER.size :]))

    def end(self, why: str) -> None:
        """Kill it; whoever waits is told that his document was not judged."""
        if self.sock.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self.sock.fileno())
            self.sock.close()
        if self.process.returncode is None:
            self.process.kill()
        for waiter in self.waiting.values():
            if not waiter.done():
                waiter.set_exception(CheckUnavailable(why))
        self.waiting.clear()


class ProcessCheck:
    """A process per document: one that kills or hangs its parser is judged by that and harms nothing else."""

    def __init__(self, disk: Disk, limits: Limits, command: Sequence[str] = NURSERY) -> None:
        self._disk = disk
        self._limits = limits
        self._command = (*command, msgspec.json.encode(limits).decode())
        self._child: _Child | None = None
        self._number = 0
        self._starting = asyncio.Lock()
        self._places = asyncio.Semaphore(MAX_AT_ONCE)

    async def check(self, path: Content, *, codes: bool = False) -> Verdict:
        """The verdict on the file's bytes. The process gets an open descriptor, no path and no environment.

        Of a sealed file it gets the file's own key, too: plain bytes are in no other place than its memory.
        """
        return await self._judge(path, range(0), [], codes=codes)

    async def cut(self, path: Content, pages: range, into: int) -> Verdict:
        """As the Protocol has it; the process is one as for a check."""
        return await self._judge(path, pages, [into], codes=False)

    async def draw(self, path: Content, page: int, into: int) -> Verdict:
        """As the Protocol has it."""
        return await self._judge(path, range(page, page + 1), [into], codes=True)

    async def _judge(self, path: Content, pages: range, into: list[int], *, codes: bool) -> Verdict:
        file, key = (path, b"") if isinstance(path, Path) else (path.path, path.key)
        async with self._places:
            fd = await to_end(self._disk.open_read, file, undo=os.close)
            try:
                code, reply = await self._ask([fd, *into], key, pages, codes=codes)
            finally:
                os.close(fd)
        return _verdict(code, reply)

    async def _ask(self, fds: list[int], key: bytes, pages: range, *, codes: bool) -> tuple[int, bytes]:
        child = await self._running()
        self._number += 1
        try:
            answer = child.ask(self._number, fds, key, pages, codes=codes)
        except OSError as error:
            child.end("the checking process takes nothing")
            raise CheckUnavailable(type(error).__name__) from error
        try:
            async with asyncio.timeout(limits_of(self._limits, pages, codes=codes).wall_s + GRACE_S):
                return await answer
        except TimeoutError:
            child.end("the checking process hung")
            raise CheckUnavailable("the checking process does not answer") from None

    async def _running(self) -> _Child:
        """The process, made anew where there is none."""
        async with self._starting:
            if self._child is None or self._child.sock.fileno() < 0:
                await self._end()
                self._child = await self._start()
            return self._child

    async def _start(self) -> _Child:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=theirs.fileno(),
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                env={"LC_ALL": "C.UTF-8"},
                start_new_session=True,  # Ctrl-C in a terminal is the daemon's business, also while this one starts
            )
        except BaseException as error:  # cancelled, too: asyncio has ended the process by then
            ours.close()
            if isinstance(error, OSError):
                raise CheckUnavailable(type(error).__name__) from error
            raise
        finally:
            theirs.close()
        return _Child(process, ours)

    async def close(self) -> None:
        """End the process, one that is just being started as well."""
        async with self._starting:
            await self._end()

    async def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.end("the check was given up")
            await child.process.wait()


def _verdict(code: int, reply: bytes) -> Verdict:
    if code == EX_UNAVAILABLE:
        raise CheckUnavailable("the extra 'scans' (pikepdf, Pillow and what reads codes) is not installed")
    if code == EX_OSERR:
        raise CheckUnavailable("no process can be started")
    if code in {TIMED_OUT, -signal.SIGXCPU}:
        return Verdict(_UNKNOWN, Reason.CHECK_TIME)
    if code != 0:
        return Verdict(_UNKNOWN, Reason.CHECK_CRASHED)
    try:
        return msgspec.json.decode(reply, type=Verdict)
    except (msgspec.DecodeError, UnicodeError):  # a parser that was taken over could write anything
        return Verdict(_UNKNOWN, Reason.CHECK_CRASHED)
