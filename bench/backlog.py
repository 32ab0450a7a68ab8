"""Stores with many records waiting, made through the outbox itself and kept in build/: ten million take minutes."""

import asyncio
import os
import shutil
from pathlib import Path
from typing import Final

from bench.processes import BUILD
from torhaus.codecs.model import Reception, Stamp
from torhaus.codecs.payload import elsys
from torhaus.daemon.clock import SystemClock
from torhaus.daemon.demo.sensors import elsys_room
from torhaus.daemon.outbox.record import Lora, Record
from torhaus.daemon.outbox.sessions import begin_search, end_search
from torhaus.daemon.outbox.state import Flush, Session
from torhaus.daemon.outbox.store import MAIN, Limits, Outbox, Reporter

FOLDER: Final = BUILD / "bench-backlogs-v2"
DEVICES: Final = 1000
BATCH: Final = 500
"""Records in one commit: what a busy site's commit window holds."""
LIMITS: Final = Limits(max_bytes=1 << 40, commit_window_s=0.0)
SITE: Final = "bench"


def record(number: int, devices: int = DEVICES) -> Record:
    """A reading as the pipeline makes it of an uplink of the simulated room sensor."""
    index, counter = number % devices, number // devices
    rx = Reception("aa555a0000000001", -97.0, 7.5, None, 3, 0, tmst_us=number & 0xFFFFFFFF, crc=1)
    address = f"{0x01000000 + index:08x}"
    lora = Lora(868_100_000, "LORA", "SF7BW125", "4/5", 5, address, counter, 5, confirmed=False, rx=[rx])
    payload = elsys_room(counter, index)
    name, eui = f"sensor-{index}", f"{0xA81758FFFE000000 + index:016x}"
    raw = b"\x40" + payload + bytes(12)
    return Record("reading", "radio", name, eui, "elsys", elsys.decode(payload, 5), None, None, lora, None, raw)


async def open_store(path: Path) -> Outbox:
    """The outbox of a folder, without limits that could drop anything."""
    outbox = Outbox(path, SITE, SystemClock(), LIMITS, Reporter())
    await outbox.open()
    return outbox


async def put(outbox: Outbox, records: list[Record]) -> None:
    """One commit of records, waited for. Raises AssertionError when it is not stored."""
    loop = asyncio.get_running_loop()
    stored: asyncio.Future[bool] = loop.create_future()
    now: Stamp = outbox.clock.stamp()
    outbox.put(MAIN, [(now, r) for r in records], len(records) * 550)
    outbox.commit(stored.set_result)
    if not await stored:
        raise AssertionError("not stored")


def backlog(count: int) -> Path:
    """A store with `count` records that nobody has had, made when it is not there yet."""
    path = FOLDER / str(count)
    if not path.exists():
        unfinished = path.with_suffix(f".{os.getpid()}")
        unfinished.mkdir(parents=True)
        asyncio.run(_fill(unfinished, count))
        unfinished.rename(path)
    return path


async def _fill(path: Path, count: int) -> None:
    outbox = await open_store(path)
    try:
        # from here on each save takes the devices' counters along, as in the daemon
        end_search(outbox, await begin_search(outbox), [])
        outbox.before_flush.append(lambda flush: _take_sessions(flush, count))
        for first in range(0, count, BATCH):
            await put(outbox, [record(n) for n in range(first, min(first + BATCH, count))])
    finally:
        await outbox.close()


def _take_sessions(flush: Flush, count: int) -> None:
    last = [record(n) for n in range(max(0, count - DEVICES), count)]
    flush.sessions = [
        Session(r.dev_eui, r.lora.dev_addr, r.lora.fcnt or 0) for r in last if r.dev_eui and r.lora and r.lora.dev_addr
    ]


def copy(count: int, target: Path) -> None:
    """That store for a run of its own. Finished segments are linked: nothing writes to them but scripts' verdicts."""
    source = backlog(count)
    finished = set(sorted((source / "log").glob("*.db"))[:-1])

    def link_or_copy(old: str, new: str) -> None:
        if Path(old) in finished:
            os.link(old, new)
        else:
            shutil.copyfile(old, new)

    shutil.copytree(source, target, copy_function=link_or_copy)
