"""Targets of which a fifth of all calls fails in every way, and kill -9 in between: each document arrives once.

What is damaged at the far side under our id is held: a person removes it there and retries.
"""

import asyncio
import contextlib
import hashlib
import random
import shutil
import signal
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.scans_chaos import SERVERS, bench, deliver, scans_of
from tests.daemon.scans_fakes import fake_pdf

REPO = Path(__file__).parents[2]
MANY = [pytest.mark.crash, pytest.mark.timeout(3600)]
DONE = {"verified", "filed"}


async def killed(root: Path, kind: str, server: Any, after: int) -> bool:
    """Run the queue until so many more calls have come, then kill it. Whether it was still at work."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.daemon.scans_chaos", str(root), kind, server.url, cwd=REPO
    )
    limit = len(server.asked) + after
    waiting = asyncio.create_task(child.wait())
    while not waiting.done() and len(server.asked) < limit:
        await asyncio.wait([waiting], timeout=0.005)
    if not waiting.done():
        child.send_signal(signal.SIGKILL)
    return await waiting == -signal.SIGKILL


def done_at_death(root: Path, into: Path) -> set[str]:
    """Hashes of what the store of a killed queue calls done. Of a copy: who opens the store itself mends it."""
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir()
    for path in (root / "state/scans").glob("scans.db*"):
        if not path.name.endswith("-shm"):
            shutil.copy(path, into / path.name)
    with contextlib.closing(sqlite3.connect(into / "scans.db")) as conn:
        return {sha256 for (sha256,) in conn.execute("SELECT sha256 FROM scan WHERE state IN ('verified', 'filed')")}


async def settled(root: Path, server: Any, good: set[bytes]) -> list[str]:
    """What is left is delivered; a person looks after what is held. The hashes of what is done."""
    async with bench(root, server) as b:
        for _ in range(50):
            await deliver(b)
            stored = {hashlib.sha256(data).hexdigest() for data in server.documents()}
            scans = await scans_of(b)
            assert {s.sha256 for s in scans if s.state.value in DONE} <= stored, "said to be verified, and is not there"
            held = [s for s in scans if s.state.value == "held"]
            if not held:
                break
            server.keep_only(good)
            for scan in held:
                await b.queue.retry(scan.id)
        assert (await b.queue.verify_evidence()).faults == []
        return sorted(s.sha256 for s in scans if s.state.value in DONE)


@pytest.mark.parametrize(
    ("kind", "documents", "kills", "calls"),
    [
        ("dvelop", 150, 3, 50), ("paperless", 20, 1, 20), ("s3", 20, 1, 20), ("tus", 20, 1, 20), ("webdav", 20, 1, 20),
        *(pytest.param(kind, 5000, 10_000, 600, marks=MANY) for kind in SERVERS),
    ],
)  # fmt: skip
def test_each_arrives_once(kind: str, documents: int, kills: int, calls: int, tmp_path: Path) -> None:
    """Killed after at most so many calls each time, so often at most; the long ones to the very end."""
    pages = [fake_pdf((n, "x" * 5000)) for n in range(documents)]

    async def go() -> None:
        async with SERVERS[kind](chaos=0.2, seed=documents) as server:
            dice = random.Random(documents)
            (tmp_path / "hot").mkdir()
            for n, page in enumerate(pages):
                (tmp_path / "hot" / f"{n}.pdf").write_bytes(page)
            done_kills = 0
            while done_kills < kills and await killed(tmp_path, kind, server, dice.randint(1, calls)):
                done_kills += 1
                stored = {hashlib.sha256(data).hexdigest() for data in server.documents()}
                assert done_at_death(tmp_path, tmp_path / "copy") <= stored, "said to be verified, and is not there"
            assert done_kills >= min(kills, 20), "done too soon"
            print(f"{kind}: {done_kills} kills, {len(server.asked)} calls until then", flush=True)  # noqa: T201
            done = await settled(tmp_path, server, set(pages))
            assert done == sorted(hashlib.sha256(page).hexdigest() for page in pages)
            assert sorted(server.documents()) == sorted(pages)
            assert server.faults == []
            print(f"{kind}: {documents} documents, {len(server.asked)} calls", flush=True)  # noqa: T201

    asyncio.run(go())
