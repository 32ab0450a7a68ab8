"""The same questions to plain Node.js as to the script host, and the same judge."""

import asyncio
import shutil
from pathlib import Path
from typing import Any, Final, Self

import msgspec

from torhaus.codecs.model import DecodeError, Fields, RejectReason
from torhaus.daemon.scripts.encoded import read_encoded
from torhaus.daemon.scripts.protocol import Call, Encoded
from torhaus.daemon.scripts.result import read_result

RUNNER: Final = Path(__file__).with_name("node.js")
LONGEST: Final = 16 << 20
ANSWER_S: Final = 30.0


class _Answer(msgspec.Struct):
    result: str | None = None
    error: str = ""


class Node:
    """A running Node.js, with the methods of torhaus.daemon.vectors.base.Scripts. `async with`."""

    def __init__(self, base: Path) -> None:
        self._base = base
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        program = shutil.which("node") or shutil.which("nodejs")
        if program is None:
            raise FileNotFoundError("node is not installed")
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            program, RUNNER, stdin=pipe, stdout=pipe, limit=LONGEST, env={"TZ": "UTC"}
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.kill()
        await self._process.wait()

    async def decode(
        self,
        script: str,
        payload: bytes,
        fport: int | None,
        recv_time: str | None,
        extra: dict[str, Any] | None = None,
        call: Call = "uplink",
    ) -> Fields:
        """As Scripts.decode."""
        given: dict[str, Any] = {"bytes": list(payload), "fPort": fport, "recvTime": recv_time}
        given = {name: value for name, value in given.items() if value is not None}
        answer = await self._ask(script, call, given | (extra or {}))
        return read_result(answer, wrapped=False).fields

    async def encode(self, script: str, given: dict[str, Any], fport: int | None) -> Encoded:
        """As Scripts.encode."""
        return read_encoded(await self._ask(script, "encode", {"fPort": fport} | given))

    async def _ask(self, script: str, call: Call, given: dict[str, Any]) -> str:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        question = {"file": str(self._base / script), "call": call, "input": given}
        self._process.stdin.write(msgspec.json.encode(question) + b"\n")
        line = await asyncio.wait_for(self._process.stdout.readline(), ANSWER_S)
        answer = msgspec.json.decode(line, type=_Answer)
        if answer.result is None:
            raise DecodeError(RejectReason.SCRIPT_ERROR, answer.error)
        return answer.result
