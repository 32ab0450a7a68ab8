"""Power cuts under load: what was written and not fsynced is gone, and the daemon goes on with the rest."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash.disk import small_disk
from tests.crash.load import BROKER, Load, assert_honest, rounds, sensors, wait_for_all
from tests.e2e.site import Site, mqtt_forwarder, running, subscriber
from tests.peers import mosquitto

DISK_BYTES = 64 << 20
WRITES = """
import os, sys
for name, safe in (("safe", True), ("lost", False)):
    with open(os.path.join(sys.argv[1], name), "wb") as f:
        f.write(b"x" * 5000)
        f.flush()
        if safe:
            os.fsync(f.fileno())
print("written", flush=True)
sys.stdin.read()
"""


def test_the_cut_takes_what_was_not_fsynced(tmp_path: Path) -> None:
    """The proof that the other test can fail."""
    with small_disk(tmp_path, DISK_BYTES) as disk:
        command = [sys.executable, "-c", WRITES, str(disk.path)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"written\n"
            disk.cut_power(writer.pid)
        assert (disk.path / "safe").read_bytes() == b"x" * 5000
        lost = disk.path / "lost"
        assert not lost.exists() or lost.stat().st_size == 0


@pytest.mark.parametrize(
    "cuts",
    [
        pytest.param(4, id="short"),
        pytest.param(rounds(50), marks=[pytest.mark.crash, pytest.mark.timeout(1800)], id="long"),
    ],
)
def test_every_acknowledged_uplink_arrives_unchanged_under_one_id(tmp_path: Path, cuts: int) -> None:
    known = sensors(40)
    with (
        mosquitto(tmp_path, BROKER) as port,
        subscriber(port) as sub,
        small_disk(tmp_path, DISK_BYTES) as disk,
        running(Site(tmp_path, known, mqtt_forwarder(port), store=disk.path / "state")) as site,
    ):

        def cut() -> None:
            process = site.process
            assert process is not None
            assert process.poll() is None
            disk.cut_power(process.pid)
            process.wait()
            site.start()

        async def send() -> Load:
            async with Load(site, known, seed=cuts) as load:
                for n in range(cuts):
                    stop = asyncio.Event()
                    sending = asyncio.get_running_loop().create_task(load.run(stop))
                    await asyncio.sleep(0.05 + n * 0.618 % 1 * 1.5)  # so that a save and a checkpoint are hit, too
                    cutting = asyncio.get_running_loop().create_task(asyncio.to_thread(cut))
                    await asyncio.sleep(0.1)
                    stop.set()
                    await sending
                    await cutting
            return load

        load = asyncio.run(send())
        assert len(load.acked) > cuts * 10
        wait_for_all(load, site, sub)
        assert site.stop() == 0
        assert not list((disk.path / "state").rglob("*corrupt*"))
        assert_honest(sub.bodies, load, known)
        assert os.path.ismount(disk.path)
