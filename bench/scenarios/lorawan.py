"""A site that is its own network server: a town's devices join at once, and then each uplink wants an answer.

In real time, before the real process, with gateways of both kinds. How long an answer takes is measured from the end of
the frame to the gateway that has to send it, less the time for which torhaus waits for further gateways: the line and
the simulated gateways are in it, so the figures are upper bounds.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from bench.load import quantile
from bench.processes import folder, free_port
from bench.scenario import BenchError, Figures
from bench.site import Daemon
from torhaus.daemon.clock import SystemClock
from torhaus.daemon.lora.rounds import COLLECT_S
from torhaus.daemon.simulate.identity import identities
from torhaus.daemon.simulate.model import Habits
from torhaus.daemon.simulate.run import Plan, Simulation

VERSIONS: Final = ("1.0.2", "1.0.3", "1.0.4", "1.1")
PERIOD_S: Final = 60.0
PATIENCE_S: Final = 600.0
"""Joining again after a collision takes the longer the more often: the standard's back-off."""


def standalone(devices: int, gateways: int, seconds: float) -> Figures:
    """All join within a minute, and go on for `seconds` after the last of them has."""
    known, stations = tuple(identities(devices, VERSIONS, 1)), free_port()
    more = f'[[driver]]\nname = "stations"\ntype = "basics_station"\nlisten = "127.0.0.1:{stations}"\n'
    with folder() as place, Daemon(place, 0, None, more=more, lorawan='mode = "standalone"\n') as daemon:
        (place / "devices.toml").write_text("".join(one.config() for one in known))
        (place / "devices.keys.toml").write_text("".join(one.key_table() for one in known))
        daemon.start()
        before, began = daemon.usage(), time.monotonic()
        to = (f"udp://127.0.0.1:{daemon.udp}", f"ws://127.0.0.1:{stations}")
        habits = Habits(period_s=PERIOD_S, confirmed_every=1, spread_s=PERIOD_S)
        town = Simulation(Plan(known=known, to=to, gateways=gateways, habits=habits, radius_km=1.5), SystemClock())
        joined_s, early, ended = asyncio.run(_live(town, seconds))
        used, lasted_s = daemon.usage().since(before), time.monotonic() - began
        joins = {result: _counted(daemon, "torhaus_lora_joins_total", result) for result in ("accepted", "not_sent")}
        took = sorted(us / 1e6 - COLLECT_S for us in town.took_us)
        if not took:
            raise BenchError("nothing was answered")
        counts = ended - early  # once all have joined
        late = town.missed()["TOO_LATE"]
        return {
            "answers": float(len(took)),
            "answer_p50_ms": quantile(took, 0.5) * 1e3,
            "answer_p99_ms": quantile(took, 0.99) * 1e3,
            "rx1_ratio": counts["rx1"] / max(1, counts["rx1"] + counts["rx2"]),
            "acked_ratio": counts["acked"] / max(1, counts["confirmed"]),
            "late_percent": late / (len(took) + late) * 100,
            "asked_in_vain": float(town.missed().total() - late),
            "joined_s": joined_s,
            "join_requests": float(ended["join_requests"]),
            "joins_accepted": joins["accepted"],
            "joins_not_sent": joins["not_sent"],
            "reused_counters": float(ended["reused_counters"]),
            "busy_percent": used.cpu_s / lasted_s * 100,
            "rss_mib": daemon.rss_mib(),
        }


async def _live(town: Simulation, seconds: float) -> tuple[float, Counter[str], Counter[str]]:
    """Until all have joined and for so long after it: when that was, and what had happened then and at the end."""
    task = asyncio.create_task(town.run())
    try:
        began = time.monotonic()
        await _until(lambda: town.town.counts()["joined_now"] == len(town.town.devices), task)
        joined_s, early = time.monotonic() - began, town.town.counts()
        await asyncio.sleep(seconds)
        return joined_s, early, town.town.counts()
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _until(condition: Callable[[], bool], task: "asyncio.Task[None]") -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if task.done() or time.monotonic() > deadline:
            raise BenchError("not all devices have joined")
        await asyncio.sleep(0.5)


def _counted(daemon: Daemon, name: str, result: str) -> float:
    rows = [line for line in daemon.scrape().splitlines() if line.startswith(f"{name}{{") and f'"{result}"' in line]
    return sum(float(line.rsplit(" ", 1)[1]) for line in rows)
