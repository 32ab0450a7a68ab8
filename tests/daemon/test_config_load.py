import os
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.config_fakes import EUI, KEY, MINIMAL, config, faults_of, loaded
from torhaus.daemon.config.load import ConfigFaults, load
from torhaus.daemon.forward.registry import FORWARDERS
from torhaus.drivers import semtech_udp


def test_the_smallest_configuration(tmp_path: Path) -> None:
    found = loaded(tmp_path, torhaus=MINIMAL)
    assert found.site.id == "rathaus"
    assert (found.drivers, found.forwarders, found.devices, found.keys, found.notes) == ([], [], [], {}, [])
    assert found.files == [tmp_path / "torhaus.toml"]
    assert (found.store.path, found.control.socket) == ("/var/lib/torhaus", "/run/torhaus/torhaus.sock")
    assert found.scripts.dir == str(tmp_path / "decoders")
    assert found.scan.station == ()


def test_everything(tmp_path: Path) -> None:
    found = loaded(
        tmp_path,
        torhaus=MINIMAL + '[store]\npath = "data"\nmax_bytes = "2 GiB"\n[lorawan]\nregion = "AS923"\n'
        '[[driver]]\nname = "radio"\ntype = "semtech_udp"\n',
        conf_20="# nothing\n",
        conf_10='[[driver]]\nname = "meter"\ntype = "sml"\nlink = "tcp://192.0.2.10:8899"\ndevice = "power"\n'
        '[[forwarder]]\nname = "file"\ntype = "file"\npath = "out/{site}.jsonl"\nrotate_bytes = "1 MiB"\n'
        'kinds = ["reading", "event"]\ndevices = ["co2"]\ntags = ["eg"]\nstart = "now"\nenabled = false\n',
        conf_30='[[scan.station]]\nname = "post"\ntype = "folder"\npath = "/srv/in"\ntarget = "dms"\n'
        '[[scan.target]]\nname = "dms"\ntype = "folder"\npath = "/srv/out"\n',
        devices=f'[[device]]\nname = "co2"\ndev_eui = "{EUI}"\ndev_addr = "26011234"\ntags = ["eg"]\n'
        '[[device]]\nname = "power"\n',
        devices_keys=f'[{EUI}]\nnwk_s_key = "{KEY}"\napp_s_key = "{KEY}"\n',
    )
    assert found.store.path == str(tmp_path / "data")
    assert (found.store.max_bytes, found.lorawan.region) == (2 << 30, "AS923")
    (radio, meter) = found.drivers
    assert radio[0] is semtech_udp
    assert (radio[1].name, meter[1].device) == ("radio", "power")
    ((module, common, own),) = found.forwarders
    assert module.Config is type(own)
    assert (common.kinds, common.devices, common.start, common.enabled) == (
        ("reading", "event"),
        ("co2",),
        "now",
        False,
    )
    assert (own.path, own.rotate_bytes) == (str(tmp_path / "out/{site}.jsonl"), 1 << 20)
    assert found.scan.station[0].target == "dms"
    assert [d.name for d in found.devices] == ["co2", "power"]
    assert found.keys["co2"].session is not None
    assert [f.name for f in found.files] == [
        "torhaus.toml",
        "10.toml",
        "20.toml",
        "30.toml",
        "devices.toml",
        "devices.keys.toml",
    ]
    assert KEY not in repr(found)


