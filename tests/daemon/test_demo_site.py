import socket
from pathlib import Path

from torhaus.daemon.config.load import Loaded, load
from torhaus.daemon.demo.site import METER, SCRIPTED, Ports, build, free_port, sensors
from torhaus.daemon.scans.config import Station


def folder_of(loaded: Loaded) -> str:
    (station,) = loaded.scan.station
    assert isinstance(station, Station)
    return station.path


def test_the_configuration_is_a_good_one_wherever_it_lies(tmp_path: Path) -> None:
    folder = tmp_path / 'odd "name"\\ä'
    path = build(folder, Ports(1700, 8680, 1883), str(folder / "meter"))
    loaded = load(path)
    assert loaded.notes == []
    assert [config.name for _, config in loaded.drivers] == ["radio", "meter"]
    assert [common.name for _, common, _ in loaded.forwarders] == ["broker"]
    assert folder_of(loaded) == str(folder / "scan-in")
    assert len(loaded.devices) == len(sensors()) + 2
    assert sum(d.allow_fcnt_reset for d in loaded.devices) == len(sensors())  # also in a folder used before
    codecs = {d.name: d.codec for d in loaded.devices}
    assert (codecs[SCRIPTED], codecs[METER]) == ("boiler.js", "sml")
    assert (folder / "devices.keys.toml").stat().st_mode & 0o777 == 0o600
    assert load(build(folder, Ports(1, 2, 3), "/dev/x")).http.listen == "127.0.0.1:2"  # used again


def test_a_relative_folder(tmp_path: Path) -> None:
    import os

    here = Path.cwd()
    os.chdir(tmp_path)
    try:
        assert build(Path("demo"), Ports(1, 2, 3), "/dev/x") == tmp_path / "demo" / "torhaus.toml"
    finally:
        os.chdir(here)
    assert folder_of(load(tmp_path / "demo" / "torhaus.toml")) == str(tmp_path / "demo/scan-in")


def test_free_port() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        assert free_port(socket.SOCK_DGRAM, port) != port
    assert free_port(socket.SOCK_DGRAM, port) == port
