"""One call of one script file: what `torhaus decode --codec FILE.js` and `torhaus codecs encode` do."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from torhaus.codecs.model import DecodeError, Fields, RejectReason
from torhaus.daemon.clock import Clock, SystemClock
from torhaus.daemon.scripts.host import ScriptHost
from torhaus.daemon.scripts.host_model import HostLimits
from torhaus.daemon.scripts.protocol import Encoded, Job, extra_input
from torhaus.daemon.scripts.source import read_package

_T = TypeVar("_T")


def decode_once(
    path: Path, payload: bytes, fport: int | None = None, recv_time: str | None = None, clock: Clock | None = None
) -> Fields:
    """Decode one payload with a script, in a script process of its own, under the daemon's limits. Blocks.

    Raises DecodeError as the daemon would record it, and OSError or ValueError when the file cannot be read.
    """
    text = read_package(path)

    def ask(host: ScriptHost) -> asyncio.Future[Fields]:
        return host.submit(Job(path.name, host.register(text), payload, fport, recv_time))

    return asyncio.run(_ask(ask, clock or SystemClock()))


def decode_each(
    path: Path, payloads: list[bytes], fport: int | None = None, clock: Clock | None = None
) -> list[Fields | DecodeError]:
    """As decode_once, many at once: the fields or the refusal of each. Blocks."""
    source = read_package(path)

    def ask(host: ScriptHost) -> asyncio.Future[list[Fields | BaseException]]:
        source_hash = host.register(source)
        return asyncio.gather(
            *(host.submit(Job(path.name, source_hash, payload, fport)) for payload in payloads), return_exceptions=True
        )

    found = asyncio.run(_ask(ask, clock or SystemClock()))
    return [each for each in found if isinstance(each, dict | DecodeError)]


def encode_once(path: Path, data: object, fport: int | None = None, clock: Clock | None = None) -> Encoded:
    """The downlink that a script makes of `data`, any JSON value. As decode_once; ValueError also for too much data."""
    text = read_package(path)
    extra = extra_input({"data": data})

    def ask(host: ScriptHost) -> asyncio.Future[Encoded]:
        return host.encode(Job(path.name, host.register(text), b"", fport, call="encode", extra=extra))

    return asyncio.run(_ask(ask, clock or SystemClock()))


async def _ask(ask: Callable[[ScriptHost], asyncio.Future[_T]], clock: Clock) -> _T:
    host = ScriptHost(clock, host_limits=HostLimits(crashes=1, fruitless=3))
    answer = ask(host)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(host.run(), name="scripts")
        answer.add_done_callback(lambda _: running.cancel())
    if answer.done() and not answer.cancelled():
        return answer.result()
    raise DecodeError(RejectReason.SCRIPT_CRASH, f"no script process could be started: {host.status().last_death}")
