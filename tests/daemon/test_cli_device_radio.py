"""`torhaus devices radio`."""

import argparse
import asyncio
import json
from pathlib import Path

import pytest

from tests.daemon.home import Home, running
from torhaus.daemon.cli import device_radio, devices
from torhaus.daemon.lora.radio_link import RadioView


def run(home: Home, *arguments: str) -> int:
    parser = argparse.ArgumentParser()
    devices.add(parser.add_subparsers())
    args = parser.parse_args(["devices", "radio", *arguments, "--config", str(home.config)])
    code: int = args.run(args)
    return code


def test_the_table() -> None:
    at = 1_795_000_000 * 10**9
    views = [
        RadioView(device="ventil", device_class="C", last_at_ns=at, battery=0, pending=["06"]),
        RadioView(
            device="flur",
            last_at_ns=at,
            expected_at_ns=at + 600 * 10**9,
            datarate="SF7BW125",
            snr_db=7.5,
            margin_db=15.0,
            loss=0.05,
            tx_power=2,
            gateways=["aa555a0000000101"],
            battery=128,
            refused=["0403"],
        ),
        RadioView(device="x", last_at_ns=at, battery=255),
    ]
    lines = device_radio.render(views).splitlines()
    assert [line.split()[0] for line in lines] == ["DEVICE", "flur", "ventil", "x"]
    for text in ("11:16", "SF7BW125", "7.5", "15", "5%", "50 %", "aa555a0000000101", "refuses 1"):
        assert text in lines[1]
    assert "mains" in lines[2]
    assert "waits for an answer" in lines[2]


def test_what_another_network_server_knows() -> None:
    view = RadioView(device="flur", device_class=None, last_at_ns=1, tx_power=None, nb_trans=None)
    assert device_radio.render([view]).splitlines()[1].split().count("—") == 8


@pytest.mark.parametrize("mode", ["standalone", "passive"])
def test_from_the_daemon(tmp_path: Path, capsys: pytest.CaptureFixture[str], mode: str) -> None:
    home = Home(tmp_path, f'[lorawan]\nmode = "{mode}"\n')

    async def go() -> list[int]:
        async with running(home.app({})):
            return [await asyncio.to_thread(run, home), await asyncio.to_thread(run, home, "--json")]

    assert asyncio.run(go()) == [0, 0]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("no device has been heard")
    assert json.loads(lines[1]) == []


def test_without_a_daemon_and_with_a_faulty_configuration(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert run(home) == 69
    home.write("[x]\n")
    assert run(home) == 78
