"""`[lorawan.mac]` and the `class` and `adr` of devices, as people write them. What fits a region: test_lora_plan.py."""

from pathlib import Path

import pytest

from torhaus.daemon.config.document import ConfigFaults
from torhaus.daemon.config.load import Loaded, load
from torhaus.daemon.config.lorawan import AdrSetting, Mac, mac_fault

SITE = '[site]\nid = "rathaus"\n'


def loaded(tmp_path: Path, text: str, devices: str = "") -> Loaded:
    (tmp_path / "torhaus.toml").write_text(SITE + text)
    (tmp_path / "devices.toml").write_text(devices)
    return load(tmp_path / "torhaus.toml")


def faults(tmp_path: Path, text: str, devices: str = "") -> list[str]:
    with pytest.raises(ConfigFaults) as caught:
        loaded(tmp_path, text, devices)
    return [str(f).removeprefix(f"{tmp_path}/") for f in caught.value.faults]


def test_as_people_write_it(tmp_path: Path) -> None:
    text = """
[lorawan]
mode = "standalone"
region = "AU915"
[lorawan.mac]
adr = { margin_db = 10 }
sub_band = 2
dwell_time = false
rejoin_count_n = 3
rejoin_time_n = 10
"""
    devices = '[[device]]\nname = "ventil"\ndev_eui = "0011223344556677"\nclass = "C"\nadr = { data_rate = 3 }\n'
    found = loaded(tmp_path, text, devices)
    assert found.lorawan.mac.adr == AdrSetting(margin_db=10)
    (device,) = found.devices
    assert (device.device_class, device.adr) == ("C", AdrSetting(data_rate=3))
    assert mac_fault(Mac(), "EU868") is None


def test_faults_have_a_place(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, "[lorawan]\n[lorawan.mac]\nsub_band = 2\n")
    assert fault == "torhaus.toml:4: lorawan.mac: sub_band EU868 has none, choose channels_hz"
    (fault,) = faults(tmp_path, "[lorawan.mac]\nrx2_drr = 2\n")
    assert "rx2_drr" in fault
    assert "rx2_dr" in fault.partition("did you mean")[2]
    device = '[[device]]\nname = "a"\n'
    (fault,) = faults(tmp_path, "", device + "adr = { data_rate = 14 }\n")
    assert fault == "devices.toml:3: device[a].adr: EU868 has no DR14"
    (fault,) = faults(tmp_path, "", device + 'class = "B"\n')
    assert fault.startswith("devices.toml:3: device[a].class: ")
    (fault,) = faults(tmp_path, "", device + "adr = { tx_power = 1 }\n")
    assert fault.startswith("devices.toml:3: device[a].adr: ")
