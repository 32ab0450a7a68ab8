"""`torhaus codecs list` and `torhaus codecs test`: which codecs there are, and whether they do what a file says."""

import argparse
import asyncio
import math
import sys
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any, Final

import msgspec

from torhaus.codecs.model import DecodeError, Fields, RejectReason
from torhaus.codecs.registry import CODECS, load
from torhaus.daemon.scripts.host import HostLimits, ScriptHost
from torhaus.daemon.scripts.protocol import Job
from torhaus.daemon.scripts.result import read_result, to_fields
from torhaus.daemon.scripts.source import read_source

EX_NOINPUT: Final = 66
TOLERANCE: Final = 1e-9
MAX_LINE: Final = 1 << 20
SCRIPTS_KEPT: Final = 64
"""Scripts that stay registered: a file may name more than the script process takes."""
QUIET_S: Final = 1.0
"""After so long progress is shown."""


class Vector(msgspec.Struct, kw_only=True):
    """One line of a test file.

    `codec` (or the option's, or else `upstream_path`: a script below --base), `hex` (or `bytes_hex`), `fport`,
    `recv_time` (RFC 3339, for scripts), and what must come of it: `expect` (name to value, or to value and unit), or
    `expected` (nested, as a script returns it), or `reject` (a reason), or `expected_errors` (any, said by a script).
    """

    hex: str | None = None
    bytes_hex: str | None = None
    codec: str | None = None
    upstream_path: str = ""
    fport: int | None = None
    recv_time: str | None = None
    expect: dict[str, Any] | None = None
    expected: Any = None
    expected_is_whole_return: bool = False
    expected_errors: list[Any] = []
    reject: str | None = None


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """The command's place in the command line."""
    command = commands.add_parser("codecs", help="list the codecs, or test them against a file")
    actions = command.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="the codecs there are")
    listing.set_defaults(run=run_list)
    test = actions.add_parser("test", help="compare with the expected values of a file")
    test.add_argument("file", type=Path, metavar="FILE.jsonl")
    test.add_argument("--codec", help="for lines that name none")
    test.add_argument("--base", type=Path, default=Path(), metavar="DIR", help="where scripts (FILE.js) are looked for")
    test.set_defaults(run=run_test)


def run_list(args: argparse.Namespace) -> int:
    """One codec a line, with the first line of what it says of itself."""
    del args
    from importlib import import_module

    for name in sorted(CODECS):
        doc = (import_module(CODECS[name]).__doc__ or "").strip().splitlines()
        print(f"{name:16} {doc[0] if doc else ''}")
    return 0


def run_test(args: argparse.Namespace) -> int:
    """Print every failure, and `N passed, N failed` last; 1 when any failed."""
    try:
        lines = args.file.read_bytes().splitlines()
    except OSError as e:
        print(f"{args.file}: {e.strerror}", file=sys.stderr)
        return EX_NOINPUT
    passed, failed = asyncio.run(_test(args.file, lines, args.codec, args.base))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


async def _test(file: Path, lines: list[bytes], codec: str | None, base: Path) -> tuple[int, int]:
    decoder = msgspec.json.Decoder(Vector)
    passed = failed = 0
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        scripts = Scripts(base, group)
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                fault = await _check(decoder.decode(line[:MAX_LINE]), codec, scripts)
            except (msgspec.DecodeError, ValueError, OSError) as e:
                fault = f"unusable line: {e}"
            if fault is None:
                passed += 1
            else:
                failed += 1
                print(f"{file}:{number}: {fault}")
            if sys.stderr.isatty() and time.monotonic() - began > QUIET_S:
                print(f"\r{number}/{len(lines)}", end="\n" if number == len(lines) else "", file=sys.stderr, flush=True)
        scripts.close()
    return passed, failed


class Scripts:
    """One script process for all lines of a file, under the daemon's limits. It is started when it is first needed."""

    def __init__(self, base: Path, group: asyncio.TaskGroup) -> None:
        from torhaus.daemon.clock import SystemClock

        self._base = base
        self._group = group
        self._host = ScriptHost(SystemClock(), host_limits=HostLimits(fruitless=3))
        self._hashes: OrderedDict[str, str] = OrderedDict()
        self._running: asyncio.Task[None] | None = None

    async def decode(self, script: str, payload: bytes, fport: int | None, recv_time: str | None) -> Fields:
        """One payload. Raises DecodeError, and OSError or ValueError when the file cannot be read."""
        if self._running is None:
            self._running = self._group.create_task(self._host.run(), name="scripts")
        name = Path(script).name
        answer = self._host.submit(Job(name, self._register(script), payload, fport, recv_time))
        both: set[asyncio.Future[Any]] = {answer, self._running}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
        why = self._host.status().last_death
        raise DecodeError(RejectReason.SCRIPT_CRASH, f"no script process could be started: {why}")

    def _register(self, script: str) -> str:
        if script not in self._hashes:
            text = read_source(self._base / script)
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


async def _check(v: Vector, default: str | None, scripts: Scripts) -> str | None:
    codec = v.codec or default or (v.upstream_path if v.upstream_path.endswith(".js") else None)
    if codec is None:
        return "no codec: neither in the line nor by --codec"
    payload = bytes.fromhex((v.hex if v.hex is not None else v.bytes_hex) or "")
    if codec not in CODECS and not codec.endswith(".js"):
        return f"no codec {codec!r}"
    try:
        if codec.endswith(".js"):
            fields = await scripts.decode(codec, payload, v.fport, v.recv_time)
        else:
            fields = load(codec)(payload, v.fport)
    except DecodeError as e:
        wanted = v.reject or (RejectReason.SCRIPT_ERROR.value if v.expected_errors else None)
        return None if wanted == e.reason.value else f"refused: {e}"
    if v.reject is not None or v.expected_errors:
        return f"decoded, but must be refused{f' as {v.reject}' if v.reject else ''}"
    return _differences(fields, _expectation(v))


def _expectation(v: Vector) -> dict[str, Any]:
    if v.expect is not None or v.expected is None:
        return v.expect or {}
    try:
        if v.expected_is_whole_return:
            fields = read_result(msgspec.json.encode(v.expected).decode()).fields
        else:
            fields = to_fields(v.expected)
    except DecodeError as e:
        raise ValueError(f"what is expected is no result: {e}") from e
    return {name: value.value for name, value in fields.items()}


def _differences(fields: Fields, expect: dict[str, Any]) -> str | None:
    found = []
    for name in sorted(fields.keys() | expect.keys()):
        want = expect.get(name, "nothing")
        have = fields[name].value if name in fields else "nothing"
        unit = None
        if isinstance(want, dict):
            unit, want = want.get("unit"), want.get("value")
        same = (name in fields) == (name in expect) and _same(have, want)
        if not same or (unit is not None and fields[name].unit != unit):
            found.append(f"{name} is {have!r}, must be {want!r}" + (f" in {unit}" if unit else ""))
    return "; ".join(found) or None


def _same(a: object, b: object) -> bool:
    if isinstance(a, bool) or isinstance(b, bool) or not (isinstance(a, int | float) and isinstance(b, int | float)):
        return a == b and isinstance(a, bool) == isinstance(b, bool)
    return math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
