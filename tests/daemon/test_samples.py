"""The samples under config/ are executable documentation: they load, and what they show as a default is the default."""

import re
import tomllib
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from torhaus.daemon.config.devices import DeviceConfig
from torhaus.daemon.config.lines import KeyPath, key_lines
from torhaus.daemon.config.load import Loaded, load
from torhaus.daemon.config.model import DriverCommon, ForwarderCommon, Root, parse_size
from torhaus.daemon.config.sample import MAIN, samples
from torhaus.daemon.forward import registry as forwarders
from torhaus.daemon.lora.filters import FrameFilter
from torhaus.daemon.scans.config import ScanConfig
from torhaus.daemon.scans.stations import Sidecar
from torhaus.daemon.scans.targets import registry as targets
from torhaus.drivers import registry as drivers

SAMPLES: Final = samples()
PLUG_INS: Final = [kind for kind in SAMPLES if kind.startswith(("drivers/", "forwarders/"))]
SCANS: Final = [kind for kind in SAMPLES if kind.startswith(("scans/", "scan_targets/"))]
COMMENTED: Final = re.compile(r"#=? ?(?=(\[\[?[a-z_.0-9]+\]\]?|[a-z_0-9]+ = \S.*)$)")
UNSET: Final = "# not set"


def text_of(kind: str) -> str:
    return SAMPLES[kind].read_text(encoding="utf-8")


def uncommented(text: str) -> tuple[str, set[int]]:
    """The text with every setting in force, and the lines that were comments."""
    lines = text.splitlines()
    return "\n".join(COMMENTED.sub("", line) for line in lines), {
        i for i, line in enumerate(lines, 1) if COMMENTED.match(line)
    }


def load_with(folder: Path, *kinds: str) -> Loaded:
    """The samples in conf.d, and the devices that they speak of."""
    (folder / "torhaus.toml").write_text('[site]\nid = "x"\n')
    (folder / "conf.d").mkdir()
    names = set()
    for kind in kinds:
        (folder / "conf.d" / f"{kind.replace('/', '-')}.toml").write_text(text_of(kind), encoding="utf-8")
        for table in tomllib.loads(text_of(kind)).get("driver", ()):
            named = (table, *table.get("devices", ()), *table.get("meter", ()))
            names |= {d["device"] for d in named if "device" in d}
    (folder / "devices.toml").write_text("".join(f'[[device]]\nname = "{name}"\n' for name in names))
    return load(folder / "torhaus.toml")


def test_the_main_sample_loads_beside_the_devices_of_this_folder() -> None:
    found = load(SAMPLES[MAIN])
    assert [config.type for _, config in found.drivers] == ["semtech_udp"]
    assert found.files == [SAMPLES[MAIN], SAMPLES["devices"]]
    assert found.notes == []


@pytest.mark.parametrize("kind", PLUG_INS)
def test_samples_of_plug_ins_load(kind: str, tmp_path: Path) -> None:
    found = load_with(tmp_path, kind)
    configs = [config for *_, config in (*found.drivers, *found.forwarders)]
    assert [config.type for config in configs] == [kind.partition("/")[2]]


def test_samples_of_scans_load_together(tmp_path: Path) -> None:
    found = load_with(tmp_path, *SCANS).scan
    assert found.station
    assert {targets.kind_of(target) for target in found.target} == set(targets.TARGETS)


def test_the_devices_of_the_sample_load_with_their_keys(tmp_path: Path) -> None:
    server = '[lorawan.chirpstack]\nurl = "https://chirpstack.example.org"\ntoken_file = "token"\n'
    (tmp_path / "torhaus.toml").write_text(f'[site]\nid = "x"\n{server}')
    (tmp_path / "devices.toml").write_text(uncommented(text_of("devices"))[0], encoding="utf-8")
    keys = tmp_path / "devices.keys.toml"
    keys.write_text(re.sub(r"(?m)^# (?=\[([0-9a-f]{16}|\"wmbus:.*\")\]$)", "", uncommented(text_of("devices.keys"))[0]))
    keys.chmod(0o600)
    script = tmp_path / "decoders" / "vendor" / "encoder.js"
    script.parent.mkdir(parents=True)
    script.touch()
    found = load(tmp_path / "torhaus.toml")
    assert [d.name for d in found.devices] == [
        "sitzungssaal-co2",
        "pumpwerk-fuellstand",
        "bauhof-salzsilo",
        "wasser-rathaus",
        "stromzaehler-rathaus",
    ]
    assert list(found.keys) == ["sitzungssaal-co2", "pumpwerk-fuellstand", "wasser-rathaus"]
    assert found.notes == ["0011223344556688: keys of no device in the list"]


