import pytest

from tests.daemon.test_config_devices import DEVICE, EUI, KEYS_1_0, KEYS_1_1, K, devices_of, tree_of
from torhaus.codecs.lorawan.keys import Version
from torhaus.daemon.config.device_keys import KEYS, DeviceKeys, cross_faults, parse_key, read_keys


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
