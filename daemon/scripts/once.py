"""One payload through one script file: what `torhaus decode --codec FILE.js` does."""

import asyncio
from pathlib import Path

from torhaus.codecs.model import DecodeError, Fields, RejectReason
from torhaus.daemon.clock import Clock, SystemClock
from torhaus.daemon.scripts.host import HostLimits, ScriptHost
from torhaus.daemon.scripts.protocol import Job
from torhaus.daemon.scripts.source import read_source


def decode_once(
    path: Path, payload: bytes, fport: int | None = None, recv_time: str | None = None, clock: Clock | None = None
) -> Fields:
    """Decode one payload with a script, in a script process of its own, under the daemon's limits. Blocks.

    Raises DecodeError as the daemon would record it, and OSError or ValueError when the file cannot be read.
    """
    text = read_source(path)
    return asyncio.run(_decode(path.name, text, payload, fport, recv_time, clock or SystemClock()))


async def _decode(
    name: str, text: str, payload: bytes, fport: int | None, recv_time: str | None, clock: Clock
) -> Fields:
    host = ScriptHost(clock, host_limits=HostLimits(crashes=1, fruitless=3))
    answer = host.submit(Job(name, host.register(text), payload, fport, recv_time))
    async with asyncio.TaskGroup() as group:
        running = group.create_task(host.run(), name="scripts")
        answer.add_done_callback(lambda _: running.cancel())
    if answer.done() and not answer.cancelled():
        return answer.result()
    raise DecodeError(RejectReason.SCRIPT_CRASH, f"no script process could be started: {host.status().last_death}")