def test_the_sample_of_keys_is_read_by_nobody() -> None:
    assert SAMPLES["devices.keys"].name == "devices.keys.toml.sample"
    assert tomllib.loads(text_of("devices.keys")) == {}


def structs_of(data: dict[str, Any], path: KeyPath) -> list[type[msgspec.Struct]]:
    """The structs that may have the key at this path; none for examples in tables that are only examples."""
    match path:
        case ("driver", int() as i, _):
            return [DriverCommon, drivers.load(data["driver"][i]["type"]).Config]
        case ("forwarder", int() as i, _):
            return [ForwarderCommon, forwarders.load(data["forwarder"][i]["type"]).Config]
        case ("forwarder", int(), "filter", _):
            return [FrameFilter]
        case ("device", int(), _):
            return [DeviceConfig]
        case ("scan", str()):
            return [ScanConfig]
        case ("scan", "check", _):
            return [type(ScanConfig().check)]
        case ("scan", "station", int(), "sidecar", _):
            return [Sidecar]
        case ("scan", str() as kind, int() as i, _):
            type_ = data["scan"][kind][i].get("type", "folder")
            if kind == "target":
                return [targets.load(type_).Config]
            found = station_classes().get(type_) if kind == "station" else None
            return [found] if found is not None else []
        case (str() as table, str()):
            field = next(f for f in msgspec.structs.fields(Root) if f.name == table)
            return [field.type] if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct) else []
        case _:
            return []


def station_classes() -> dict[str, type[msgspec.Struct]]:
    info = msgspec.inspect.type_info(ScanConfig)
    assert isinstance(info, msgspec.inspect.StructType)
    return tagged(next(f.type for f in info.fields if f.name == "station"))


def tagged(info: msgspec.inspect.Type) -> dict[str, type[msgspec.Struct]]:
    assert isinstance(info, msgspec.inspect.VarTupleType)
    members = info.item_type.types if isinstance(info.item_type, msgspec.inspect.UnionType) else (info.item_type,)
    return {str(m.tag): m.cls for m in members if isinstance(m, msgspec.inspect.StructType)}


def value_at(data: Any, path: KeyPath) -> Any:
    for key in path:
        data = data[key]
    return data


def commented_settings(kind: str) -> list[tuple[KeyPath, Any, list[type[msgspec.Struct]], str]]:
    text, commented = uncommented(text_of(kind))
    data = tomllib.loads(text)
    lines = text.splitlines()
    return [
        (path, value_at(data, path), structs_of(data, path), lines[line - 1])
        for path, line in key_lines(text).items()
        if line in commented and isinstance(path[-1], str) and not lines[line - 1].startswith("[")
    ]


@pytest.mark.parametrize("kind", [kind for kind in SAMPLES if kind != "devices.keys"])
def test_commented_settings_are_the_defaults(kind: str) -> None:
    wrong = []
    for path, value, structs, line in commented_settings(kind):
        fields = {f.encode_name: f for struct in structs for f in msgspec.structs.fields(struct)}
        key = str(path[-1])
        if not structs:
            continue
        if key not in fields:
            wrong.append(f"{kind}: {line}: no such key")
            continue
        field = fields[key]
        if field.required or field.default is None or UNSET in line:
            continue  # an example
        default = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
        if key.endswith("_bytes") and isinstance(value, str):
            value = parse_size(value)  # noqa: PLW2901
        if msgspec.convert(value, field.type) != default:
            wrong.append(f"{kind}: {line}: the default is {default!r}")
    assert wrong == []


def test_the_main_sample_shows_every_setting() -> None:
    text, _ = uncommented(text_of(MAIN))
    data = tomllib.loads(text)
    for field in msgspec.structs.fields(Root):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            assert set(data[field.name]) == set(field.type.__struct_fields__), field.name
    (forwarder,) = data["forwarder"]
    assert set(ForwarderCommon.__struct_fields__) <= set(forwarder)
    (driver,) = data["driver"]
    assert set(DriverCommon.__struct_fields__) <= set(driver)
    shown = set[str]().union(*tomllib.loads(uncommented(text_of("devices"))[0])["device"])
    assert shown == set(DeviceConfig.__struct_encode_fields__)


def test_the_tests_look_at_something() -> None:
    assert len(commented_settings(MAIN)) > 20
    assert all(commented_settings(kind) for kind in (*PLUG_INS, *SCANS, "devices"))
