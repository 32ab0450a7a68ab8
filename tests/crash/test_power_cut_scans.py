"""Power cuts over the life of documents: none is lost, none doubled, and the evidence journal verifies."""

import asyncio
import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.crash.disk import small_disk
from tests.crash.load import rounds
from tests.crash.scans_live import queue_at
from tests.daemon.scans_fakes import fake_pdf, key_file

DISK_BYTES = 64 << 20
PATIENCE_S = 60.0


def put(hot: Path, n: int, size: int) -> str:
    """As a writer does that is sure of its file; the document's SHA-256."""
    data = fake_pdf((n, "x" * size))
    with (hot / f"{n}.pdf").open("wb", buffering=0) as file:
        file.write(data)
        os.fsync(file.fileno())
    fd = os.open(hot, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)
    return hashlib.sha256(data).hexdigest()


def begun(root: Path, keys: tuple[str, ...]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-m", "tests.crash.scans_live", str(root), *keys])


def delivered(root: Path) -> list[str]:
    return sorted(hashlib.sha256(p.read_bytes()).hexdigest() for p in (root / "out").glob("*.pdf"))


def left(root: Path) -> list[str]:
    return [p.name for p in (root / "hot").rglob("*") if p.is_file()]


async def findings(root: Path, keys: tuple[str, ...]) -> tuple[list[str], set[str], list[str], bool]:
    """Hashes and states of all scans, what is wrong with the journal, and whether all blobs are whole."""
    queue = queue_at(root, keys)
    await queue.open()
    try:
        scans = await queue.list(limit=1000)
        whole = [await asyncio.to_thread(queue._spool.intact, scan.sha256) for scan in scans]
        faults = [fault.text for fault in (await queue.verify_evidence()).faults]
        return sorted(s.sha256 for s in scans), {s.state.value for s in scans}, faults, all(whole)
    finally:
        for delivery in queue.deliveries:
            await delivery.close()
        await queue.close()


@pytest.mark.parametrize("mode", ["plain", "sealed"])
@pytest.mark.parametrize(
    "cuts",
    [
        pytest.param(2, id="short"),
        pytest.param(rounds(30), marks=[pytest.mark.crash, pytest.mark.timeout(1800)], id="long"),
    ],
)
def test_every_document_arrives_once(tmp_path: Path, cuts: int, mode: str) -> None:
    keys = (key_file(tmp_path),) if mode == "sealed" else ()
    rng, want = random.Random(cuts), []
    with small_disk(tmp_path, DISK_BYTES) as disk:
        for name in ("hot", "out", "state"):
            (disk.path / name).mkdir()
        os.sync()  # empty folders are no document of anybody's
        for n in range(cuts):
            process = begun(disk.path, keys)
            try:
                until = time.monotonic() + PATIENCE_S
                while not (disk.path / "state/scans/scans.db").exists() and time.monotonic() < until:
                    time.sleep(0.02)  # that it has begun is all that is waited for
                want += [put(disk.path / "hot", 10 * n + k, rng.choice((10, 5_000, 300_000))) for k in range(3)]
                time.sleep(rng.uniform(0.0, 1.2))  # the moment of the cut is what the test is about
            finally:
                disk.cut_power(process.pid)
                process.wait()
        process = begun(disk.path, keys)
        try:
            until = time.monotonic() + PATIENCE_S
            while time.monotonic() < until and (delivered(disk.path) != sorted(want) or left(disk.path)):
                assert process.poll() is None
                time.sleep(0.1)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert delivered(disk.path) == sorted(want)
        assert left(disk.path) == []
        hashes, states, faults, whole = asyncio.run(findings(disk.path, keys))
        assert hashes == sorted(want)
        assert states <= {"verified", "transferred", "routed"}
        assert faults == []
        assert whole
