import time
from pathlib import Path

import pytest

from torhaus.codecs.lorawan.keys import Version
from torhaus.codecs.registry import CODECS, FAMILIES
from torhaus.daemon.config.codec_names import codec_fault
from torhaus.daemon.config.devices import (
    KEYS,
    DeviceConfig,
    DeviceKeys,
    cross_faults,
    parse_key,
    read_devices,
    read_keys,
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
        22: f"device[g].app_key: is not known here (known: {', '.join(DeviceConfig.__struct_encode_fields__)})",
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


def test_keys_of_both_versions() -> None:
    found, faults, notes = read_keys(tree_of(KEYS_1_0 + f'app_key = "{K[4]}"\n', "keys.toml"), devices_of(DEVICE))
    assert (faults, notes) == ([], [])
    session = found["a"].session
    assert session is not None
    assert (session.version, session.nwk_s_enc_key.hex(), session.app_s_key.hex()) == (Version.V1_0, K[0], K[1])
    assert found["a"].app_key == bytes.fromhex(K[4])
    found, faults, _ = read_keys(tree_of(KEYS_1_1, "keys.toml"), devices_of(DEVICE + 'lorawan = "1.1"\n'))
    assert faults == []
    session = found["a"].session
    assert session is not None
    assert (session.s_nwk_s_int_key.hex(), session.app_s_key.hex()) == (K[1], K[3])


def test_keys_of_a_device_without_an_eui_go_by_its_address() -> None:
    devices = devices_of('[[device]]\nname = "a"\ndev_addr = "26011234"\n')
    found, faults, _ = read_keys(tree_of(KEYS_1_0.replace(EUI, "26-01-12-34".replace("-", "")), "keys.toml"), devices)
    assert faults == []
    assert "a" in found


def test_what_is_wrong_with_keys_never_shows_one() -> None:
    text = f"""
[{EUI}]
nwk_s_key = "{K[0]}0"
app_s_key = 3
nwk_skey = "{K[1]}"
[{K[2]}]
app_key = "{K[3]}"
[0011223344556688]
app_key = "{K[4]}"
["00-11-22-33-44-55-66-77"]
app_key = "{K[5]}"
{K[6]} = "x"
[0011223344556699]
"{K[7]}" = 1
"""
    found, faults, notes = read_keys(tree_of(text, "keys.toml"), devices_of(DEVICE))
    told = "\n".join([*map(str, faults), *notes, repr(found)])
    assert [(f.line, f.text[:20]) for f in faults] == [
        (3, "must be text of 32 h"),
        (4, "must be text of 32 h"),
        (5, "is not known here (d"),
        (6, "must be a table name"),
        (12, "is not known here (k"),
        (10, "has its keys in anot"),
        (14, "is not known here (k"),
    ]
    assert notes == [
        "0011223344556688: keys of no device in the list",
        "0011223344556699: keys of no device in the list",
    ]
    assert not [key for key in K if key in told or key[8:] in told]


@pytest.mark.parametrize(
    ("lorawan", "keys", "words"),
    [
        ("1.1", KEYS_1_0, "needs f_nwk_s_int_key, s_nwk_s_int_key, nwk_s_enc_key, app_s_key, not nwk_s_key"),
        ("1.0", KEYS_1_1, "needs nwk_s_key, app_s_key, not f_nwk_s_int_key"),
        ("1.0.4", f'[{EUI}]\nnwk_s_key = "{K[0]}"\n', "a device with LoRaWAN 1.0.4 needs nwk_s_key, app_s_key"),
    ],
)
def test_keys_are_those_of_the_version(lorawan: str, keys: str, words: str) -> None:
    _, faults, _ = read_keys(tree_of(keys, "keys.toml"), devices_of(f'{DEVICE}lorawan = "{lorawan}"\n'))
    assert words in str(faults[0])


def cross(devices: str, keys: str) -> list[str]:
    tree = tree_of(devices)
    found = devices_of(devices)
    return [str(f) for f in cross_faults(tree, found, read_keys(tree_of(keys, "keys.toml"), found)[0], "keys.toml")]


def test_addresses_and_keys_belong_together() -> None:
    assert cross(DEVICE, KEYS_1_0) == []
    assert cross(DEVICE, "") == [f"devices.toml:4: device[a].dev_addr: has no session keys: add [{EUI}] to keys.toml"]
    assert cross(DEVICE, f'[{EUI}]\napp_key = "{K[0]}"\n') != []
    only_eui = f'[[device]]\nname = "a"\ndev_eui = "{EUI}"\n'
    assert cross(only_eui, f'[{EUI}]\napp_key = "{K[0]}"\n') == []
    assert cross(only_eui, KEYS_1_0) == ["devices.toml:1: device[a].dev_addr: is missing: keys.toml has session keys"]


def test_one_address_may_have_two_owners_but_not_with_the_same_keys() -> None:
    other = DEVICE.replace('"a"', '"b"').replace(EUI, "0011223344556688")
    assert cross(DEVICE + other, KEYS_1_0 + KEYS_1_0.replace(EUI, "0011223344556688").replace(K[0], K[2])) == []
    (fault,) = cross(DEVICE + other, KEYS_1_0 + KEYS_1_0.replace(EUI, "0011223344556688"))
    assert fault.endswith('device[b].dev_addr: is "26011234" with the same keys as another device (devices.toml:4)')


def test_no_key_is_printed() -> None:
    found, _, _ = read_keys(tree_of(KEYS_1_0 + f'app_key = "{K[4]}"\n', "keys.toml"), devices_of(DEVICE))
    assert repr(found["a"]) == "DeviceKeys(…)" == str(DeviceKeys())
    assert repr(found["a"].session) == "KeySet(1.0, …)"


def test_keys_in_the_usual_spellings() -> None:
    assert parse_key("00:11:22:33:44:55:66:77-88-99-aa-bb CC DD EE FF") == bytes.fromhex(
        "00112233445566778899aabbccddeeff"
    )
    for wrong in ("", "0" * 31, "0" * 33, "g" * 32, "\u0660" * 32, 5, None, "0" * 1000):
        assert parse_key(wrong) is None
    assert len(KEYS) == 8


def test_thousands_of_devices_take_no_time() -> None:
    text = "".join(f'[[device]]\nname = "d{i}"\ndev_eui = "{i:016x}"\ncodec = "elsys"\n' for i in range(5000))
    tree = tree_of(text)
    started = time.process_time()
    devices, faults = read_devices(tree, Path("/none"))
    assert (len(devices), faults) == (5000, [])
    assert time.process_time() - started < 5  # some 50 ms; each fault's line alone would take longer


def test_a_model_that_a_family_does_not_have(tmp_path: Path) -> None:
    assert codec_fault("milesight:em300-th", tmp_path) is None
    text = str(codec_fault("milesight:em300-ht", tmp_path))
    assert "milesight has no such model" in text
    assert 'did you mean "milesight:em300-th"?' in text
