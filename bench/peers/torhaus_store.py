"""The outbox put to the tests of thingsboard_store.py: throughput, accept until killed, count.

throughput DIR COUNT    put, until every record is on disk; then read and settle, until all is settled and saved
accept DIR PER_S        put until killed; says how many have been accepted, which is: are on disk
count DIR               how many records are in the log
"""

import asyncio
import json
import sys
import time
from functools import partial
from pathlib import Path

from bench import backlog
from torhaus.daemon.forward.cursor import Cursor
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.record import Record, Stored
from torhaus.daemon.outbox.state import Flush
from torhaus.daemon.outbox.store import MAIN

FORWARDER = "bench"
PACK = 1000
"""Records read at once, as the other one does by default."""


async def throughput(path: Path, count: int) -> None:
    outbox = await backlog.open_store(path)
    records = [backlog.record(n) for n in range(count)]
    began, cpu = time.monotonic(), time.process_time()
    for n in range(0, count, backlog.BATCH):
        await backlog.put(outbox, records[n : n + backlog.BATCH])
    stored = time.monotonic()
    cursor = Cursor(Ranges(), outbox.logs[MAIN].tail)
    outbox.settled_by[MAIN][FORWARDER] = cursor.settled
    outbox.before_flush.append(lambda flush: _collect(cursor, flush))
    taken = pos = 0
    while pos < count:
        found = await outbox.read(MAIN, pos, PACK)
        if not found or not all(isinstance(r, Stored) for r in found):
            raise SystemExit("cannot be read")
        cursor.settle(pos, len(found))
        pos += len(found)
        taken += len(found)
        await outbox.save()  # once a second in the daemon; here after each batch, as the other one does
    last = time.monotonic()
    say(
        stored_per_s=count / (stored - began),
        drained_per_s=taken / (last - stored),
        taken=taken,
        cpu_us=(time.process_time() - cpu) / count * 1e6,
    )
    await outbox.close()


def _collect(cursor: Cursor, flush: Flush) -> None:
    flush.settled[FORWARDER, MAIN] = list(cursor.settled)


async def accept(path: Path, per_s: float) -> None:
    outbox = await backlog.open_store(path)
    loop = asyncio.get_running_loop()
    accepted = n = 0

    def done(count: int, is_stored: bool) -> None:
        nonlocal accepted
        accepted += count if is_stored else 0
        print(accepted, flush=True)

    began = loop.time()
    while True:
        due: list[Record] = []
        while n < (loop.time() - began) * per_s:
            due.append(backlog.record(n))
            n += 1
        if due:
            now = outbox.clock.stamp()
            outbox.put(MAIN, [(now, r) for r in due], 550 * len(due))
            outbox.commit(partial(done, len(due)))
        await asyncio.sleep(0.001)


async def count_records(path: Path) -> None:
    outbox = await backlog.open_store(path)
    say(rows=outbox.logs[MAIN].records)
    await outbox.close()


def say(**figures: float) -> None:
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    command, place, *numbers = sys.argv[1:]
    if command == "throughput":
        asyncio.run(throughput(Path(place), int(numbers[0])))
    elif command == "accept":
        asyncio.run(accept(Path(place), float(numbers[0])))
    else:
        asyncio.run(count_records(Path(place)))
