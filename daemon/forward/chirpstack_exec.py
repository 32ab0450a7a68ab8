"""Runs a program that the network server asks for by a name that the configuration has. Off where it names none.

The server chooses among programs and gives them input, nothing more: no shell, no arguments, no environment of its own.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping
from typing import Final

from torhaus.codecs.framing.chirpstack_gw.commands import GatewayCommandExecRequest, GatewayCommandExecResponse
from torhaus.daemon.supervise import whole

MAX_OUTPUT_BYTES: Final = 16 << 10
"""Of each output that is sent back; the program may write more, which is read and let go."""
_ENVIRONMENT: Final = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
_CHUNK_BYTES: Final = 1 << 16
_KILLED_S: Final = 2.0
"""So long until a killed process is gone; what waits for a disk may take longer."""

Answer = tuple[GatewayCommandExecResponse, str]
"""What is sent back, and what it is counted as."""


class Executor:
    """`allowed`: name to program and arguments. One program runs at a time."""

    def __init__(self, allowed: Mapping[str, tuple[str, ...]], timeout_s: float) -> None:
        self._allowed = allowed
        self._timeout_s = timeout_s
        self._running = False

    async def run(self, request: GatewayCommandExecRequest) -> Answer:
        """Run it, and say what came of it."""
        argv = self._allowed.get(request.command)
        if argv is None:
            return _failed("this command is not allowed here"), "refused"
        if request.environment:
            return _failed("environment variables are not taken"), "refused"
        if self._running:
            return _failed("another command is running"), "busy"
        self._running = True
        try:
            return await self._run(argv, request.stdin)
        finally:
            self._running = False

    async def _run(self, argv: tuple[str, ...], stdin: bytes) -> Answer:
        pipe = asyncio.subprocess.PIPE
        starting = asyncio.create_subprocess_exec(
            *argv, stdin=pipe, stdout=pipe, stderr=pipe, env=_ENVIRONMENT, cwd="/", start_new_session=True
        )
        try:
            process = await whole(starting, _end)  # half a start would leave a process that nobody ends
        except (OSError, ValueError) as e:
            return _failed(f"{argv[0]} cannot be run: {getattr(e, 'strerror', None) or e}"), "failed"
        out, err = bytearray(), bytearray()
        code: int | None = None
        try:
            async with asyncio.timeout(self._timeout_s):
                await _talk(process, stdin, out, err)
                code = await process.wait()
        except TimeoutError:
            return _answer(out, err, f"ended after {self._timeout_s:g} s"), "timeout"
        finally:
            if code is None:
                await _end(process)
        if code:
            return _answer(out, err, f"exit code {code}" if code > 0 else f"ended by signal {-code}"), "failed"
        return _answer(out, err, ""), "ok"


async def _talk(process: asyncio.subprocess.Process, stdin: bytes, out: bytearray, err: bytearray) -> None:
    """Both outputs are read at the same time, and the input is written meanwhile: nobody waits for anybody."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    async with asyncio.TaskGroup() as group:
        group.create_task(_write(process.stdin, stdin))
        group.create_task(_drain(process.stdout, out))
        group.create_task(_drain(process.stderr, err))


async def _write(stream: asyncio.StreamWriter, data: bytes) -> None:
    """All of it, unless the program does not want it."""
    try:
        if not stream.is_closing():  # uvloop raises a RuntimeError where the program has ended already
            stream.write(data)
            await stream.drain()
    except (BrokenPipeError, ConnectionResetError):
        return  # it may end without having read its input
    finally:
        stream.close()


async def _drain(stream: asyncio.StreamReader, kept: bytearray) -> None:
    """Read to the end, so that the program never waits for us; keep the beginning."""
    while chunk := await stream.read(_CHUNK_BYTES):
        kept += chunk[: MAX_OUTPUT_BYTES + 1 - len(kept)]


async def _end(process: asyncio.subprocess.Process) -> None:
    """It did not end by itself, or left somebody who holds its outputs: all of its process group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # it has just ended, or is another user's
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_KILLED_S):
            await process.wait()
    process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001 - nothing else lets go of pipes others hold


def _answer(out: bytearray, err: bytearray, error: str) -> GatewayCommandExecResponse:
    cut = [name for name, kept in (("stdout", out), ("stderr", err)) if len(kept) > MAX_OUTPUT_BYTES]
    if cut:
        error += f"{'; ' if error else ''}{' and '.join(cut)} cut to {MAX_OUTPUT_BYTES} bytes"
    return GatewayCommandExecResponse(
        stdout=bytes(out[:MAX_OUTPUT_BYTES]), stderr=bytes(err[:MAX_OUTPUT_BYTES]), error=error
    )


def _failed(error: str) -> GatewayCommandExecResponse:
    return GatewayCommandExecResponse(error=error)
