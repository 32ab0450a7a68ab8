from pathlib import Path

import msgspec
import pytest

from torhaus.daemon.config.device_keys import DeviceKeys
from torhaus.daemon.config.devices import DeviceConfig
from torhaus.daemon.config.load import DeviceFiles, read_device_set
from torhaus.daemon.simulate.identity import VERSIONS, from_lists, identities, write_registry


def files_in(folder: Path) -> DeviceFiles:
    return DeviceFiles(folder / "devices.toml", False, folder / "devices.keys.toml", False, folder)


def test_a_seed_makes_the_same_keys_and_without_one_nobody_can() -> None:
    assert identities(6, VERSIONS, 3) == identities(6, VERSIONS, 3)
    assert identities(1, seed=3)[0].app_key != identities(1, seed=4)[0].app_key
    assert identities(1)[0].app_key != identities(1)[0].app_key
    keys = [k for one in identities(8, VERSIONS, 3) for k in (one.app_key, one.nwk_key) if k is not None]
    assert len(set(keys)) == len(keys) == 10
    assert [one.counts_nonces for one in identities(4, VERSIONS, 3)] == [False, False, True, True]


def test_no_key_is_printed() -> None:
    one = identities(1, ("1.1",), 3)[0]
    assert one.app_key.hex() not in repr(one)
    assert repr(one.app_key) not in repr(one)
    assert repr(one).startswith("Identity(simulated-0000, 0274")


def test_a_daemon_reads_what_is_written(tmp_path: Path) -> None:
    known = identities(8, VERSIONS)
    _, keys = write_registry(tmp_path / "new", known)
    assert keys.stat().st_mode & 0o777 == 0o600
    found = read_device_set(files_in(tmp_path / "new"), tmp_path)
    assert (found.faults, found.notes) == ([], [])
    assert from_lists(found.devices, found.keys) == (known, [])
    with pytest.raises(FileExistsError):
        write_registry(tmp_path / "new", known)


def test_devices_without_root_keys_are_left_out() -> None:
    devices = [
        DeviceConfig(name="bare", dev_eui="0000000000000001"),
        DeviceConfig(name="half", dev_eui="0000000000000002", lorawan="1.1"),
        DeviceConfig(name="meter"),
        DeviceConfig(name="whole", dev_eui="0000000000000004", codec="milesight:am100"),
    ]
    root = DeviceKeys(app_key=bytes(16))
    found, left = from_lists(devices, {"half": root, "meter": root, "whole": root})
    assert left == ["bare", "half", "meter"]
    assert [(one.name, one.dev_eui, one.codec) for one in found] == [("whole", 4, "elsys")]
    assert msgspec.structs.asdict(found[0])["join_eui"] == 0x0274_6F72_FFFF_FFFF
