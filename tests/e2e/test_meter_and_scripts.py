"""A meter behind a pseudo-terminal, and devices whose decoder is a script: through the real daemon."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.e2e.site import Air, Site, mqtt_forwarder, running, subscriber, wait_for
from tests.peers import mosquitto
from torhaus.daemon.demo.meter import SimulatedMeter
from torhaus.daemon.demo.sensors import Sensor

GOOD = """function decodeUplink(i) {
  return {data: {sum: i.bytes.reduce(function(a, b) { return a + b; }, 0), port: i.fPort}};
}"""
BAD = {
    "throws.js": ("function decodeUplink(i) { throw new Error('no'); }", "script_error"),
    "hangs.js": ("function decodeUplink(i) { while (true) {} }", "script_time"),
    "grows.js": (
        "function decodeUplink(i) { var a = []; while (true) a.push(new Array(1000).fill(1)); }",
        "script_memory",
    ),
    "nothing.js": ("function decodeUplink(i) { return 7; }", "script_result"),
}


def test_meter_on_a_pseudo_terminal(tmp_path: Path) -> None:
    meter = SimulatedMeter()
    more = f'[[driver]]\nname = "meter"\ntype = "sml"\nlink = "serial://{meter.path}?exclusive=0"\ndevice = "main"\n'
    device = '[[device]]\nname = "main"\ncodec = "sml"\n'
    try:
        with (
            mosquitto(tmp_path) as port,
            subscriber(port) as sub,
            running(Site(tmp_path, [], more + mqtt_forwarder(port), device)) as site,
        ):
            wait_for(lambda: site.status()["drivers"]["meter"]["up"], "the meter's link is up")

            def arrived() -> bool:
                meter.tick(1.0)
                return len(sub.bodies) >= 3

            wait_for(arrived, "three readings")
            body = sub.bodies[0]
            assert body["device"] == "main"
            assert body["codec"] == "sml"
            assert body["fields"]["1-0:1.8.0*255"]["unit"] == "W.h"
            assert body["fields"]["1-0:16.7.0*255"]["unit"] == "W"
            assert sub.topics[0] == "torhaus/test/main/reading"
    finally:
        meter.close()


@pytest.mark.timeout(120)
def test_scripts_decode_and_their_faults_stay_theirs(tmp_path: Path) -> None:
    decoders = tmp_path / "decoders"
    decoders.mkdir()
    (decoders / "good.js").write_text(GOOD)
    for name, (text, _) in BAD.items():
        (decoders / name).write_text(text)
    sensors = [Sensor(i) for i in range(1 + len(BAD))]
    devices = tmp_path / "devices.toml"
    with mosquitto(tmp_path) as port, subscriber(port) as sub:
        site = Site(tmp_path, sensors, mqtt_forwarder(port, 'kinds = ["reading", "frame"]\n'))
        text = devices.read_text()
        for codec in ["good.js", *BAD]:
            text = text.replace('codec = "elsys"', f'codec = "{codec}"', 1)
        devices.write_text(text)
        with running(site):

            async def send(rounds: int) -> None:
                async with Air(site, sensors, gateways=1) as air:
                    for _ in range(rounds):
                        for s in sensors:
                            assert await air.send(0, s)

            asyncio.run(send(3))
            wait_for(lambda: len(set(sub.ids())) >= 15, f"every record arrived: {sub.bodies}", 60)
            for body in sub.bodies:
                number = int(body["device"].removeprefix("sensor-"))
                if number == 0:
                    assert body["kind"] == "reading"
                    assert body["fields"]["sum"]["value"] == sum(sensors[0].payload(body["lora"]["fcnt"]))
                    assert body["fields"]["port"]["value"] == 5
                else:
                    assert body["kind"] == "frame"
                    assert body["reason"] == list(BAD.values())[number - 1][1]
                    assert body["raw"]
            decoded = site.torhaus("decode", "--codec", str(decoders / "good.js"), "--fport", "9", "010203")
            assert json.loads(decoded.stdout) == {"sum": {"value": 6}, "port": {"value": 9}}
