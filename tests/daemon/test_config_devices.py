from pathlib import Path

import pytest

from torhaus.codecs.lorawan.keys import Version
from torhaus.codecs.registry import CODECS, FAMILIES
from torhaus.daemon.config.codec_names import codec_fault
from torhaus.daemon.config.devices import (
    DeviceConfig,
    read_devices,
)
from torhaus.daemon.config.document import Tree, parse

EUI = "0011223344556677"
K = [f"{n:032x}" for n in range(0xABCDEF00, 0xABCDEF08)]
DEVICE = f'[[device]]\nname = "a"\ndev_eui = "{EUI}"\ndev_addr = "26011234"\n'
KEYS_1_0 = f'[{EUI}]\nnwk_s_key = "{K[0]}"\napp_s_key = "{K[1]}"\n'
KEYS_1_1 = (
    f'[{EUI}]\nf_nwk_s_int_key = "{K[0]}"\ns_nwk_s_int_key = "{K[1]}"\nnwk_s_enc_key = "{K[2]}"\napp_s_key = "{K[3]}"\n'
)


def tree_of(text: str, shown: str = "devices.toml") -> Tree:
    tree = Tree()
    tree.add(parse(text, shown, secret=shown == "keys.toml"))
    return tree


def devices_of(text: str, scripts: Path = Path("/none")) -> list[DeviceConfig]:
    devices, faults = read_devices(tree_of(text), scripts)
    assert faults == []
    return devices


def faults_of(text: str, scripts: Path = Path("/none")) -> list[str]:
    return sorted(map(str, read_devices(tree_of(text), scripts)[1]))


def test_a_device_as_it_is_kept() -> None:
    (device,) = devices_of(
        '[[device]]\nname = "Büro 1.OG"\ndev_eui = "A8-17-58-FF-FE-03-12-AB"\ndev_addr = "0x26011234"\n'
        'codec = "elsys"\nplace = "1. OG"\ntags = ["co2", "eg"]\nlorawan = "1.0.3"\nallow_fcnt_reset = true\n'
    )
    assert (device.dev_eui, device.dev_addr, device.version) == ("a81758fffe0312ab", "26011234", Version.V1_0)
    assert device.tags == ("co2", "eg")
    assert device.keys_id == "a81758fffe0312ab"
    assert devices_of("") == []
    (meter,) = devices_of('[[device]]\nname = "meter"\ncodec = "sml"\n')
    assert meter.keys_id is None


def test_every_fault_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "model.js").touch()
    text = """
[[device]]
name = "a/b"
lorawan = "1.2"
[[device]]
codec = "elsis"
[[device]]
name = "c "
[[device]]
name = "d"
dev_eui = "123"
[[device]]
name = "e"
dev_addr = "zz"
codec = "elsis"
[[device]]
name = "f"
codec = "vendor/modell.js"
[[device]]
name = "g"
codec = "../x.js"
app_key = "secret"
[[device]]
name = "h"
tags = ["a+b"]
place = "a\\nb"
[[devise]]
"""
    name = "1 to 64 printable characters without '/', '+' and '#'"
    names = ", ".join([*sorted(CODECS), *(f"{family}:MODEL" for family in sorted(FAMILIES))])
    codec = f'is "elsis", must be one of {names}, a script (*.js) or a layout (*.toml) (did you mean "elsys"?)'
    digits = "hex digits, optionally separated by '-' or ':'"
    versions = 'one of "1.0", "1.0.2", "1.0.3", "1.0.4", "1.1" (did you mean "1.0.2"?)'
    found = {int(f.split(":")[1]): f.partition(": ")[2] for f in faults_of(text, tmp_path)}
    assert found == {
        3: f'device[a/b].name: is "a/b", must be {name}',
        4: f'device[a/b].lorawan: is "1.2", must be {versions}',
        5: f"device[1].name: is missing (must be {name})",
        6: f"device[1].codec: {codec}",
        8: "device[c ].name: must have printable characters only, and no spaces around",
        11: f'device[d].dev_eui: is "123", but an EUI-64 has 16 {digits}',
        14: f'device[e].dev_addr: is "zz", but a DevAddr has 8 {digits}',
        15: f"device[e].codec: {codec}",
        18: f'device[f].codec: is "vendor/modell.js", but there is no such file in {tmp_path} '
        '(did you mean "vendor/model.js"?)',
        21: f'device[g].codec: is "../x.js", must be a script inside {tmp_path}',
        22: f"device[g].app_key: is not known here (known: {', '.join(DeviceConfig.__struct_encode_fields__[:20])}, …)",
        25: f'device[h].tags[0]: is "a+b", must be {name}',
        26: 'device[h].place: is "a\\nb", must be one line of at most 200 characters',
        27: 'devise: is not known here (did you mean "device"?)',
    }


def test_twins_are_named_with_the_line_of_the_first() -> None:
    assert faults_of(
        f'[[device]]\nname = "a"\ndev_eui = "{EUI}"\naddress = "m1"\n'
        '[[device]]\nname = "a"\ndev_eui = "00-11-22-33-44-55-66-77"\n'
        'address = "m1"\n'
    ) == [
        'devices.toml:6: device[a].name: is "a", as of another device (devices.toml:2)',
        f'devices.toml:7: device[a].dev_eui: is "{EUI}", as of another device (devices.toml:3)',
        'devices.toml:8: device[a].address: is "m1", as of another device (devices.toml:4)',
    ]


@pytest.mark.parametrize("codec", ["/etc/x.js", "../x.js", "a/../../x.js", "x\0.js"])
def test_scripts_lie_in_their_folder(codec: str, tmp_path: Path) -> None:
    assert "must be a script inside" in str(codec_fault(codec, tmp_path))


def test_a_model_that_a_family_does_not_have(tmp_path: Path) -> None:
    assert codec_fault("milesight:em300-th", tmp_path) is None
    text = str(codec_fault("milesight:em300-ht", tmp_path))
    assert "milesight has no such model" in text
    assert 'did you mean "milesight:em300-th"?' in text
