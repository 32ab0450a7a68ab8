"""Child of test_scans_crash.py: kills a scan queue at every step it takes on the disk, in the store and on the network.

    python -m tests.daemon.scans_crash ROOT folder|URL FIRST LAST EVERY

For every EVERY-th n from FIRST to LAST a process is forked whose ScanQueue dies (SIGKILL) just before its n-th step;
then another one is started and killed at another step, and a third finishes the work. One JSON line per n says what
was found; "end" says that the work has fewer than n steps.
"""

import asyncio
import hashlib
import json
import os
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.daemon.scans_fakes import Bench, FaultyDisk, fake_pdf
from torhaus.daemon.scans.targets.http import Config, Http

FILES = 3


class Death:
    """Counts steps, and kills this process before the n-th."""

    def __init__(self, at: int) -> None:
        self.left = at

    def step(self, *_: object) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def bench(root: Path, url: str) -> Bench:
    target = Config("central", url) if url else None
    disk = FaultyDisk()
    return Bench(root, target, disk=disk)


def mortal(b: Bench, death: Death) -> None:
    """Let every change of disk, store or far side be a step. Before and after a commit are two."""
    assert isinstance(b.disk, FaultyDisk)
    b.disk.fault = death.step
    real_commit = b.queue._db._commit

    def commit(conn: sqlite3.Connection) -> None:
        death.step()
        real_commit(conn)
        death.step()

    b.queue._db._commit = commit  # type: ignore[method-assign]
    for delivery in b.queue.deliveries:
        target = delivery._target
        if isinstance(target, Http):
            target.send = around(target.send, death)  # type: ignore[method-assign]
            target.stored = around(target.stored, death)  # type: ignore[method-assign]


def around(call: Callable[..., Any], death: Death) -> Callable[..., Any]:
    async def counted(*arguments: Any) -> Any:
        death.step()
        result = await call(*arguments)
        death.step()
        return result

    return counted


async def work(b: Bench, death: Death | None) -> None:
    if death is not None:
        mortal(b, death)
    async with b:
        for _ in range(3):
            await b.look()
            await b.deliver()
            await b.queue.record_head()
            b.clock.pass_s(700)


def in_child(job: Callable[[], Any]) -> int:
    for thread in threading.enumerate():  # of the store that was just closed: its locks would stay locked in the child
        if thread is not threading.main_thread():
            thread.join()
    for _ in range(5000):  # joined is not gone: what a library does at a thread's end has locks, too
        if len(list(Path("/proc/self/task").iterdir())) == 1:
            break
        time.sleep(0.001)
    pid = os.fork()
    if pid == 0:
        try:
            job()
            os._exit(0)
        except BaseException as error:  # noqa: BLE001 - told to the parent by the exit code
            print(repr(error), file=sys.stderr)  # noqa: T201
            os._exit(1)
    _pid, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


async def findings(root: Path, url: str) -> dict[str, Any]:
    b = bench(root, url)
    async with b:
        scans = await b.queue.list()
        intact = [await asyncio.to_thread(b.queue._spool.intact, scan.sha256) for scan in scans]
        return {
            "intact": all(intact),
            "states": sorted(scan.state.value for scan in scans),
            "hashes": sorted(scan.sha256 for scan in scans),
            "ids": sorted(scan.id for scan in scans),
            "faults": [fault.what for fault in (await b.queue.verify_evidence()).faults],
            **files(b),
        }


def files(b: Bench) -> dict[str, Any]:
    return {
        "sources": sorted(path.name for path in b.hot.rglob("*") if path.is_file()),
        "spool": sorted(path.name for path in b.root.glob("state/scans/blobs/*/*")),
        "drafts": len(list(b.root.glob("state/scans/tmp/*"))),
        "out": sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in b.out.iterdir()),
    }


def one(root: Path, url: str, n: int) -> dict[str, Any]:
    root.mkdir()
    made = bench(root, url)
    for k in range(FILES):
        made.put(f"{k}.pdf", fake_pdf((n, k)))
    died = in_child(lambda: asyncio.run(work(bench(root, url), Death(n))))
    if died == 0:
        return {"n": n, "end": True}
    in_child(lambda: asyncio.run(work(bench(root, url), Death(n * 7 % 60 + 1))))  # and once more while it recovers
    finished = in_child(lambda: asyncio.run(work(bench(root, url), None)))
    want = sorted(hashlib.sha256(fake_pdf((n, k))).hexdigest() for k in range(FILES))
    return {"n": n, "died": died, "finished": finished, "want": want, **asyncio.run(findings(root, url))}


def main(arguments: list[str]) -> None:
    root, url, (first, last, every) = Path(arguments[0]), arguments[1], map(int, arguments[2:])
    for n in range(first, last + 1, every):
        found = one(root / str(n), url if url != "folder" else "", n)
        print(json.dumps(found), flush=True)  # noqa: T201
        if "end" in found:
            return


if __name__ == "__main__":
    main(sys.argv[1:])
