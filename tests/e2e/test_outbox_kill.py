"""A writer that is killed at any moment: what it acknowledged is there, once, in order, under its id."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from torhaus.codecs.model import Value
from torhaus.daemon.clock import SystemClock
from torhaus.daemon.outbox.record import Record, Stored
from torhaus.daemon.outbox.store import MAIN, STRANGERS, Limits, Outbox, Reporter

KILLS = 20
SEGMENT_BYTES = 60_000
ROOT = Path(__file__).parents[2]


def tell(batch: list[Stored]) -> None:
    """One write for a whole batch, so that it is told altogether or not at all."""
    os.write(1, (" ".join(f"{s.store}/{s.seq}/{s.record.device}" for s in batch) + "\n").encode())


async def write_for_ever(folder: Path, start: int) -> None:
    """Put batches and print a line for every one that is acknowledged."""
    box = Outbox(folder, "rathaus", SystemClock(), Limits(commit_window_s=0), Reporter())
    await box.open()
    box.subscribe(MAIN, tell)
    saving = asyncio.create_task(box.run())
    n = start
    while not saving.done():
        answer = asyncio.get_running_loop().create_future()
        records = [
            (box.clock.stamp(), Record("reading", "gw", str(i), fields={"n": Value(i)}, raw=bytes(200)))
            for i in range(n, n + 1 + n % 7)
        ]
        n += len(records)
        box.logs[MAIN].segment_bytes = SEGMENT_BYTES  # so that it is killed while segments are begun, too
        box.put(MAIN, records, 1000)
        if n % 3 == 0:
            box.put(STRANGERS, [(box.clock.stamp(), Record("frame", "gw", raw=b"x"))], 100)
        box.commit(answer.set_result)
        assert await answer


async def read_back(folder: Path) -> tuple[list[Stored], Outbox]:
    box = Outbox(folder, "rathaus", SystemClock(), Limits(), Reporter())
    await box.open()
    out: list[Stored] = []
    pos = box.logs[MAIN].head
    while found := await box.read(MAIN, pos, 10_000):
        out += [s for s in found if isinstance(s, Stored)]
        assert len(out) == found[-1].pos + 1, "damaged, or a gap"
        pos = found[-1].pos + 1
    await box.close()
    return out, box


@pytest.mark.timeout(120)
def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    rand = random.Random()
    acknowledged: list[str] = []
    for _ in range(KILLS):
        env = os.environ | {"PYTHONPATH": str(ROOT)}
        command = [sys.executable, __file__, str(tmp_path), str(len(acknowledged) * 1000)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=env, text=True) as writer:
            assert writer.stdout is not None
            lines = [writer.stdout.readline()]
            time.sleep(rand.uniform(0, 0.25))
            writer.send_signal(signal.SIGKILL)
            lines += writer.stdout.read().split("\n")
        if not lines[-1]:
            lines.pop()
        acknowledged += [word for line in lines for word in line.split() if word.count("/") == 2]
    stored, box = asyncio.run(read_back(tmp_path))
    assert not box.set_aside
    ids = [f"{s.store}/{s.seq}/{s.record.device}" for s in stored]
    assert len(set(ids)) == len(ids)
    assert [s.seq for s in stored] == list(range(len(stored)))
    present = iter(ids)
    assert all(one in present for one in acknowledged), "lost, or out of order"
    assert all(s.record.fields == {"n": Value(int(s.record.device or ""))} for s in stored)
    assert len(box.logs[MAIN].segments) > 1


if __name__ == "__main__":
    asyncio.run(write_for_ever(Path(sys.argv[1]), int(sys.argv[2])))
