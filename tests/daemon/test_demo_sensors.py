"""Simulated sensors are real ones to everything behind them."""

import tomllib

import pytest

from torhaus.codecs.lorawan.phy import DataFrame, parse
from torhaus.codecs.lorawan.session import Session
from torhaus.codecs.registry import CODECS, load
from torhaus.daemon.config.devices import DeviceConfig
from torhaus.daemon.demo.sensors import KINDS, Sensor

every_kind = pytest.mark.parametrize("codec", sorted(KINDS))


@every_kind
def test_its_uplinks_are_accepted_and_decoded_one_after_the_other(codec: str) -> None:
    sensor = Sensor(12, codec)
    session = Session(sensor._keys, sensor.dev_addr)
    for n in range(300):
        phy = sensor.uplink()
        frame = parse(phy)
        assert isinstance(frame, DataFrame)
        opened = session.open_uplink(phy, frame)
        session.accept(opened)
        assert (opened.fcnt, frame.fport, opened.payload) == (n, KINDS[codec][1], sensor.payload(n))
        fields = load(codec)(opened.payload, frame.fport)
        assert len(fields) >= 3
        assert -10 <= float(fields["temperature" if codec == "elsys" else "temperature_1"].value or 0) <= 40


@every_kind
def test_the_same_index_is_the_same_device(codec: str) -> None:
    assert codec in CODECS
    one, again, other = Sensor(3, codec), Sensor(3, codec), Sensor(4, codec)
    assert one.uplink() == again.uplink()
    assert one.uplink() != other.uplink()
    assert {one.dev_eui, one.dev_addr, one.nwk_s_key, one.app_s_key}.isdisjoint(
        {other.dev_eui, other.dev_addr, other.nwk_s_key, other.app_s_key}
    )
    assert one.nwk_s_key != one.app_s_key


def test_its_configuration_is_a_configuration() -> None:
    sensors = [Sensor(n, codec, f"room-{n}") for n, codec in enumerate(sorted(KINDS))]
    devices = tomllib.loads("".join(s.config() for s in sensors))["device"]
    keys = tomllib.loads("".join(s.keys() for s in sensors))
    for sensor, device in zip(sensors, devices, strict=True):
        known = DeviceConfig(**device)
        assert (known.name, known.dev_eui, known.codec) == (sensor.name, sensor.dev_eui, sensor.codec)
        assert known.dev_addr == f"{sensor.dev_addr:08x}"
        assert bytes.fromhex(keys[sensor.dev_eui]["nwk_s_key"]) == sensor.nwk_s_key
        assert bytes.fromhex(keys[sensor.dev_eui]["app_s_key"]) == sensor.app_s_key
