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


CENTRAL = '[lorawan.chirpstack]\nurl = "https://chirpstack.example.org"\ntoken_file = "token"\n'
THERE = '[[device]]\nname = "flur"\ndev_eui = "0011223344556677"\nkeys = "chirpstack"\n'


def test_keys_that_are_at_a_server(tmp_path: Path) -> None:
    found = loaded(tmp_path, CENTRAL, THERE)
    assert found.lorawan.chirpstack is not None
    assert found.lorawan.chirpstack.token_file == str(tmp_path / "token")
    assert found.devices[0].keys == "chirpstack"
    assert faults(tmp_path, "", THERE) == ['devices.toml:4: device[flur].keys: needs [lorawan.chirpstack] with "url"']
    mixed = THERE + 'dev_addr = "26011234"\n'
    assert faults(tmp_path, CENTRAL, mixed) == [
        'devices.toml:4: device[flur].keys: "chirpstack" goes with a dev_eui, and without a dev_addr'
    ]
    keys = tmp_path / "devices.keys.toml"
    keys.touch(mode=0o600)
    keys.write_text(f'[0011223344556677]\napp_key = "{"0a" * 16}"\n')
    assert faults(tmp_path, CENTRAL, THERE) == [
        f'devices.toml:4: device[flur].keys: is "chirpstack", but {keys} has keys of it'
    ]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("chirpstack.example.org", "must be the address of its page"),
        ("https://", "must be the address of its page"),
        ("https://admin:secret@chirpstack.example.org", "must be the address of its page"),
        ("https://[::1", "must be the address of its page"),
        ("mqtts://chirpstack.example.org", "must be the address of its page"),
        ("http://chirpstack.example.org:8080", "shows the keys to everybody"),
    ],
)
def test_a_server_has_an_address_of_its_own(tmp_path: Path, url: str, words: str) -> None:
    (fault,) = faults(tmp_path, f'[lorawan.chirpstack]\nurl = "{url}"\ntoken_file = "token"\n')
    assert fault.startswith("torhaus.toml:4: lorawan.chirpstack.url: ")
    assert words in fault


def test_a_server_on_the_way_to_which_nobody_listens(tmp_path: Path) -> None:
    more = 'token_file = "token"\n'
    assert loaded(tmp_path, f'[lorawan.chirpstack]\nurl = "http://127.0.0.1:8080"\n{more}')
    assert loaded(tmp_path, f'[lorawan.chirpstack]\nurl = "http://chirpstack"\ninsecure = true\n{more}')
