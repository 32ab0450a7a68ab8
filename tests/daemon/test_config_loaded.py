import subprocess
import sys
from pathlib import Path

from torhaus.daemon.config.load import load

SITE = """[site]
id = "rathaus"
[store]
path = "state"
[http]
listen = "127.0.0.1:0"
[[driver]]
name = "radio"
type = "semtech_udp"
[[forwarder]]
name = "broker"
type = "mqtt"
url = "mqtt://127.0.0.1:1"
"""
STATION = '[[scan.station]]\nname = "poststelle"\ntype = "folder"\npath = "{0}/in"\ntarget = "ablage"\n'
SCANS = STATION + '[[scan.target]]\nname = "ablage"\ntype = "folder"\npath = "{0}/out"\n'
DEVICES = '[[device]]\nname = "keller"\ndev_eui = "a81758fffe0312ab"\ntags = ["feuchte"]\n'

LOOK = """
import sys
import torhaus.daemon.app
from pathlib import Path
from torhaus.daemon.config.load import load
from torhaus.daemon.version import torhaus_version
load(Path(sys.argv[1]))
torhaus_version()
print(*sys.modules)
"""
UNUSED = (
    "difflib",
    "importlib.metadata",
    "importlib.resources",
    "prometheus_client",
    "statistics",
    "xml.parsers",
    "frozenlist._frozenlist",
    "torhaus.codecs.sidecar",
    "torhaus.daemon.evidence",
    "torhaus.daemon.scans",
)


def site(folder: Path, more: str = "") -> Path:
    (folder / "in").mkdir(exist_ok=True)
    (folder / "out").mkdir(exist_ok=True)
    (folder / "torhaus.toml").write_text(SITE + more.format(folder), encoding="utf-8")
    (folder / "devices.toml").write_text(DEVICES, encoding="utf-8")
    return folder / "torhaus.toml"


def test_a_site_without_scans_starts_without_what_it_does_not_use(tmp_path: Path) -> None:
    command = [sys.executable, "-c", LOOK, str(site(tmp_path))]
    modules = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert "torhaus.daemon.forward.mqtt" in modules
    assert [m for m in modules if m.startswith(UNUSED)] == []


def test_whether_it_scans(tmp_path: Path) -> None:
    loaded = load(site(tmp_path))
    assert (loaded.scans, loaded.has_scans, loaded.scan.station, loaded.scan.release) == (None, False, (), None)
    loaded = load(site(tmp_path, "[scan]\n"))
    assert (loaded.scan is loaded.scans, loaded.has_scans) == (True, False)
    loaded = load(site(tmp_path, SCANS))
    assert (loaded.scan is loaded.scans, loaded.has_scans) == (True, True)


def test_who_reads_what_and_who_has_a_tag(tmp_path: Path) -> None:
    relay = '[[forwarder]]\nname = "lns"\ntype = "chirpstack"\nurl = "mqtt://127.0.0.1:1"\n'
    loaded = load(site(tmp_path, relay))
    assert loaded.relays() == ["lns"]
    assert (loaded.log_of("lns"), loaded.log_of("broker")) == ("relay", "main")
    assert loaded.tagged() == {"feuchte": {"keller"}}