def test_faults_of_all_files_in_their_order(tmp_path: Path) -> None:
    found = faults_of(
        tmp_path,
        torhaus='[site]\nid = "Rat haus"\n[http]\nlisten = "80"\n[storre]\n'
        '[[driver]]\nname = "radio"\ntype = "semtech_udp"\nlisten = "1700"\n',
        conf_a='[site]\nid = "x"\n[[driver]]\nname = "radio"\ntype = "sml"\nlink = "com1"\ndevice = "d"\n',
        conf_b="broken",
        conf_c='[[forwarder]]\nname = "f"\ntype = "file"\n'
        '[[forwarder]]\nname = "f"\ntype = "mqt"\nkinds = ["readings"]\n',
        conf_d='[[scan.station]]\nname = "s"\ntype = "folder"\npath = "/x"\ntarget = "nobody"\n'
        '[[scan.route]]\nstation = "s"\ntarget = "t"\n',
        devices="[[device]]\nname = 3\n",
        devices_keys=f'[{EUI}]\nnwk_s_key = "{KEY}00"\n',
    )
    types = ", ".join(f'"{name}"' for name in sorted(FORWARDERS))
    expected = [
        'torhaus.toml:2: site.id: is "Rat haus", must be 1 to 32 of the characters a-z, 0-9 and -, such as rathaus',
        'torhaus.toml:4: http.listen: is "80", must be an address and a port such as 127.0.0.1:8680 or [::1]:8680',
        'torhaus.toml:5: storre: is not known here (did you mean "store"?)',
        (
            "torhaus.toml:9: driver[radio].listen: is '1700', but must be an address and a port such as "
            "0.0.0.0:1700 or [::]:1700"
        ),
        "conf.d/a.toml:2: site.id: is also set in torhaus.toml:2, must be set once",
        'conf.d/a.toml:4: driver[radio].name: is "radio", as of another driver (torhaus.toml:7)',
        "conf.d/a.toml:6: driver[radio].link: a link starts with serial:, tcp:, rfc2217: or replay:, not 'com1'",
        "conf.d/b.toml:1: syntax: not TOML: Expected '=' after a key in a key/value pair",
        "conf.d/c.toml:1: forwarder[f].path: is missing (must be text)",
        'conf.d/c.toml:5: forwarder[f].name: is "f", as of another forwarder (conf.d/c.toml:2)',
        f'conf.d/c.toml:6: forwarder[f].type: is "mqt", must be one of {types} (did you mean "mqtt"?)',
        (
            'conf.d/c.toml:7: forwarder[f].kinds[0]: is "readings", must be one of "event", "frame", "reading" '
            '(did you mean "reading"?)'
        ),
        "conf.d/d.toml:5: scan.station[s].target: has a target here and one in a [[scan.route]]",
        "conf.d/d.toml:8: scan.route[0].target: no [[scan.target]] named 't'",
        "devices.toml:2: device[0].name: is 3, must be 1 to 64 printable characters without '/', '+' and '#'",
        f"devices.keys.toml:2: {EUI}.nwk_s_key: must be text of 32 hex digits, has 34 characters",
    ]
    assert found == expected


def test_what_is_spoken_of_must_be_there(tmp_path: Path) -> None:
    assert faults_of(
        tmp_path,
        torhaus=MINIMAL + '[[driver]]\nname = "m"\ntype = "sml"\nlink = "tcp://192.0.2.10:1"\ndevice = "powr"\n'
        '[[forwarder]]\nname = "f"\ntype = "file"\npath = "x"\ndevices = ["power", "co2"]\ntags = ["eg", "og"]\n',
        devices='[[device]]\nname = "power"\ntags = ["eg"]\n',
    ) == [
        'torhaus.toml:7: driver[m].device: is "powr", but no [[device]] has this name (did you mean "power"?)',
        'torhaus.toml:12: forwarder[f].devices[1]: is "co2", but no device has this name',
        'torhaus.toml:13: forwarder[f].tags[1]: is "og", but no device has this tag',
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "torhaus.toml:1: site: is missing (must be a table)"),
        (
            "[site]\n",
            "torhaus.toml:1: site.id: is missing (must be 1 to 32 of the characters a-z, 0-9 and -, such as rathaus)",
        ),
        (
            MINIMAL + "[driver]\nx = 1\n",
            "torhaus.toml:3: driver: is a table, must be a list of tables: write [[driver]]",
        ),
        (MINIMAL + "driver = [1]\n", None),
        (MINIMAL + "[scan]\nstation = 3\n", "torhaus.toml:4: scan.station: is 3, must be a list of tables"),
        (MINIMAL + "[devices]\nfile = 3\n", "torhaus.toml:4: devices.file: is 3, must be a path"),
        (MINIMAL + '[devices]\nfile = "d"\n', "d:1: file: cannot be read: No such file or directory"),
        (MINIMAL + '[devices]\nkeys_file = "k"\n', "k:1: file: cannot be read: No such file or directory"),
    ],
)
def test_one_fault(tmp_path: Path, text: str, fault: str | None) -> None:
    found = faults_of(tmp_path, torhaus=text)
    assert len(found) == 1
    assert fault in {None, found[0]}


def test_the_main_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigFaults, match=r"/none.toml:1: file: cannot be read: No such file or directory$"):
        load(tmp_path / "none.toml")


