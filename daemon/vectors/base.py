"""What every form of line needs: the line itself, the scripts' process, and how values are compared."""

import asyncio
import math
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from torhaus.codecs.model import DecodeError, Fields, RejectReason
from torhaus.daemon.scripts.host import ScriptHost
from torhaus.daemon.scripts.host_model import HostLimits
from torhaus.daemon.scripts.protocol import Call, Encoded, Job, extra_input
from torhaus.daemon.scripts.source import read_package

TOLERANCE: Final = 1e-9
SCRIPTS_KEPT: Final = 64
"""Scripts that stay registered: a file may name more than the script process takes."""
MAX_SHOWN: Final = 8
"""Differences of one line that are told."""

_MASK: Final = re.compile(r"XXXX-XX-XXTXX:XX:XX[.XZ]*")
"""What published examples have for a time of the clock: X for each digit."""

Line = dict[str, Any]
_T = TypeVar("_T")


class Tools(msgspec.Struct):
    """What a check may use.

    `codec`: for lines that name none; `base`: where scripts and files are looked for; `beside`: the folder of the file;
    `memory`: what a form's earlier lines say about later ones, by the form's name; `other_names`: how many lines held
    with the names of another published decoder only.
    """

    base: Path
    codec: str | None
    scripts: "Scripts"
    beside: Path = Path()
    memory: dict[str, Any] = {}
    other_names: int = 0


Check = Callable[[Line, Tools], Awaitable[str | None]]
"""Compares one line. None, or what is wrong: `field: got …, expected …`. Raises ValueError and OSError for a line that
cannot be used."""


class Scripts:
    """One script process for all lines of a file, under the daemon's limits. It is started when it is first needed."""

    def __init__(self, base: Path, group: asyncio.TaskGroup) -> None:
        from torhaus.daemon.clock import SystemClock

        self._base = base
        self._group = group
        self._host = ScriptHost(SystemClock(), host_limits=HostLimits(fruitless=3))
        self._hashes: OrderedDict[str, str] = OrderedDict()
        self._running: asyncio.Task[None] | None = None

    async def decode(
        self,
        script: str,
        payload: bytes,
        fport: int | None,
        recv_time: str | None,
        extra: dict[str, Any] | None = None,
        call: Call = "uplink",
    ) -> Fields:
        """One payload; `extra`: what else the script's input has.

        Raises DecodeError, and OSError or ValueError when the file cannot be read.
        """
        job = Job(
            Path(script).name,
            self._register(script),
            payload,
            fport,
            recv_time,
            call=call,
            extra=extra_input(extra or {}),
        )
        return await self._answer(self._host.submit(job))

    async def encode(self, script: str, given: dict[str, Any], fport: int | None) -> Encoded:
        """One downlink of `data` in `given`. Raises as `decode`."""
        job = Job(Path(script).name, self._register(script), b"", fport, call="encode", extra=extra_input(given))
        return await self._answer(self._host.encode(job))

    async def _answer(self, answer: asyncio.Future[_T]) -> _T:
        if self._running is None:
            self._running = self._group.create_task(self._host.run(), name="scripts")
        both: set[asyncio.Future[Any]] = {answer, self._running}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
        why = self._host.status().last_death
        raise DecodeError(RejectReason.SCRIPT_CRASH, f"no script process could be started: {why}")

    def _register(self, script: str) -> str:
        if script not in self._hashes:
            text = read_package(self._base / script)
            if len(self._hashes) >= SCRIPTS_KEPT:
                _, oldest = self._hashes.popitem(last=False)
                if oldest not in self._hashes.values():
                    self._host.forget(oldest)
            self._hashes[script] = self._host.register(text)
        self._hashes.move_to_end(script)
        return self._hashes[script]

    def close(self) -> None:
        """End the process."""
        if self._running is not None:
            self._running.cancel()


def differences(fields: Fields, expect: dict[str, Any]) -> str | None:
    """What is wrong with decoded fields. `expect`: name to value, or to value and unit."""
    found = []
    for name in sorted(fields.keys() | expect.keys()):
        want: object = expect.get(name, "nothing")
        have = fields[name].value if name in fields else "nothing"
        unit = None
        if isinstance(want, dict):
            unit, want = want.get("unit"), want.get("value")
        is_same = (name in fields) == (name in expect) and same(have, want)
        if not is_same or (unit is not None and fields[name].unit != unit):
            found.append(f"{name}: got {have!r}, expected {want!r}" + (f" in {unit}" if unit else ""))
    more = f"; and {len(found) - MAX_SHOWN} more" if len(found) > MAX_SHOWN else ""
    return "; ".join(found[:MAX_SHOWN]) + more if found else None


def same(a: object, b: object) -> bool:
    """Whether two values are the same: numbers to a billionth, true and false are no numbers.

    `b`, the expected one, may be a time with X for each digit.
    """
    if isinstance(a, str) and isinstance(b, str) and _MASK.fullmatch(b):
        return re.sub("[0-9]", "X", a) == b
    if isinstance(a, bool) or isinstance(b, bool) or not (isinstance(a, int | float) and isinstance(b, int | float)):
        return a == b and isinstance(a, bool) == isinstance(b, bool)
    return math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
