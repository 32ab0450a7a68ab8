"""An fsync that fails: nothing is acknowledged by it, what was is safe, and nothing is built on what it left behind."""

import asyncio
import subprocess
from pathlib import Path

import pytest

from tests.crash.disk import small_disk
from tests.crash.load import BROKER, Load, assert_honest, rounds, sensors, wait_for_all
from tests.e2e.site import Site, mqtt_forwarder, running, subscriber, wait_for
from tests.peers import mosquitto, program

DISK_BYTES = 64 << 20


@pytest.fixture
def shim(tmp_path: Path) -> Path:
    """The library that is put between the daemon and its disk."""
    library = tmp_path / "shim.so"
    source = Path(__file__).with_name("shim.c")
    subprocess.run([program("gcc"), "-shared", "-fPIC", "-O2", "-o", library, source, "-ldl"], check=True)
    return library


@pytest.mark.parametrize(
    "times",
    [
        pytest.param(2, id="short"),
        pytest.param(rounds(30), marks=[pytest.mark.crash, pytest.mark.timeout(1800)], id="long"),
    ],
)
@pytest.mark.parametrize("part", ["/log/", "/state.db"])
def test_nothing_is_acknowledged_by_it_and_all_goes_on(tmp_path: Path, shim: Path, part: str, times: int) -> None:
    """Fails for a while, heals; every other time the daemon is killed before it has healed, then the power fails."""
    known = sensors(40)
    bad = tmp_path / "bad"
    with (
        mosquitto(tmp_path, BROKER) as port,
        subscriber(port) as sub,
        small_disk(tmp_path, DISK_BYTES) as disk,
        running(Site(tmp_path, known, mqtt_forwarder(port), store=disk.path / "state"), start=False) as site,
    ):
        site.environment = {"LD_PRELOAD": str(shim), "SHIM_PATH": part, "SHIM_WHEN": str(bad)}
        site.start()

        async def all_good(load: Load) -> None:
            while not await load.push(0, known[:1], 0.5):
                pass

        async def send() -> Load:
            async with Load(site, known, seed=times) as load:
                for n in range(times):
                    stop = asyncio.Event()
                    sending = asyncio.get_running_loop().create_task(load.run(stop))
                    await asyncio.sleep(0.3)
                    bad.touch()
                    await asyncio.sleep(0.3)  # what was under way has been answered, or never will be
                    before = len(load.acked)
                    await asyncio.sleep(1.2)
                    assert part != "/log/" or len(load.acked) == before, "acknowledged, and it could not be flushed"
                    if n % 2:
                        await asyncio.to_thread(site.kill)
                        bad.unlink()
                        await asyncio.to_thread(site.start)
                        await asyncio.sleep(0.2)
                        assert site.process is not None
                        await asyncio.to_thread(disk.cut_power, site.process.pid)
                        site.process.wait()
                        stop.set()
                        await sending
                        await asyncio.to_thread(site.start)
                    else:
                        wait_for(lambda: not site.ready(), "it says that it cannot write")
                        bad.unlink()
                        await all_good(load)
                        stop.set()
                        await sending
                    await asyncio.to_thread(wait_for, site.ready, "ready again")
            return load

        load = asyncio.run(send())
        wait_for_all(load, site, sub)
        assert site.stop() == 0
        assert not list((disk.path / "state").rglob("*corrupt*"))
        assert_honest(sub.bodies, load, known)
