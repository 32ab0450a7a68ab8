"""One frame through several gateways, the real daemon and a real broker: one reading with all receptions."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.e2e.site import Air, Site, mqtt_forwarder, running, subscriber, wait_for
from tests.peers import mosquitto
from torhaus.daemon.demo.sensors import Sensor


@pytest.mark.timeout(120)
def test_what_three_gateways_hear_is_one_reading_also_after_a_kill(tmp_path: Path) -> None:
    known = [Sensor(i) for i in range(3)]
    with (
        mosquitto(tmp_path) as port,
        subscriber(port) as sub,
        running(Site(tmp_path, known, mqtt_forwarder(port))) as site,
    ):

        async def send() -> set[str]:
            async with Air(site, known, gateways=3) as air:
                for gateway in air.gateways:
                    gateway.pull()  # so that it is known that there are several
                await asyncio.sleep(0.2)
                for _ in range(3):
                    for sensor in known:
                        phy = sensor.uplink()
                        acked = await asyncio.gather(*(g.push_acked([phy], 5) for g in air.gateways))
                        assert all(acked), "every gateway has its own acknowledgement"
                return {g.eui for g in air.gateways}

        euis = asyncio.run(send())
        wait_for(lambda: len(sub.bodies) == 9, "readings arrived")
        for body in sub.bodies:
            assert {r["gateway"] for r in body["lora"]["rx"]} == euis
            assert not body["late"]
        assert "torhaus_lora_merged_copies_total 18.0" in site.get("/metrics").decode()
        before = {body["id"]: body for body in sub.bodies}
        site.kill()
        site.start()
        done = site.torhaus("queue", "replay", "--forwarder", "broker", "--since", "1970-01-01")
        assert done.returncode == 0, done.stdout + done.stderr
        wait_for(lambda: len(sub.bodies) >= 18, "all came again")
        exported = [json.loads(line) for line in site.torhaus("queue", "export").stdout.splitlines()]
        for body in (*sub.bodies[9:], *exported):
            first = before[body["id"]]
            assert body["fields"] == first["fields"]
            assert sorted(r["gateway"] for r in body["lora"]["rx"]) == sorted(euis)
