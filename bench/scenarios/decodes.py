"""Decoding alone, without daemon: native codecs and scripts, cold and warm; what loaded scripts weigh; and how long
other devices' payloads wait while a hostile script runs.
"""

import asyncio
import resource
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from bench.load import quantile
from bench.scenario import Figures
from torhaus.codecs.model import DecodeError, Fields
from torhaus.codecs.registry import load
from torhaus.daemon.clock import SystemClock
from torhaus.daemon.scripts.host import ScriptHost
from torhaus.daemon.scripts.host_model import Answer
from torhaus.daemon.scripts.protocol import Job

PAYLOAD: Final = bytes.fromhex("0100e202290400270506060308")
ROOM: Final = Path(__file__).resolve().parents[1] / "room.js"
HOSTILE: Final = "function decodeUplink() { while (true); }"
TURNS: Final = "function decodeUplink(input) { while (input.bytes[0] === 9); return { data: { a: 1 } }; }"
"""Good for a while, and then not."""
LOADED: Final = 100
"""More than are kept at once (64): every script is loaded anew when its turn comes again."""


def native(decodes: int) -> Figures:
    """One payload of five values, again and again; and the first one, with the import of its codec."""
    began = time.perf_counter()
    decode = load("elsys")
    decode(PAYLOAD, 5)
    first_ms = (time.perf_counter() - began) * 1e3
    before = time.process_time()
    for _ in range(decodes):
        decode(PAYLOAD, 5)
    cpu_s = time.process_time() - before
    return {"decodes_per_s": decodes / cpu_s, "cpu_us": cpu_s / decodes * 1e6, "first_ms": first_ms}


def script(decodes: int) -> Figures:
    """The same by a script, in batches as the daemon sends them; cold: a hundred scripts, each for one payload."""
    return asyncio.run(_with_host(lambda host: _script(host, decodes)))


def hostile(rounds: int) -> Figures:
    """Payloads of a proven script, one every ten milliseconds, and of a native codec, while others never end.

    One of these never has, another has been good before. In between a script that is seen for the first time.
    """
    return asyncio.run(_with_host(lambda host: _hostile(host, rounds)))


async def _with_host(body: Callable[[ScriptHost], Awaitable[Figures]]) -> Figures:
    host = ScriptHost(SystemClock())
    async with asyncio.TaskGroup() as group:
        running = group.create_task(host.run())
        found = await body(host)
        running.cancel()
    return found


async def _script(host: ScriptHost, decodes: int) -> Figures:
    text = ROOM.read_text(encoding="utf-8")
    started = time.perf_counter()
    source_hash = host.register(text)
    await host.submit(Job("room.js", source_hash, PAYLOAD, 5))
    first_ms = (time.perf_counter() - started) * 1e3
    await host.submit(Job("room.js", source_hash, PAYLOAD, 5))  # now among the proven ones
    empty_mib = _rss_mib(host)
    many = [host.register(f"{text}\n// {n}") for n in range(LOADED)]
    for each in many:
        await host.submit(Job("room.js", each, PAYLOAD, 5))
    began = time.perf_counter()
    for each in many:
        await host.submit(Job("room.js", each, PAYLOAD, 5))
    cold_s = time.perf_counter() - began
    loaded_mib = _rss_mib(host)
    began = time.perf_counter()
    await _all(host, [Job("room.js", source_hash, PAYLOAD, 5)] * decodes)
    warm_s = time.perf_counter() - began
    return {
        "decodes_per_s": decodes / warm_s,
        "cold_ms": cold_s / LOADED * 1e3,
        "first_ms": first_ms,
        "rss_mib": loaded_mib,
        "rss_mib_per_100_scripts": loaded_mib - empty_mib,
    }


async def _all(host: ScriptHost, jobs: list[Job]) -> None:
    answered = 0
    done = asyncio.Event()

    def count(found: list[tuple[Job, Answer]]) -> None:
        nonlocal answered
        answered += len(found)
        done.set()

    offered = 0
    while answered < len(jobs):
        done.clear()
        offered += host.submit_many(jobs[offered : offered + 1024], count)
        await done.wait()


async def _hostile(host: ScriptHost, rounds: int) -> Figures:
    text = ROOM.read_text(encoding="utf-8")
    room, bad, turning = (host.register(source) for source in (text, HOSTILE, TURNS))
    decode = load("elsys")
    for source_hash in (room, turning, room, turning):
        await host.submit(Job("s.js", source_hash, PAYLOAD, 5))
    waits, natives, new = [], [], []
    evil: list[asyncio.Future[Fields]] = []
    for turn in range(rounds):
        if turn % 10 == 0:
            evil.append(host.submit(Job("hostile.js", bad, PAYLOAD, 5)))
            evil.append(host.submit(Job("turns.js", turning, b"\x09" if turn % 20 else b"\x01", 5, dev_eui="a1")))
        began = time.perf_counter()
        decode(PAYLOAD, 5)
        natives.append(time.perf_counter() - began)
        await host.submit(Job("room.js", room, PAYLOAD, 5))
        waits.append(time.perf_counter() - began)
        if turn % 50 == 25:
            new.append(asyncio.create_task(_first(host, f"{text}\n// {turn}")))
        await asyncio.sleep(0.01)
    outcome = await asyncio.gather(*evil, return_exceptions=True)
    firsts = sorted(await asyncio.gather(*new))
    waits.sort()
    natives.sort()
    return {
        "native_worst_ms": natives[-1] * 1e3,
        "p50_ms": quantile(waits, 0.5) * 1e3,
        "p99_ms": quantile(waits, 0.99) * 1e3,
        "worst_ms": waits[-1] * 1e3,
        "new_script_worst_ms": firsts[-1] * 1e3 if firsts else 0.0,
        "broken_limits": float(sum(isinstance(e, DecodeError) and e.reason == "script_time" for e in outcome)),
    }


async def _first(host: ScriptHost, text: str) -> float:
    began = time.perf_counter()
    await host.submit(Job("new.js", host.register(text), PAYLOAD, 5))
    return time.perf_counter() - began


def _rss_mib(host: ScriptHost) -> float:
    pid = host.status().pid
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / (1 << 20)
