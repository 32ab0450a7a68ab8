"""A whole town: 500 devices whose power comes back at once, and a day of 2,000 with losses and attacks.

The first is there with the time by hand and in real time before the real process, by both kinds of gateways.
"""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.crash.test_kill_joined import until_all
from tests.daemon.test_lora_town import VERSIONS, day, power_cut
from tests.e2e.site import Site, running
from tests.peers import free_port
from torhaus.daemon.clock import SystemClock
from torhaus.daemon.simulate.identity import identities
from torhaus.daemon.simulate.model import Habits
from torhaus.daemon.simulate.run import Plan, Simulation

pytestmark = [pytest.mark.crash, pytest.mark.timeout(3600)]


def test_500_devices_join_within_the_back_off() -> None:
    power_cut(500, 5)


def test_a_day_of_2000_devices() -> None:
    scene = day(2000, 5, 24.0, period_s=900.0, confirmed_every=10)
    assert len(scene.heard) > 150_000


def test_500_devices_before_the_real_process(tmp_path: Path) -> None:
    known, stations = tuple(identities(500, VERSIONS, 1)), free_port()
    more = f'[[driver]]\nname = "stations"\ntype = "basics_station"\nlisten = "127.0.0.1:{stations}"\n'
    more += f'[[forwarder]]\nname = "archive"\ntype = "file"\npath = "{tmp_path}/out.jsonl"\n'
    limits = '[lorawan]\nmode = "standalone"\n'
    site = Site(tmp_path, [], more, devices="".join(one.config() for one in known), limits=limits)
    (tmp_path / "devices.keys.toml").write_text("".join(one.key_table() for one in known))

    async def go() -> Simulation:
        to = (f"udp://127.0.0.1:{site.udp}", f"ws://127.0.0.1:{stations}")
        habits = Habits(period_s=60.0, confirmed_every=1, spread_s=60.0)
        it = Simulation(Plan(known=known, to=to, gateways=5, habits=habits, radius_km=1.0), SystemClock())
        task = asyncio.create_task(it.run())
        await until_all(lambda: all(d.is_joined for d in it.town.devices), 1800.0)
        task.cancel()
        await asyncio.wait([task])
        return it

    with running(site):
        it = asyncio.run(go())
        assert site.stop() == 0
    sys.stdout.write("\n".join(("", *it.summary(), "")))
    counts = it.town.counts()
    assert counts["reused_counters"] == 0
    assert it.missed()["TOO_LATE"] <= 0.001 * len(it.took_us)
