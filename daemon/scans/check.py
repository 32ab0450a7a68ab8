"""Runs the strict check of one document in a child process and turns whatever happens to it into a verdict."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

import msgspec

from torhaus.daemon.scans.checker import EX_UNAVAILABLE, MAX_VERDICT_BYTES, Limits, Verdict
from torhaus.daemon.scans.disk import Disk
from torhaus.daemon.scans.states import Reason

CHILD: Final = (sys.executable, "-I", "-m", "torhaus.daemon.scans.checker")
_UNKNOWN: Final = "application/octet-stream"


class CheckUnavailable(Exception):  # noqa: N818 - a state of this machine, not of the document
    """No check could be run: parsers are not installed, or no process can be started. The document is not judged."""


class Check(Protocol):
    """Judges one document."""

    async def check(self, path: Path) -> Verdict:
        """The verdict on the file's bytes. Raises CheckUnavailable and OSError; nothing else."""
        ...


class ProcessCheck:
    """One child per document: a document that kills or hangs its parser is judged by that and harms nothing else."""

    def __init__(self, disk: Disk, limits: Limits, command: Sequence[str] = CHILD) -> None:
        self._disk = disk
        self._limits = limits
        self._command = (*command, msgspec.json.encode(limits).decode())

    async def check(self, path: Path) -> Verdict:
        """The verdict on the file's bytes. The child gets an open descriptor, no path and no environment."""
        fd = await asyncio.to_thread(self._disk.open_read, path)
        try:
            return await self._run(fd)
        finally:
            os.close(fd)

    async def _run(self, fd: int) -> Verdict:
        try:
            child = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=fd,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={"LC_ALL": "C.UTF-8"},
            )
        except OSError as error:
            raise CheckUnavailable(type(error).__name__) from error
        assert child.stdout is not None
        try:
            async with asyncio.timeout(self._limits.wall_s):
                reply = await _read_all(child.stdout)
                code = await child.wait()
        except TimeoutError:
            return Verdict(_UNKNOWN, Reason.CHECK_TIME)
        finally:
            if child.returncode is None:
                child.kill()
                await child.communicate()  # drains the pipe as well: wait() alone never ends while it is full
        if code == EX_UNAVAILABLE:
            raise CheckUnavailable("the extra 'scans' (pikepdf, Pillow) is not installed")
        if code == -signal.SIGXCPU:
            return Verdict(_UNKNOWN, Reason.CHECK_TIME)
        if code != 0:
            return Verdict(_UNKNOWN, Reason.CHECK_CRASHED)
        try:
            return msgspec.json.decode(reply, type=Verdict)
        except (msgspec.DecodeError, UnicodeError):  # a parser that was taken over could write anything
            return Verdict(_UNKNOWN, Reason.CHECK_CRASHED)


async def _read_all(stream: asyncio.StreamReader) -> bytes:
    """What the child writes, up to MAX_VERDICT_BYTES; one that writes more is stuck until its time is over."""
    try:
        return await stream.readexactly(MAX_VERDICT_BYTES)
    except asyncio.IncompleteReadError as short:
        return short.partial
