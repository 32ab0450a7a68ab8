"""Profiles: found by name, checked with their lines, and what a device says itself goes first."""

import tomllib
from pathlib import Path

import pytest

from torhaus.codecs.registry import CODECS, FAMILIES
from torhaus.daemon.config import profiles
from torhaus.daemon.config.devices import DeviceConfig, read_devices
from torhaus.daemon.config.document import ConfigFaults, Tree, parse
from torhaus.daemon.config.profiles import NoProfile, every, find, is_name
from torhaus.daemon.lora.configured import device_of

SHIPPED = [name for name, _ in every(Path("/nonexistent"))]
MINE = 'codec = "boke/level.js"\nfports = [2]\ninterval_s = 60\nname = { de = "Pegel", en = "Level" }\n'


def write(scripts: Path, name: str, text: str) -> None:
    path = scripts / "profiles" / f"{name}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    (scripts / "boke").mkdir(exist_ok=True)
    (scripts / "boke/level.js").write_text("function decodeUplink() {}")


def devices(text: str, scripts: Path) -> tuple[list[DeviceConfig], list[str]]:
    tree = Tree()
    tree.add(parse(text, "devices.toml"))
    found, faults = read_devices(tree, scripts)
    return found, [str(fault) for fault in faults]


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_ones_are_whole(name: str) -> None:
    profile = find(name, Path("/nonexistent"))
    assert profile.name.de
    assert profile.name.en
    if profile.battery is None:
        return
    family = str(profile.codec).partition(":")[0]
    module = (CODECS | FAMILIES)[family].removeprefix("torhaus.").replace(".", "/")
    text = (Path(__file__).parents[2] / f"{module}.vectors.toml").read_text(encoding="utf-8")
    fields = {field for v in tomllib.loads(text)["vector"] for field in v.get("expect", {})}
    assert profile.battery.field in fields


def test_native_without_a_file() -> None:
    assert find("milesight/vs121", Path("/nonexistent")).codec == "milesight:vs121"


def test_a_sites_own_goes_first(tmp_path: Path) -> None:
    write(tmp_path, "elsys/ers", 'codec = "cayenne_lpp"')
    assert find("elsys/ers", tmp_path).codec == "cayenne_lpp"
    assert dict(every(tmp_path))["elsys/ers"].is_relative_to(tmp_path)


@pytest.mark.parametrize("name", ["", "elsys", "Elsys/ers", "a/b/c", "../x", "a/..", "a/b\n", "/a", "a b/c"])
def test_names(name: str) -> None:
    assert not is_name(name)
    with pytest.raises(NoProfile, match="must be vendor/model"):
        find(name, Path("/nonexistent"))


def test_none_of_this_name(tmp_path: Path) -> None:
    write(tmp_path, "boke/pegel-1", MINE)
    with pytest.raises(NoProfile, match='did you mean "boke/pegel-1"'):
        find("boke/pegel-2", tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('codec = "elsis"', "boke/x.toml:1: codec: "),
        ('\nencoder = "none.js"', "boke/x.toml:2: encoder: "),
        ("fports = [0]", "fports"),
        ("interval_s = 0", "interval_s"),
        ('colour = "red"', "colour"),
        ("battery = {}", "battery"),
        ("a = [", ":1:"),
    ],
)
def test_faults_have_their_line(tmp_path: Path, text: str, said: str) -> None:
    write(tmp_path, "boke/x", text)
    with pytest.raises(ConfigFaults) as caught:
        find("boke/x", tmp_path)
    assert said in str(caught.value.faults[0])
    _, faults = devices('[[device]]\nname = "a"\nprofile = "boke/x"\n', tmp_path)
    assert len(faults) == 1
    assert said in faults[0]


def test_faults_of_a_layout_are_those_of_its_profile(tmp_path: Path) -> None:
    write(tmp_path, "boke/x", 'codec = "boke/x.toml"')
    (tmp_path / "boke/x.toml").write_text("endian = 5")
    with pytest.raises(ConfigFaults, match="endian"):
        find("boke/x", tmp_path)


def test_devices_take_from_their_profile(tmp_path: Path) -> None:
    write(tmp_path, "boke/pegel-1", MINE)
    text = '[[device]]\nname = "a"\nprofile = "boke/pegel-1"\n'
    text += '[[device]]\nname = "b"\nprofile = "boke/pegel-1"\ncodec = "elsys"\nfports = [5, 6]\ninterval_s = 30\n'
    (a, b), faults = devices(text, tmp_path)
    assert faults == []
    assert (a.codec, a.fports, a.interval_s) == ("boke/level.js", (2,), 60)
    assert (b.codec, b.fports, b.interval_s) == ("elsys", (5, 6), 30)
    assert device_of(a, None, tmp_path).script == str(tmp_path / "boke/level.js")
    assert device_of(b, None, tmp_path).fports == (5, 6)


def test_encoder_and_battery(tmp_path: Path) -> None:
    more = 'encoder = "boke/down.js"\nbattery = { field = "battery", low = 3.0 }\n'
    write(tmp_path, "boke/pegel-1", MINE + more)
    for name in ("down", "other"):
        (tmp_path / f"boke/{name}.js").touch()
    text = '[[device]]\nname = "a"\nprofile = "boke/pegel-1"\n[[device]]\nname = "b"\nprofile = "boke/pegel-1"\n'
    text += 'encoder = "boke/other.js"\nbattery = { field = "v" }\n[[device]]\nname = "c"\ncodec = "boke/level.js"\n'
    (a, b, c), faults = devices(text, tmp_path)
    assert faults == []
    assert a.battery == profiles.Battery(field="battery", low=3.0)
    assert b.battery == profiles.Battery(field="v")
    made = [device_of(each, None, tmp_path).encoder for each in (a, b, c)]
    assert made == [str(tmp_path / "boke" / f"{name}.js") for name in ("down", "other", "level")]
    assert device_of(DeviceConfig(name="d", codec="elsys"), None, tmp_path).encoder is None


@pytest.mark.parametrize("encoder", ["elsys", "pegel.toml", "boke/none.js", "../x.js"])
def test_encoders_that_are_none(tmp_path: Path, encoder: str) -> None:
    write(tmp_path, "boke/pegel-1", MINE)
    _, (fault,) = devices(f'[[device]]\nname = "a"\nencoder = "{encoder}"\n', tmp_path)
    assert "encoder: " in fault
    assert fault.startswith("devices.toml:3: ")


def test_no_shipped_profile_states_what_was_not_looked_up() -> None:
    """When a battery is low depends on the cell and on the cold: that is the site's to say."""
    found = [find(name, Path("/nonexistent")) for name in SHIPPED]
    assert [p for p in found if p.battery is not None and p.battery.low is not None] == []


def test_a_profile_that_is_not_there(tmp_path: Path) -> None:
    _, (fault,) = devices('[[device]]\nname = "a"\nprofile = "boke/none"\n', tmp_path)
    assert fault.startswith("devices.toml:3: ")
    assert f'profile: is "boke/none", but there is no such profile in {tmp_path / "profiles"}' in fault


def test_each_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "boke/pegel-1", MINE)
    calls: list[Path] = []

    def counted(path: Path, scripts: Path) -> profiles.Profile:
        calls.append(path)
        return read(path, scripts)

    read = profiles.read
    monkeypatch.setattr(profiles, "read", counted)
    devices("".join(f'[[device]]\nname = "{n}"\nprofile = "boke/pegel-1"\n' for n in range(9)), tmp_path)
    assert len(calls) == 1