def test_conf_d_that_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "conf.d").touch()
    assert faults_of(tmp_path, torhaus=MINIMAL) == ["conf.d:1: file: cannot be read: Not a directory"]


def test_other_files_in_conf_d_are_not_read(tmp_path: Path) -> None:
    config(tmp_path, torhaus=MINIMAL, conf_a="")
    for name in (".hidden.toml", "a.toml~", "a.toml.bak", "readme"):
        (tmp_path / "conf.d" / name).write_text("broken")
    assert [f.name for f in load(tmp_path / "torhaus.toml").files] == ["torhaus.toml", "a.toml"]


def test_paths_start_from_the_configuration_wherever_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config(tmp_path, torhaus=MINIMAL + '[store]\npath = "data"\n')
    monkeypatch.chdir(tmp_path)
    assert load(Path("torhaus.toml")).store.path == str(tmp_path / "data")
    config(tmp_path, devices="x")
    with pytest.raises(ConfigFaults, match=r"^devices.toml:1: syntax"):
        load(Path("torhaus.toml"))


def test_a_library_that_is_not_installed_names_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load_none(_: str) -> Any:
        raise ModuleNotFoundError("No module named 'pikepdf'", name="pikepdf")

    monkeypatch.setattr("torhaus.drivers.registry.load", load_none)
    assert faults_of(tmp_path, torhaus=MINIMAL + '[[driver]]\nname = "m"\ntype = "sml"\n') == [
        (
            'torhaus.toml:5: driver[m].type: "sml" needs the library pikepdf, which is not installed: '
            "pip install 'torhaus[scans]'"
        )
    ]


def test_keys_that_only_the_service_can_read_are_not_checked_by_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "torhaus": MINIMAL + '[devices]\nkeys_file = "credential:keys"\n',
        "devices": '[[device]]\nname = "a"\ndev_addr = "26011234"\n',
    }
    credentials = tmp_path / "credentials"
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    assert faults_of(tmp_path, **files) == ["credentials/keys:1: file: cannot be read: No such file or directory"]
    (note,) = load(config(tmp_path, **files), check_only=True).notes
    assert note.endswith("keys: not checked, only the service can read it")
    credentials.mkdir()
    (credentials / "keys").write_text(f'[26011234]\nnwk_s_key = "{KEY}"\napp_s_key = "{KEY}"\n')
    (credentials / "keys").chmod(0o440)
    assert list(loaded(tmp_path, **files).keys) == ["a"]


def test_keys_that_others_can_read_are_refused(tmp_path: Path) -> None:
    path = config(tmp_path, torhaus=MINIMAL, devices_keys=f'[{EUI}]\napp_key = "{KEY}"\n')
    assert load(path).notes == [f"{EUI}: keys of no device in the list"]
    (tmp_path / "devices.keys.toml").chmod(0o640)
    with pytest.raises(
        ConfigFaults, match=r"devices.keys.toml:1: file: can be read by others \(mode 0640\): chmod 600"
    ):
        load(path)


def test_an_unknown_key_comes_with_the_known_ones(tmp_path: Path) -> None:
    assert faults_of(tmp_path, torhaus=MINIMAL + "foo = 1\n") == [
        "torhaus.toml:3: site.foo: is not known here (known: id, name, place)"
    ]


def test_the_daemon_loads_without_the_files_that_plug_ins_will_read(tmp_path: Path) -> None:
    text = MINIMAL + (
        '[[forwarder]]\nname = "broker"\ntype = "mqtt"\nurl = "mqtts://broker.example.org"\nca_file = "none.pem"\n'
    )
    assert loaded(tmp_path, torhaus=text).notes == []
    with pytest.raises(ConfigFaults, match=r"none\.pem cannot be read"):
        load(tmp_path / "torhaus.toml", check_only=True, named=True)


def test_who_only_asks_need_not_read_the_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = config(tmp_path, torhaus=MINIMAL)
    keys = tmp_path / "devices.keys.toml"
    keys.touch(mode=0o600)
    real = os.open

    def refuse(path: Any, *args: Any, **more: Any) -> int:
        if str(path) == str(keys):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *args, **more)

    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(os, "access", lambda path, mode: str(path) != str(keys))
    with pytest.raises(ConfigFaults, match="keys"):
        load(file)
    assert "only the service can read it" in load(file, check_only=True).notes[0]
