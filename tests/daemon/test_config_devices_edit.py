import os
import stat
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torhaus.daemon.config.devices import DeviceConfig
from torhaus.daemon.config.devices_edit import New, add_devices, replace_file
from torhaus.daemon.config.document import ConfigFaults
from torhaus.daemon.config.load import DeviceFiles, read_device_set

K = [f"{n:032x}" for n in range(0xABCDEF00, 0xABCDEF04)]
EUI = "0011223344556677"
THERE = '# our devices\n[[device]]\nname = "old" # first'


def files_in(folder: Path) -> DeviceFiles:
    return DeviceFiles(folder / "devices.toml", True, folder / "keys.toml", True, folder / "decoders")


def add(folder: Path, *new: New, source: str = "list.csv") -> list[DeviceConfig]:
    return add_devices(files_in(folder), folder, list(new), source)


def faults_of(folder: Path, *new: New) -> list[str]:
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    with pytest.raises(ConfigFaults) as caught:
        add(folder, *new)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
    return [str(f).replace(f"{folder}/", "") for f in caught.value.faults]


def test_what_is_there_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "devices.toml"
    path.write_text(THERE, encoding="utf-8")
    path.chmod(0o644)
    table = {"name": 'Büro "Süd"', "dev_eui": "00-11-22-33-44-55-66-77", "dev_addr": "26 01 12 34", "tags": ["a", "b"]}
    keys = {"nwk_s_key": K[0].upper(), "app_s_key": f"{K[1][:16]} {K[1][16:]}"}
    (added,) = add(tmp_path, New({**table, "allow_fcnt_reset": True}, keys))
    assert added.dev_eui == EUI
    assert path.read_text(encoding="utf-8") == (
        f'{THERE}\n\n[[device]]\nname = "Büro \\"Süd\\""\ndev_eui = "{EUI}"\ndev_addr = "26011234"\ntags = ["a", "b"]\n'
        "allow_fcnt_reset = true\n"
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert (tmp_path / "keys.toml").read_text() == f'[{EUI}]\nnwk_s_key = "{K[0]}"\napp_s_key = "{K[1]}"\n'
    assert stat.S_IMODE((tmp_path / "keys.toml").stat().st_mode) == 0o600
    found = read_device_set(files_in(tmp_path), tmp_path)
    assert (found.faults, found.notes) == ([], [])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["devices.toml", "keys.toml"]


def test_new_files_have_narrow_modes(tmp_path: Path) -> None:
    add(tmp_path, New({"name": "a"}))
    assert stat.S_IMODE((tmp_path / "devices.toml").stat().st_mode) == 0o640
    assert not (tmp_path / "keys.toml").exists()
    assert add(tmp_path) == []


def test_all_or_nothing_with_the_lines_of_the_source(tmp_path: Path) -> None:
    (tmp_path / "devices.toml").write_text(THERE)
    faults = faults_of(
        tmp_path,
        New({"name": "good"}, {}, 2),
        New({"name": "old"}, {}, 3),
        New({"name": "x", "dev_eui": "12"}, {}, 4),
        New({"name": "y", "codec": "elsis"}, {}, 5),
        New({"name": "z", "dev_eui": EUI, "dev_addr": "26011234"}, {"app_s_key": K[0], "nwk_s_key": "xx"}, 6),
    )
    assert [f.partition(": is")[0].partition(": must")[0] for f in faults] == [
        "list.csv:3: device[old].name",
        "list.csv:4: device[x].dev_eui",
        "list.csv:5: device[y].codec",
        f"list.csv:6: {EUI}.nwk_s_key",
    ]


def test_faults_of_keys_do_not_show_them(tmp_path: Path) -> None:
    new = New({"name": "z", "dev_eui": EUI, "dev_addr": "26011234"}, {"app_s_key": K[0], "nwk_s_key": K[1] + "0"}, 6)
    faults = faults_of(tmp_path, new)
    assert [f.split(":")[:2] for f in faults] == [["list.csv", "6"]]
    assert not [k for k in K if k in str(faults)]
    assert faults_of(tmp_path, New({"name": "z", "dev_addr": "26011234"}, {}, 7)) == [
        "list.csv:7: device[z].dev_addr: has no session keys: add [26011234] to keys.toml"
    ]


def test_keys_that_are_there_are_not_replaced(tmp_path: Path) -> None:
    keys = {"app_key": K[0]}
    add(tmp_path, New({"name": "a", "dev_eui": EUI}, keys))
    (tmp_path / "devices.toml").write_text("")
    assert faults_of(tmp_path, New({"name": "a", "dev_eui": EUI}, {"app_key": K[1]}, 9)) == [
        f"list.csv:9: {EUI}.app_key: is also set in keys.toml:2, must be set once"
    ]


def test_what_cannot_be_appended_to(tmp_path: Path) -> None:
    (tmp_path / "devices.toml").write_text('device = [{ name = "a" }]\n')
    assert "not TOML" in faults_of(tmp_path, New({"name": "b"}))[0]
    (tmp_path / "devices.toml").write_text("[[device]]\nnam = 1\n")
    assert len(faults_of(tmp_path, New({"name": "b"}))) == 2


def test_keys_are_not_added_to_a_credential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert "a credential" in faults_of(tmp_path, New({"name": "a", "dev_eui": EUI}, {"app_key": K[0]}))[0]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        add(tmp_path / "none", New({"name": "a"}))


def test_a_link_stays_a_link_and_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = tmp_path / "real.toml"
    real.write_text("x")
    (tmp_path / "link.toml").symlink_to(real)
    replace_file(tmp_path / "link.toml", "y", 0o600)
    assert (tmp_path / "link.toml").is_symlink()
    assert real.read_text() == "y"

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        replace_file(real, "z", 0o600)
    assert real.read_text() == "y"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link.toml", "real.toml"]


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1, max_size=10), st.text(max_size=10), st.lists(st.text(min_size=1, max_size=5), max_size=2))
def test_any_text_is_written_as_it_is_or_refused(
    tmp_path_factory: pytest.TempPathFactory, name: str, place: str, tags: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("edit")
    try:
        add(folder, New({"name": name, "place": place, "tags": tags}))
    except ConfigFaults:
        assert not list(folder.iterdir())
        return
    (device,) = tomllib.loads((folder / "devices.toml").read_text(encoding="utf-8"))["device"]
    assert (device["name"], device.get("place", ""), device.get("tags", [])) == (name, place, tags)


def test_counters_are_written_as_tables(tmp_path: Path) -> None:
    counters = {"1-0:1.8.0*255": {"full": 1000000.0, "most_per_h": 30}, "volume": {}}
    add(tmp_path, New({"name": "meter", "codec": "sml", "counters": counters}))
    text = (tmp_path / "devices.toml").read_text(encoding="utf-8")
    assert 'counters = {"1-0:1.8.0*255" = {"full" = 1000000.0, "most_per_h" = 30.0}, "volume" = {}}' in text
