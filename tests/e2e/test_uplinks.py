"""The main job on real input: UDP in, mosquitto out. Nothing lost, nothing wrong, order kept, whatever happens."""

import asyncio
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.site import Air, Site, keys_of, mqtt_forwarder, running, subscriber, wait_for
from tests.peers import free_port, mosquitto
from torhaus.codecs.registry import load
from torhaus.daemon.demo.sensors import KINDS, Sensor

UPLINKS = 10_000


def sensors(count: int) -> list[Sensor]:
    return [Sensor(i, "elsys" if i % 3 else "cayenne_lpp") for i in range(count)]


def assert_values(bodies: list[dict[str, Any]], known: list[Sensor]) -> None:
    """Every value is what the codec makes of what the sensor measured."""
    by_name = {s.name: s for s in known}
    for body in bodies:
        sensor = by_name[body["device"]]
        payload = sensor.payload(body["lora"]["fcnt"])
        expected = load(sensor.codec)(payload, KINDS[sensor.codec][1])
        got = {name: (f["value"], f.get("unit")) for name, f in body["fields"].items()}
        assert got == {name: (v.value, v.unit) for name, v in expected.items()}


def assert_order(bodies: list[dict[str, Any]]) -> None:
    """Within a lane, each device's counters come in order; repeats (same id) are skipped."""
    seen: set[str] = set()
    lanes: dict[tuple[str, bool], list[int]] = {}
    for body in bodies:
        if body["id"] not in seen:
            seen.add(body["id"])
            lanes.setdefault((body["device"], body["late"]), []).append(body["lora"]["fcnt"])
    for lane, counters in lanes.items():
        assert all(a < b for a, b in pairwise(counters)), lane


def assert_ids(bodies: list[dict[str, Any]]) -> None:
    """One id is one record for life: the same content whenever it comes, and no record has two."""
    by_id: dict[str, tuple[str, int]] = {}
    for body in bodies:
        key = (body["device"], body["lora"]["fcnt"])
        assert by_id.setdefault(body["id"], key) == key
    assert len(set(by_id.values())) == len(by_id)


@pytest.mark.timeout(180)
def test_ten_thousand_uplinks_from_twenty_gateways(tmp_path: Path) -> None:
    known = sensors(200)
    with (
        mosquitto(tmp_path) as port,
        subscriber(port) as sub,
        running(Site(tmp_path, known, mqtt_forwarder(port))) as site,
    ):

        async def send() -> Air:
            async with Air(site, known, gateways=20) as air:

                async def one_gateway(g: int) -> None:
                    mine = [s for i, s in enumerate(known) if i % 20 == g]
                    for n in range(UPLINKS // 20):
                        while not await air.send(g, mine[n % len(mine)]):
                            raise AssertionError("no acknowledgement in 5 s")

                await asyncio.gather(*(one_gateway(g) for g in range(20)))
            return air

        air = asyncio.run(send())
        assert len(air.acked) == UPLINKS
        wait_for(lambda: len(set(sub.ids())) >= UPLINKS, "all arrived")
        assert set(keys_of(sub.bodies)) == air.acked
        assert_values(sub.bodies, known)
        assert_ids(sub.bodies)
        assert_order(sub.bodies)
        assert len(sub.bodies) == UPLINKS  # no repeats either: nothing went wrong
        assert {g["protocol"] for g in site.status()["gateways"].values()} == {"gwmp1", "gwmp2"}
        assert site.stop() == 0


@pytest.mark.timeout(120)
def test_broker_down_at_start_and_for_long(tmp_path: Path) -> None:
    known = sensors(20)
    port = free_port()
    with running(Site(tmp_path, known, mqtt_forwarder(port))) as site:  # ready without a broker

        async def send(rounds: int) -> Air:
            async with Air(site, known, gateways=2) as air:
                for _ in range(rounds):
                    await asyncio.gather(*(air.send(i, s) for i, s in enumerate(known)))
            return air

        first = asyncio.run(send(25))
        assert len(first.acked) == 500
        status = site.status()
        assert status["ready"]
        assert status["forwarders"]["broker"]["backlog"] == 500
        assert not status["forwarders"]["broker"]["up"]
        assert site.stop() == 0
        site.start()  # and after a restart with the whole backlog
        with mosquitto(tmp_path, port=port), subscriber(port) as sub:
            wait_for(lambda: len(set(sub.ids())) >= 500, "the backlog arrived")
            assert set(keys_of(sub.bodies)) == first.acked
            assert all(b["late"] for b in sub.bodies)
            assert_order(sub.bodies)
            wait_for(lambda: site.status()["forwarders"]["broker"]["backlog"] == 0, "settled")
            second = asyncio.run(send(1))
            wait_for(lambda: second.acked <= set(keys_of(sub.bodies)), "live records arrived")
            assert not any(b["late"] for b in sub.bodies if (b["device"], b["lora"]["fcnt"]) in second.acked)


@pytest.mark.timeout(120)
def test_an_idle_forwarder_notices_that_the_broker_went_and_came_back(tmp_path: Path) -> None:
    port = free_port()
    with running(Site(tmp_path, [], mqtt_forwarder(port))) as site:
        for _ in range(2):
            with mosquitto(tmp_path, port=port):
                wait_for(lambda: site.status()["forwarders"]["broker"]["up"], "connected without a record to send")
            wait_for(lambda: not site.status()["forwarders"]["broker"]["up"], "the loss was noticed")
        assert "forwarder=broker" in site.log()


@pytest.mark.timeout(120)
def test_counters_survive_a_kill_and_a_replay_is_refused(tmp_path: Path) -> None:
    known = sensors(3)
    with (
        mosquitto(tmp_path) as port,
        subscriber(port) as sub,
        running(Site(tmp_path, known, mqtt_forwarder(port))) as site,
    ):
        replay = [s.uplink() for s in known]  # counter 0

        async def send() -> None:
            async with Air(site, known, gateways=1) as air:
                assert await air.gateways[0].push_acked(replay, 5)
                for _ in range(5):
                    assert all([await air.send(0, s) for s in known])
                await asyncio.to_thread(site.kill)
                await asyncio.to_thread(site.start)
                assert await air.gateways[0].push_acked(replay, 5)  # stored, since acknowledged, but never a reading

        asyncio.run(send())
        wait_for(lambda: len(set(sub.ids())) >= 18, "all arrived")
        wait_for(lambda: site.status()["rejects"].get("replay") == 3, "the replay was refused")
        assert sorted(set(keys_of(sub.bodies))) == sorted((s.name, n) for s in known for n in range(6))
