"""The Modbus driver with units that refuse a request of several values, and SunSpec meters with numbers as floats."""

import asyncio
import struct
from pathlib import Path

import msgspec
import pytest

from tests.codecs.test_framing_modbus import tcp
from tests.drivers.fakes import FakeHost, run
from torhaus.codecs.framing.modbus_blocks import Span
from torhaus.codecs.model import Fields
from torhaus.drivers import modbus, polling
from torhaus.drivers.base import DeviceChanged
from torhaus.drivers.links.base import Link
from torhaus.drivers.modbus_talk import Framing, Talk

MAP = """
name = "test"
source = "own work"
max_gap = 4
register = [
  { field = "one", address = 1, type = "uint16" },
  { field = "low_bit", address = 2, type = "uint16", bit = 0 },
  { field = "two", address = 2, type = "uint16" },
  { field = "four", address = 4, type = "uint32" },
  { field = "far", address = 100, type = "uint16" },
]"""


class Unit(Link):
    """Registers by address over Modbus/TCP; a request with an address that is not there is refused as a whole."""

    def __init__(self, registers: dict[int, int], exception: int = 2) -> None:
        super().__init__("fake")
        self.registers = registers
        self.exception = exception
        self.asked: list[tuple[int, int]] = []
        self._said = b""

    async def _read(self, max_bytes: int) -> bytes:
        said, self._said = self._said, b""
        assert said, "nothing was asked"
        return said

    async def _write(self, data: bytes) -> None:
        transaction, unit, function, address, count = struct.unpack(">H4xBBHH", data)
        self.asked.append((address, count))
        found = [self.registers.get(address + n) for n in range(count)]
        pdu = bytes((function | 0x80, self.exception))
        if None not in found:
            pdu = bytes((function, 2 * count)) + b"".join(struct.pack(">H", word) for word in found)
        self._said = tcp(transaction, unit, pdu)

    async def close(self) -> None: ...


def rounds(monkeypatch: pytest.MonkeyPatch, driver: modbus.Modbus, unit: Unit, n: int) -> tuple[list[Fields], FakeHost]:
    """The fields of so many readings; 0: none, the device is given up."""

    async def opened(*_: object) -> Unit:
        return unit

    async def main() -> FakeHost:
        host = FakeHost()
        task = asyncio.create_task(driver.run(host))
        await (host.until_frames(n) if n else host.until_events(2))
        task.cancel()
        await asyncio.wait([task])
        return host

    monkeypatch.setattr(polling, "open_link", opened)
    host = run(main())
    return [driver.decoders["m"](frame.data, None) for frame in host.frames[:n]], host


def opened(map_file: Path) -> modbus.Modbus:
    map_file.write_text(MAP, encoding="utf-8")
    device = modbus.BusDevice(device="m", unit=3, map_file=str(map_file))
    return modbus.open(modbus.Config(name="bus", link="tcp://192.0.2.1:502", devices=(device,), interval_s=60))


@pytest.mark.parametrize("exception", [2, 3])
def test_a_refused_request_is_asked_value_by_value(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, exception: int
) -> None:
    unit = Unit({1: 11, 2: 22, 4: 0, 5: 55, 100: 7}, exception)  # there is no 3 between 2 and 4
    fields, host = rounds(monkeypatch, opened(tmp_path / "map.toml"), unit, 2)
    wanted = {"one": 11, "two": 22, "four": 55, "far": 7, "low_bit": False}
    assert [{name: value.value for name, value in each.items()} for each in fields] == [wanted, wanted]
    single = [(1, 1), (2, 1), (4, 2)]
    assert unit.asked[:9] == [(1, 5), *single, (100, 1), *single, (100, 1)]  # it is not tried as a whole again
    assert host.rejects == []


def test_what_is_refused_alone_is_told_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fields, _ = rounds(monkeypatch, opened(tmp_path / "map.toml"), Unit({1: 11, 4: 0, 5: 55}), 1)
    refused = fields[0].pop("modbus_exception")
    assert refused.value == "illegal data address (function 3, address 2, 1 long)"
    assert {name: value.value for name, value in fields[0].items()} == {"one": 11, "four": 55}


@pytest.mark.parametrize("exception", [1, 4])
def test_other_refusals_are_taken_at_their_word(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, exception: int
) -> None:
    unit = Unit({}, exception)
    _, host = rounds(monkeypatch, opened(tmp_path / "map.toml"), unit, 0)
    assert [e.up for e in host.events if isinstance(e, DeviceChanged)] == [False]
    assert unit.asked[:2] == [(1, 5), (100, 1)]
    assert host.frames == []


def test_not_more_requests_than_a_frame_can_have(tmp_path: Path) -> None:
    registers = [f'{{ field = "f{n}", address = {n}, type = "uint16" }}' for n in range(120)]
    registers += [f'{{ field = "g{n}", address = {1000 + 50 * n}, type = "uint16" }}' for n in range(20)]
    path = tmp_path / "many.toml"
    path.write_text(f'name = "many"\nsource = "own work"\nregister = [{", ".join(registers)}]', encoding="utf-8")
    station = modbus.Station(modbus.BusDevice(device="m", map_file=str(path)))
    assert station.parts(station.spans[0]) == []
    assert station.parts(Span(3, 0, 10)) == [Span(3, n, 1) for n in range(10)]


def test_a_sunspec_meter_with_floats(monkeypatch: pytest.MonkeyPatch) -> None:
    body = [0x7FC0, 0] * 62
    for at, number in ((2, 12.5), (12, 230.5), (28, -1500.0), (60, 4711.0), (68, 815.0)):
        bits = struct.unpack(">HH", struct.pack(">f", number))
        body[at - 2 : at] = bits
    words = [0x5375, 0x6E53, 213, 124, *body, 0xFFFF, 0]
    unit = Unit({40000 + n: word for n, word in enumerate(words)})
    device = modbus.BusDevice(device="m", map="sunspec")
    driver = modbus.open(modbus.Config(name="bus", link="tcp://192.0.2.1:502", devices=(device,), interval_s=60))
    fields, _ = rounds(monkeypatch, driver, unit, 1)
    assert {name: value.value for name, value in fields[0].items()} == {
        "meter_current": 12.5,
        "meter_voltage_l1": 230.5,
        "meter_power": -1500.0,
        "meter_energy_export": 4711.0,
        "meter_energy_import": 815.0,
    }


def test_a_device_may_be_slower_than_the_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "map.toml"
    path.write_text(MAP, encoding="utf-8")
    asked: list[tuple[float, int]] = []

    class Told(Talk):
        def __init__(self, link: Link, framing: Framing, timeout_s: float, retries: int, pause_s: float) -> None:
            asked.append((timeout_s, retries))
            super().__init__(link, framing, timeout_s, retries, pause_s)

    monkeypatch.setattr(modbus, "Talk", Told)
    for timeout_s, retries, wanted in ((None, None, (1, 2)), (3.5, None, (3.5, 2)), (None, 0, (1, 0))):
        device = modbus.BusDevice(device="m", unit=3, map_file=str(path), timeout_s=timeout_s, retries=retries)
        driver = modbus.open(modbus.Config(name="bus", link="tcp://192.0.2.1:502", devices=(device,), interval_s=60))
        rounds(monkeypatch, driver, Unit({1: 11, 2: 22, 4: 0, 5: 55, 100: 7}), 1)
        assert asked.pop(0) == wanted
        asked.clear()
    with pytest.raises(msgspec.ValidationError, match="timeout_s"):
        msgspec.convert({"device": "m", "map": "abb_b23", "timeout_s": 0}, modbus.BusDevice)
