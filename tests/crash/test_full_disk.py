"""A small real file system fills up under load: nothing acknowledged is lost, and all goes on when there is room."""

import asyncio
import contextlib
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.disk import fill, free_bytes, memory_disk, small_disk
from tests.crash.load import BROKER, Load, assert_honest, rounds, sensors, wait_for_all
from tests.e2e.site import Site, mqtt_forwarder, running, subscriber, wait_for
from tests.peers import free_port, mosquitto

DISK_BYTES = 24 << 20
LEFT_BYTES = 6 << 20
"""What is left for records, once the daemon is there and has its reserve."""
LIMITS = "max_bytes = 16777216\n"
"""So that segments are of 2 MB, and some are closed when the disk is full."""


@pytest.fixture(params=["tmpfs", pytest.param("ext4", marks=pytest.mark.crash)])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system of that kind."""
    with contextlib.ExitStack() as stack:
        if request.param == "tmpfs":
            yield stack.enter_context(memory_disk(tmp_path, DISK_BYTES))
        else:
            yield stack.enter_context(small_disk(tmp_path, DISK_BYTES)).path


def why_not_ready(site: Site) -> str:
    """What /readyz says; empty when it is ready."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{site.http}/readyz", timeout=5):
            return ""
    except urllib.error.HTTPError as e:
        return str(e.read().decode())


async def load_until_full(site: Site, load: Load) -> None:
    """Send until nothing is acknowledged any more."""
    stop = asyncio.Event()
    sending = asyncio.get_running_loop().create_task(load.run(stop, timeout_s=1.0))
    await asyncio.to_thread(wait_for, lambda: "no room" in why_not_ready(site), "it says that it is full")
    before = len(load.acked)
    await asyncio.sleep(1.5)
    assert len(load.acked) <= before + 20, "taken in, with no room"  # answers that were on their way
    stop.set()
    await sending


@pytest.mark.parametrize(
    "times",
    [
        pytest.param(1, id="short"),
        pytest.param(rounds(5), marks=[pytest.mark.crash, pytest.mark.timeout(1800)], id="long"),
    ],
)
def test_nothing_acknowledged_is_lost_and_it_recovers_by_itself(tmp_path: Path, folder: Path, times: int) -> None:
    known = sensors(200)
    port = free_port()
    with (
        running(Site(tmp_path, known, mqtt_forwarder(port), store=folder / "state", limits=LIMITS)) as site,
        subscriber(port, wait=False) as sub,
    ):
        process = site.process

        async def send() -> Load:
            async with Load(site, known, gateways=8, frames=25, seed=times) as load:
                for n in range(times):
                    filler = fill(folder, LEFT_BYTES)
                    await load_until_full(site, load)
                    fill(folder)
                    with mosquitto(tmp_path, BROKER, port=port):
                        await asyncio.to_thread(wait_for_all, load, site, sub, "drained while the disk is full")
                        filler.unlink()
                        await asyncio.to_thread(wait_for, site.ready, "ready again by itself")
                        while not await load.push(n % 8, known[n % 8 :: 8], 1.0):
                            pass
                        await asyncio.to_thread(wait_for_all, load, site, sub, "new ones arrive")
            return load

        load = asyncio.run(send())
        assert len(load.acked) > 1000 * times
        assert site.process is process
        assert site.stop() == 0
        assert_honest(sub.bodies, load, known, in_order=False)


def test_it_starts_on_a_full_disk_and_sends_what_is_there(tmp_path: Path, folder: Path) -> None:
    known = sensors(20)
    port = free_port()
    with running(Site(tmp_path, known, mqtt_forwarder(port), store=folder / "state", limits=LIMITS)) as site:

        async def send() -> Load:
            async with Load(site, known, gateways=1) as load:
                for _ in range(20):
                    assert await load.push(0, known, 5.0)
            return load

        load = asyncio.run(send())
        assert site.stop() == 0
        filler = fill(folder)
        assert free_bytes(folder) < 1 << 16
        site.start(wait=False)
        with mosquitto(tmp_path, BROKER, port=port), subscriber(port) as sub:
            wait_for_all(load, site, sub, "sent from a full disk")
            assert not site.ready()
            assert "no room" in why_not_ready(site)
            filler.unlink()
            wait_for(site.ready, "ready by itself")
            assert site.stop() == 0
            assert_honest(sub.bodies, load, known)


def test_without_even_a_reserve_it_waits_for_room(tmp_path: Path, folder: Path) -> None:
    with running(Site(tmp_path, [], "", store=folder / "state")) as site:
        assert site.stop() == 0
        (folder / "state/reserve").unlink()
        filler = fill(folder)
        site.start(wait=False)
        wait_for(lambda: "no room on the disk" in site.log(), "it says so")
        assert site.process is not None
        assert site.process.poll() is None
        filler.unlink()
        wait_for(site.ready, "ready by itself")
        assert site.stop() == 0
