"""What a record costs an SD card: `python -m bench.wear`. The outbox alone, on a real disk, in real time.

For each rate: records as the elsys codec makes them, one forwarder that has everything at once, the state saved every
`--state-interval` seconds. Compared are what torhaus counts itself and what the kernel counts for this process
(write_bytes in /proc/self/io). The file system's own journal is in neither.
"""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from torhaus.codecs.model import Reception, Value
from torhaus.daemon.clock import SystemClock
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.record import Lora, Record
from torhaus.daemon.outbox.state import Flush
from torhaus.daemon.outbox.store import MAIN, Limits, Outbox, Reporter

RATES: Final = {1.0: 120, 75.0: 60, 10_000.0: 20}
"""Records a second, and for how many seconds."""
YEAR_S: Final = 365 * 86_400


def record(n: int) -> Record:
    """An uplink of a room sensor: about 300 bytes in the log."""
    fields = {
        "temperature": Value(20 + n % 50 / 10, "Cel"),
        "humidity": Value(40 + n % 30, "%RH"),
        "co2": Value(400 + n % 900, "[ppm]"),
        "light": Value(n % 500, "lx"),
    }
    rx = [Reception("aa555a0000000101", -97, 7.5)]
    lora = Lora(868_100_000, "LORA", "SF7BW125", "4/5", 5, "01020304", n, 5, rx=rx)
    return Record("reading", "radio", f"room-{n % 200}", "a81758fffe0312ab", "elsys", fields, lora=lora, raw=bytes(30))


def kernel_bytes() -> int:
    """What the kernel says that this process has had written."""
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("write_bytes")))


async def measure(place: Path, rate: float, seconds: float, limits: Limits) -> dict[str, Any]:
    """Run at a rate; figures per record and for a year."""
    clock = SystemClock()
    box = Outbox(place, "bench", clock, limits, Reporter())
    await box.open()
    settled = box.settled_by[MAIN]["far"] = Ranges()
    box.scanned_to = 1 << 62

    def collect(flush: Flush) -> None:
        if settled.count(0, box.logs[MAIN].tail) < box.logs[MAIN].tail:
            settled.add(0, box.logs[MAIN].tail)
            flush.settled["far", MAIN] = list(settled)

    box.before_flush.append(collect)
    running = asyncio.ensure_future(box.run())
    await asyncio.sleep(1.5)
    began, told, kernel = time.monotonic(), sum(box.written().values()), kernel_bytes()
    commits, done = box.logs[MAIN].commits, 0
    while (now := time.monotonic() - began) < seconds:
        due = int(now * rate) + 1 - done
        if due > 0:
            box.put(MAIN, [(clock.stamp(), record(done + i)) for i in range(due)], 300 * due)
            box.commit(None)
            done += due
        await asyncio.sleep(max(0.002, done / rate - (time.monotonic() - began)) if rate < 500 else 0.002)
    commits = box.logs[MAIN].commits - commits
    running.cancel()
    parts = box.written()
    await box.close()
    told, kernel = sum(box.written().values()) - told, kernel_bytes() - kernel
    return {
        "rate_per_s": rate,
        "records": done,
        "commits": commits,
        "told_bytes_per_record": round(told / done),
        "kernel_bytes_per_record": round(kernel / done),
        "told_share_of_kernel": round(told / kernel, 3) if kernel else None,
        "state_share": round(parts["state"] / sum(parts.values()), 2),
        "gb_per_year": round(told / seconds * YEAR_S / 1e9, 1),
    }


def main() -> None:
    """A line of JSON for each rate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", type=Path, default=Path.cwd(), help="where to write: a real disk")
    parser.add_argument("--window", type=float, default=0.02, help="store.commit_window_s")
    parser.add_argument("--state-interval", type=float, default=1.0, help="store.state_interval_s")
    parser.add_argument("--rate", type=float, action="append", help="only this rate")
    options = parser.parse_args()
    limits = Limits(commit_window_s=options.window, state_interval_s=options.state_interval)
    for rate in options.rate or RATES:
        place = Path(tempfile.mkdtemp(prefix="torhaus-wear-", dir=options.dir))
        try:
            found = asyncio.run(measure(place, rate, RATES.get(rate, 60), limits))
        finally:
            shutil.rmtree(place)
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
