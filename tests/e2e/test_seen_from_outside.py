"""Metrics, health and the command line of a running daemon, as their users see them."""

import asyncio
import json
import subprocess
from pathlib import Path

from tests.e2e.site import Air, Site, mqtt_forwarder, running, subscriber, wait_for
from tests.peers import mosquitto, program
from torhaus.daemon.demo.sensors import Sensor


def test_metrics_health_and_commands(tmp_path: Path) -> None:
    promtool = program("promtool")
    known = [Sensor(i) for i in range(3)]
    archive = f'[[forwarder]]\nname = "archive"\ntype = "file"\npath = "{tmp_path}/out.jsonl"\n'
    with (
        mosquitto(tmp_path) as port,
        subscriber(port) as sub,
        running(Site(tmp_path, known, mqtt_forwarder(port) + archive)) as site,
    ):

        async def send() -> None:
            async with Air(site, known, gateways=2) as air:
                for i, s in enumerate(known):
                    assert await air.send(i, s)

        asyncio.run(send())
        wait_for(lambda: len(sub.bodies) == 3, "readings arrived")
        metrics = site.get("/metrics").decode()
        checked = subprocess.run(
            [promtool, "check", "metrics"], input=metrics, capture_output=True, text=True, check=False
        )
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert checked.stdout + checked.stderr == ""
        assert 'torhaus_driver_frames_total{driver="radio"} 3.0' in metrics
        assert 'torhaus_forwarder_accepted_records_total{forwarder="broker"} 3.0' in metrics
        assert site.get("/livez") == b"ok\n"
        status = site.torhaus("status")
        assert status.returncode == 0
        assert "ready" in status.stdout
        assert "broker" in status.stdout
        assert json.loads(site.torhaus("status", "--json").stdout)["site"] == "test"
        assert "archive" in site.torhaus("queue").stdout
        assert json.loads(site.torhaus("queue", "dead-letters", "list", "--json").stdout) == []
        assert site.torhaus("queue", "dead-letters", "drop", "7").returncode == 64
        assert "is sound" in site.torhaus("doctor").stdout
        wait_for(lambda: len((tmp_path / "out.jsonl").read_text().splitlines()) == 3, "the file has them")
        lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
        assert {line["id"] for line in lines} == set(sub.ids())
        assert site.stop() == 0
        down = site.torhaus("status")
        assert down.returncode == 69
        assert "NOT RUNNING" in down.stdout
        assert "the daemon is not running" in site.torhaus("doctor").stdout


def test_a_bad_configuration_ends_with_78_and_says_where(tmp_path: Path) -> None:
    site = Site(tmp_path, [], '[[forwarder]]\nname = "x"\ntype = "mqtt"\nurl = "mqtt://127.0.0.1"\nqos = 2\n')
    done = site.torhaus("check")
    assert done.returncode == 78
    assert "torhaus.toml:" in done.stdout
    assert "qos" in done.stdout
    ran = site.torhaus("run")
    assert ran.returncode == 78
    assert "qos" in ran.stderr
