"""The outbox with few and with many records waiting: cost of put, read and settle; and how soon the daemon is ready."""

import asyncio
import time
from collections.abc import Awaitable
from pathlib import Path

from bench import backlog
from bench.processes import folder
from bench.scenario import BenchError, Figures
from bench.site import Daemon
from torhaus.daemon.forward.cursor import Cursor
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.record import Record, Stored
from torhaus.daemon.outbox.state import Flush
from torhaus.daemon.outbox.store import MAIN, Outbox

SAMPLE = 10_000
"""Records put, read and settled; the small store has as many waiting."""
READ = 512
"""Records read at once: about what a forwarder takes for its backlog."""
FORWARDER = "bench"


def cost(waiting: int) -> Figures:
    """Wall clock and CPU of each step per record, with `waiting` records in the log."""
    with folder() as place:
        backlog.copy(waiting, place / "state")
        return asyncio.run(_cost(place / "state", waiting))


async def _cost(path: Path, waiting: int) -> Figures:
    began = time.perf_counter()
    outbox = await backlog.open_store(path)
    try:
        opened_s = time.perf_counter() - began
        log = outbox.logs[MAIN]
        if log.records != waiting:
            raise BenchError(f"{log.records} records waiting, {waiting} expected")
        cursor = Cursor(Ranges(), log.tail)
        outbox.settled_by[MAIN][FORWARDER] = cursor.settled
        outbox.before_flush.append(lambda flush: _collect(cursor, flush))
        records = [backlog.record(n) for n in range(waiting, waiting + SAMPLE)]
        put_us, put_cpu_us = await _timed(_put(outbox, records))
        read_us, read_cpu_us = await _timed(_read(outbox, log.head))
        settle_us, settle_cpu_us = await _timed(_settle(outbox, cursor, log.head))
        return {
            "cpu_us": put_cpu_us + read_cpu_us + settle_cpu_us,
            "put_us": put_us,
            "read_us": read_us,
            "settle_us": settle_us,
            "put_cpu_us": put_cpu_us,
            "read_cpu_us": read_cpu_us,
            "settle_cpu_us": settle_cpu_us,
            "open_s": opened_s,
        }
    finally:
        await outbox.close()


async def _timed(work: Awaitable[None]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    await work
    return (time.perf_counter() - wall) / SAMPLE * 1e6, (time.process_time() - cpu) / SAMPLE * 1e6


async def _put(outbox: Outbox, records: list[Record]) -> None:
    for n in range(0, SAMPLE, backlog.BATCH):
        await backlog.put(outbox, records[n : n + backlog.BATCH])


async def _read(outbox: Outbox, pos: int) -> None:
    got = 0
    while got < SAMPLE:
        found = await outbox.read(MAIN, pos + got, min(READ, SAMPLE - got))
        if not found or not all(isinstance(r, Stored) for r in found):
            raise BenchError(f"cannot be read at {pos + got}")
        got += len(found)


async def _settle(outbox: Outbox, cursor: Cursor, pos: int) -> None:
    """In batches as a forwarder does, the state on disk after every thousand."""
    for n in range(0, SAMPLE, 250):
        cursor.settle(pos + n, 250)
        if n % 1000 == 750:
            await outbox.save()


def _collect(cursor: Cursor, flush: Flush) -> None:
    if cursor.changed:
        cursor.changed = False
        flush.settled[FORWARDER, MAIN] = list(cursor.settled)


def start_up(waiting: int) -> Figures:
    """The real daemon with that many records waiting for a broker that is not there."""
    with folder() as place:
        store = 'max_bytes = "1024 GiB"\n'
        backlog.copy(waiting, place / "state")
        with Daemon(place, 1000, 1, store=store) as daemon:
            ready_s = daemon.start()
            found = daemon.metric("torhaus_outbox_log_records")
            if found < waiting:
                raise BenchError(f"{found:.0f} records waiting, {waiting} expected")
            time.sleep(2)
            return {"ready_s": ready_s, "waiting": found, "rss_mib": daemon.rss_mib()}
