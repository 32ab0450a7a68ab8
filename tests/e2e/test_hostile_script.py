"""A script that turns hostile beside a good one and a native codec, through the real daemon: from radio to broker."""

import asyncio
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.site import Air, Site, mqtt_forwarder, running, subscriber, wait_for
from tests.peers import mosquitto
from torhaus.daemon.demo.sensors import Sensor

GOOD = "function decodeUplink(i) { return {data: {sum: i.bytes.reduce(function(a, b) { return a + b; }, 0)}}; }"
HOSTILE = """function decodeUplink(i) {
  var n = 3620 - (i.bytes[14] << 8 | i.bytes[15]);   // the uplink's number, which the simulated battery has
  if (n < 5) return {data: {n: n}};
  switch (n % 5) {
    case 0: while (true);
    case 1: for (var all = [];;) all.push(new Array(1000).fill(1));
    case 2: return {data: {big: "x".repeat(10 * 1024 * 1024)}};
    case 3: return {data: {found: /^(([a-z])+.)+[A-Z]([a-z])+$/.test("a".repeat(100))}};
  }
  return (function deeper() { return 1 + deeper(); })();
}"""
SCRIPTS = "[scripts]\ntime_s = 0.1\n"
ROUNDS = 25
GROWN_MIB = 24


def scripts_mib(daemon: int) -> dict[int, float]:
    """Resident memory of the daemon's script processes."""
    found = {}
    for child in Path(f"/proc/{daemon}/task/{daemon}/children").read_text().split():
        if b"scripts.worker" in Path(f"/proc/{child}/cmdline").read_bytes():
            size = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{child}/status").read_text())
            assert size
            found[int(child)] = int(size[1]) / 1024
    return found


def counters(devices: list[dict[str, Any]], name: str) -> list[int]:
    """Frame counters of one device's messages in order of arrival, each once."""
    return list(dict.fromkeys(b["lora"]["fcnt"] for b in devices if b["device"] == name))


@pytest.mark.timeout(180)
def test_a_script_that_turns_hostile(tmp_path: Path) -> None:
    decoders = tmp_path / "decoders"
    decoders.mkdir()
    (decoders / "good.js").write_text(GOOD)
    (decoders / "hostile.js").write_text(HOSTILE)
    hostile, good, native = sensors = [Sensor(0), Sensor(1), Sensor(2)]
    with mosquitto(tmp_path) as port, subscriber(port) as sub:
        site = Site(tmp_path, sensors, SCRIPTS + mqtt_forwarder(port, 'kinds = ["reading", "frame"]\n'))
        devices = tmp_path / "devices.toml"
        text = devices.read_text()
        for codec in ("hostile.js", "good.js"):
            text = text.replace('codec = "elsys"', f'codec = "{codec}"', 1)
        devices.write_text(text)
        with running(site):
            assert site.process is not None

            async def send(rounds: int) -> None:
                async with Air(site, sensors, gateways=1) as air:
                    for _ in range(rounds):
                        for s in sensors:
                            assert await air.send(0, s)

            asyncio.run(send(5))
            wait_for(lambda: len(set(sub.ids())) >= 5 * len(sensors), "the first rounds")
            before = scripts_mib(site.process.pid)
            asyncio.run(send(ROUNDS - 5))
            wait_for(lambda: len(set(sub.ids())) >= ROUNDS * len(sensors), f"every record: {len(sub.bodies)}", 120)
            after = scripts_mib(site.process.pid)
            pages = site.get("/metrics").decode()

    for sensor in (good, native):
        assert counters(sub.bodies, sensor.name) == list(range(ROUNDS))
        mine = [b for b in sub.bodies if b["device"] == sensor.name]
        assert {b["kind"] for b in mine} == {"reading"}
    for body in sub.bodies:
        if body["device"] == good.name:
            assert body["fields"]["sum"]["value"] == sum(good.payload(body["lora"]["fcnt"]))
    theirs = {b["lora"]["fcnt"]: b for b in sub.bodies if b["device"] == hostile.name}
    assert [theirs[n]["fields"]["n"]["value"] for n in range(5)] == list(range(5))
    refused = [theirs[n] for n in range(5, ROUNDS)]
    assert all(b["kind"] == "frame" and b["raw"] for b in refused)
    assert counters([b for b in sub.bodies if b["kind"] == "frame"], hostile.name) == list(range(5, ROUNDS))
    reasons = Counter(b["reason"] for b in refused)
    assert reasons["script_time"] >= 1
    assert reasons["script_memory"] >= 1
    assert set(reasons) <= {"script_time", "script_memory", "script_result", "script_error", "script_aside"}
    counted = re.findall(
        r'^torhaus_decode_rejects_total\{.*codec="script".*reason="(\w+)"\} (\d+)', pages, re.MULTILINE
    )
    assert {reason: int(float(n)) for reason, n in counted if float(n)} == dict(reasons)
    assert "torhaus_scripts_deaths_total 0" in pages
    assert int(re.findall(r"^torhaus_scripts_sent_away_total (\d+)", pages, re.MULTILINE)[0]) >= 1
    for pid, mib in after.items():
        assert mib - before.get(pid, mib) < GROWN_MIB
