"""The Modbus driver against libmodbus, an implementation that shares nothing with pymodbus: TCP, and RTU over a pty."""

import asyncio
import os
import subprocess
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.drivers.fakes import FakeHost
from tests.peers import program
from torhaus.codecs.model import Fields
from torhaus.drivers import modbus
from torhaus.drivers.base import DeviceChanged

SOURCE = Path(__file__).with_name("modbus_server.c")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Path:
    gcc = program("gcc")
    built = tmp_path_factory.mktemp("modbus") / "server"
    made = subprocess.run(
        [gcc, "-O1", "-o", built, SOURCE, "-I/usr/include/modbus", "-lmodbus"], check=False, capture_output=True
    )
    if made.returncode and not Path("/usr/include/modbus/modbus.h").exists():
        needed = os.environ.get("TORHAUS_REQUIRE_PEERS") or os.environ.get("CI") == "true"
        (pytest.fail if needed else pytest.skip)("libmodbus-dev is not installed (.ci/packages)")
    assert made.returncode == 0, made.stderr.decode()
    return built


@pytest.fixture
def tcp(server: Path) -> Iterator[str]:
    with subprocess.Popen([server, "tcp"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"tcp://127.0.0.1:{int(process.stdout.readline())}"
        process.kill()


def config(link: str, *devices: dict[str, Any], **more: Any) -> modbus.Config:
    each = tuple(modbus.BusDevice(**d) for d in devices)
    return modbus.Config(name="bus", link=link, devices=each, interval_s=60, **more)


async def first_fields(driver: modbus.Modbus, events: int) -> tuple[dict[str, Fields], FakeHost]:
    """The fields of each device's first reading, when so many devices have answered or been given up."""
    host = FakeHost()
    running = asyncio.create_task(driver.run(host))
    try:
        async with asyncio.timeout(20):
            while len([e for e in host.events if isinstance(e, DeviceChanged)]) < events:
                await host.until_events(len(host.events) + 1)
    finally:
        running.cancel()
        await asyncio.wait([running])
    decoded: dict[str, Fields] = {}
    for frame in host.frames:
        assert frame.device is not None
        decoded.setdefault(frame.device, driver.decoders[frame.device](frame.data, None))
    return decoded, host


def write_map(folder: Path, text: str) -> str:
    path = folder / "map.toml"
    path.write_text(text)
    return str(path)


def test_a_ready_map_over_tcp(tcp: str) -> None:
    driver = modbus.open(config(tcp, {"device": "m", "unit": 255, "map": "eastron_sdm630"}))
    fields, _ = asyncio.run(first_fields(driver, 1))
    assert fields["m"]["voltage_l1"].value == 230.1
    assert (fields["m"]["energy_import"].value, fields["m"]["energy_import"].unit) == (4711.5, "kW.h")


def test_every_function_merged_and_what_is_refused(tcp: str, tmp_path: Path) -> None:
    text = """
        name = "test"
        source = "own work"
        register = [
          { field = "here", address = 7, type = "uint16" },
          { field = "long", address = 8, type = "uint32" },
          { field = "high", address = 49999, type = "uint16" },
          { field = "beyond", address = 50000, type = "uint16" },
          { field = "input", address = 100, type = "uint16", function = 4 },
          { field = "coil", address = 3, type = "bool", function = 1 },
          { field = "other_coil", address = 17, type = "bool", function = 1 },
          { field = "contact", address = 4, type = "bool", function = 2 },
        ]"""
    driver = modbus.open(config(tcp, {"device": "m", "map_file": write_map(tmp_path, text)}))
    fields, _ = asyncio.run(first_fields(driver, 1))
    got = {name: value.value for name, value in fields["m"].items()}
    refused = got.pop("modbus_exception")
    got_bits = {"coil": True, "other_coil": False, "contact": False}
    assert got == {"here": 7, "long": 8 << 16 | 9, "high": 49999, "input": 300} | got_bits
    assert refused == "illegal data address (function 3, address 50000, 1 long)"


def test_sunspec_is_found_and_read(tcp: str) -> None:
    driver = modbus.open(config(tcp, {"device": "pv", "map": "sunspec"}))
    fields, _ = asyncio.run(first_fields(driver, 1))
    assert {name: value.value for name, value in fields["pv"].items()} == {
        "manufacturer": "Tor",
        "power": -123.4,
        "state": "mppt",
        "event": 0x80008000,
    }


def test_two_units_on_an_rtu_bus_of_which_one_is_dead(server: Path) -> None:
    """One pty between us and libmodbus; unit 3 is there, unit 9 is not."""
    ours, theirs = os.openpty()
    far, far_slave = os.openpty()
    for fd in (theirs, far_slave):
        tty.setraw(fd)
    link = f"serial://{os.ttyname(theirs)}?parity=N&exclusive=0"
    with subprocess.Popen([server, "rtu", os.ttyname(far_slave), "3"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"

        async def main() -> tuple[dict[str, Fields], FakeHost]:
            loop = asyncio.get_running_loop()
            loop.add_reader(ours, lambda: os.write(far, os.read(ours, 4096)))
            loop.add_reader(far, lambda: os.write(ours, b"\x00\xff" + os.read(far, 4096)))  # noise before each piece
            # libmodbus takes what follows a request to another unit for that unit's answer: the dead one comes last
            devices = [{"device": "m", "unit": 3, "map": "eastron_sdm630"}]
            devices += [{"device": "dead", "unit": 9, "map": "eastron_sdm630"}]
            driver = modbus.open(config(link, *devices, timeout_s=0.2, retries=1, pause_s=0.005))
            try:
                return await first_fields(driver, 2)
            finally:
                loop.remove_reader(ours)
                loop.remove_reader(far)

        fields, host = asyncio.run(main())
        process.kill()
    for fd in (ours, theirs, far, far_slave):
        os.close(fd)
    assert fields["m"]["voltage_l1"].value == 230.1
    assert DeviceChanged("dead", up=False, detail="unit 9: no answer within 0.2 s") in host.events
