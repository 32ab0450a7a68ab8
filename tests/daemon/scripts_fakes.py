"""What the tests of vendors' scripts share: own scripts by file name, in an engine of this process or behind a host."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.clocks import FakeClock
from torhaus.codecs.model import DecodeError, Fields, Value
from torhaus.daemon.scripts.child import COMMAND, own_sources
from torhaus.daemon.scripts.engine import Engine
from torhaus.daemon.scripts.host import ScriptHost
from torhaus.daemon.scripts.host_model import Answer, HostLimits
from torhaus.daemon.scripts.protocol import Decoded, Job, Limits
from torhaus.daemon.supervise import Backoff

SCRIPTS = Path(__file__).parent / "scripts"


class Bench:
    """An engine that takes scripts by file name."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.engine = Engine(own_sources(), limits or Limits(call_s=0.1, load_s=1.0))

    def add(self, name: str, text: str | None = None) -> None:
        self.engine.add(name, (SCRIPTS / name).read_text(encoding="utf-8") if text is None else text)

    def decode(
        self, name: str, payload: bytes = b"\x01\x00\xd6", fport: int | None = 5, fresh: bool = False
    ) -> Decoded:
        if name not in self.engine._scripts:
            self.add(name)
        made = self.engine.decode(Job(name, name, payload, fport, "2026-01-02T03:04:05Z", "a81758fffe0312ab", fresh))
        assert isinstance(made, Decoded)
        return made

    def values(self, name: str, payload: bytes = b"\x01\x00\xd6", fport: int | None = 5) -> dict[str, object]:
        return {key: value.value for key, value in self.decode(name, payload, fport).fields.items()}

    def refusal(self, name: str, payload: bytes = b"\x01", fport: int = 5) -> DecodeError:
        with pytest.raises(DecodeError) as caught:
            self.decode(name, payload, fport)
        return caught.value


POISON = b"\xde\xad"
POISONED = (
    sys.executable,
    "-c",
    """
import os, signal
from torhaus.daemon.scripts import engine, worker
sound = engine.Engine.decode
def decode(self, job):
    if job.payload == b"\\xde\\xad":
        os.kill(os.getpid(), signal.SIGKILL)
    return sound(self, job)
engine.Engine.decode = decode
worker.main()
""",
)
"""A script process that dies on one payload."""


async def until(true: Callable[[], bool]) -> None:
    """Wait for what a process will have done sooner or later; the suite's own time limit ends a wait in vain."""
    while not true():  # noqa: ASYNC110 - a process gives no event
        await asyncio.sleep(0.001)


class Site:
    """A host with scripts registered by file name, and a clock that stands still."""

    def __init__(self, host_limits: HostLimits | None = None, command: tuple[str, ...] = COMMAND) -> None:
        self.clock = FakeClock()
        backoff = Backoff(rand=lambda: 0.0)
        self.host = ScriptHost(self.clock, Limits(call_s=0.2), host_limits, command, backoff)
        self.hashes = {path.name: self.host.register(path.read_text()) for path in SCRIPTS.glob("*.js")}
        self.answers: list[tuple[Job, Answer]] = []

    def job(self, payload: bytes = b"\x01", fport: int = 1, name: str = "ttn2.js", ref: int = 0) -> Job:
        return Job(name, self.hashes[name], payload, fport, "2026-01-02T03:04:05Z", ref=ref)

    def offer(self, jobs: list[Job]) -> int:
        return self.host.submit_many(jobs, self.answers.extend)

    async def prove(self, name: str = "ttn2.js") -> None:
        """One good result, after which the script runs among the proven ones; one more, so that their process runs."""
        for _ in range(2):
            await self.host.submit(self.job(name=name))

    async def until(self, count: int) -> None:
        await until(lambda: len(self.answers) >= count)

    async def until_in_hand(self) -> None:
        await until(lambda: bool(self.host._first.in_hand))

    async def until_deaths(self, count: int) -> None:
        await until(lambda: self.host.status().deaths >= count)

    @property
    def pid(self) -> int:
        pid = self.host.status().pid
        assert pid is not None
        return pid


def serve(
    body: Callable[[Site], Coroutine[Any, Any, None]],
    host_limits: HostLimits | None = None,
    command: tuple[str, ...] = COMMAND,
) -> Site:
    """Run a test's body beside a running host."""

    async def main() -> Site:
        site = Site(host_limits, command)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(site.host.run())
            await body(site)
            running.cancel()
        return site

    return asyncio.run(main())


def total(payload: bytes, fport: int = 1) -> Fields:
    """What ttn2.js makes of it."""
    return {"port": Value(fport), "sum": Value(sum(payload))}


def fields(answer: Answer) -> Fields:
    assert isinstance(answer, Decoded), answer
    return answer.fields


def refusal(answer: Answer) -> DecodeError:
    assert isinstance(answer, DecodeError), answer
    return answer
