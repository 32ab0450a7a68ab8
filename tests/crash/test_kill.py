"""kill -9 at random moments under load: the real process, a real broker, simulated gateways."""

import asyncio
from pathlib import Path

import pytest

from tests.crash.load import BROKER, Load, assert_honest, rounds, sensors, wait_for_all
from tests.e2e.site import Site, mqtt_forwarder, running, subscriber
from tests.peers import mosquitto

MOMENTS = (0.0, 0.4)
"""When it is killed: seconds after it was ready."""


@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(15, marks=pytest.mark.timeout(600), id="short"),
        pytest.param(rounds(200), marks=[pytest.mark.crash, pytest.mark.timeout(3600)], id="long"),
    ],
)
def test_every_acknowledged_uplink_arrives_unchanged_under_one_id(tmp_path: Path, kills: int) -> None:
    known = sensors(40)
    with (
        mosquitto(tmp_path, BROKER) as port,
        subscriber(port) as sub,
        running(Site(tmp_path, known, mqtt_forwarder(port))) as site,
    ):

        async def send() -> Load:
            async with Load(site, known, seed=kills) as load:
                for n in range(kills):
                    stop = asyncio.Event()
                    sending = asyncio.get_running_loop().create_task(load.run(stop))
                    await asyncio.sleep(MOMENTS[0] + (MOMENTS[1] - MOMENTS[0]) * (n * 0.618 % 1))
                    await asyncio.to_thread(site.kill)
                    stop.set()
                    await sending
                    await asyncio.to_thread(site.start)
            return load

        load = asyncio.run(send())
        assert len(load.acked) > kills * 10
        wait_for_all(load, site, sub)
        assert site.stop() == 0
        assert_honest(sub.bodies, load, known)
