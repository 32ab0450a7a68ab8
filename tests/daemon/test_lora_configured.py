"""Devices as the configuration has them."""

from pathlib import Path

from tests.daemon.home import Home
from torhaus.daemon.config.devices import DeviceConfig
from torhaus.daemon.demo.sensors import Sensor
from torhaus.daemon.lora.configured import device_of, known_devices


def test_devices(tmp_path: Path) -> None:
    script = device_of(DeviceConfig(name="a", codec="vendor/x.js"), None, tmp_path)
    assert (script.codec, script.script, script.session) == (None, str(tmp_path / "vendor/x.js"), None)
    native = device_of(DeviceConfig(name="b", codec="elsys", dev_addr="26011234"), None, tmp_path)
    assert (native.codec, native.script, native.session) == ("elsys", None, None)
    raw = device_of(DeviceConfig(name="c"), None, tmp_path)
    assert (raw.codec, raw.script) == (None, None)


def test_all_of_them_and_their_network(tmp_path: Path) -> None:
    sensor = Sensor(1, "elsys")
    loaded = Home(tmp_path, '[lorawan]\nregion = "IN865"\n', [sensor]).load()
    devices, network = known_devices(loaded, tmp_path)
    assert len(devices) == 1
    assert network.region == "IN865"
    assert len(network.sessions()) == 1
