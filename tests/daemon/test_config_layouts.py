from pathlib import Path

import pytest

from torhaus.codecs.model import Value
from torhaus.daemon.config.devices import read_devices
from torhaus.daemon.config.document import ConfigFaults, Tree, parse
from torhaus.daemon.config.layouts import Codecs, layout_faults, read_layout

SAMPLE = Path(__file__).parents[2] / "config" / "layouts" / "pegel.toml"


def test_the_sample_decodes_what_it_says() -> None:
    decode = Codecs(SAMPLE.parent)("pegel.toml")
    assert decode(bytes.fromhex("010d2c010405dc03"), 2) == {
        "battery_voltage": Value(3.372, "V"),
        "temperature": Value(26.0, "Cel"),
        "level": Value(1500, "mm"),
        "state": Value("open"),
        "flooded": Value(1),
    }
    assert decode(bytes.fromhex("010d2c8000ffff00"), 2)["level"] == Value("no echo")
    assert decode(bytes.fromhex("00010002"), 3) == {"rain_1": Value(0.2, "mm"), "rain_2": Value(0.4, "mm")}
    assert decode(bytes.fromhex("020c0100e6"), 4) == {"humidity": Value(6.0, "%"), "temperature": Value(23.0, "Cel")}


def test_a_layout_is_read_once(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_bytes(SAMPLE.read_bytes())
    codecs = Codecs(tmp_path)
    first = codecs("a.toml")
    file.unlink()
    assert codecs("a.toml") is first
    assert codecs("elsys")(b"\x01\x00\xe6", None) == {"temperature": Value(23.0, "Cel")}
    with pytest.raises(KeyError):
        codecs("elsis")


def test_common_names() -> None:
    decode = Codecs(SAMPLE.parent, common_names=True)("elsys")
    assert decode(b"\x02\x29", None) == {"relative_humidity": Value(41, "%")}


def test_faults_have_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text('[[message]]\nfport = 300\n[[message.field]]\nname = "Ä"\ntype = "u9"\n[[messages]]\n', "utf-8")
    faults = sorted(map(str, layout_faults(file)))
    assert [fault.split(":")[1] for fault in faults] == ["2", "4", "5", "6"]
    assert "message[0].fport: is 300, must be an FPort" in faults[0]
    assert 'did you mean "message"?' in faults[3]
    with pytest.raises(ConfigFaults):
        read_layout(file)
    assert layout_faults(SAMPLE) == []


def test_a_device_with_a_layout_that_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("endian = 1\n", "utf-8")
    tree = Tree()
    text = '[[device]]\nname = "a"\ncodec = "bad.toml"\n[[device]]\nname = "b"\ncodec = "none.toml"\n'
    tree.add(parse(text, "devices.toml"))
    _, faults = read_devices(tree, tmp_path)
    said = [str(fault) for fault in faults]
    assert any("device[b].codec" in text and "no such file" in text for text in said)
    assert any(text.startswith(f"{tmp_path}/bad.toml:1: endian: is 1") for text in said)
    assert any("message: is missing" in text for text in said)
