"""Every map that ships with torhaus can be read, names its source, and needs few requests."""

from pathlib import Path

import pytest

from torhaus.codecs.framing.modbus_blocks import Block, encode_blocks, merge
from torhaus.codecs.meter.modbus import decode_mapped
from torhaus.codecs.model import Scalar
from torhaus.drivers.modbus_maps import MAX_MAP_BYTES, built_in, names, read_map


@pytest.mark.parametrize("name", names())
def test_ready_maps(name: str) -> None:
    found = built_in(name)
    assert len(found.source) > 20
    assert found.register or found.model
    assert len(merge(found.spans(), found.max_gap, found.max_registers)) <= 8


def read_out(name: str, address: int, hexes: str) -> dict[str, Scalar]:
    """What a ready map makes of registers from an address on."""
    data = bytes.fromhex(hexes)
    found = built_in(name)
    block = Block(found.function, address, len(data) // 2, data)
    return {field: value.value for field, value in decode_mapped(encode_blocks([block]), found).items()}


def test_the_read_out_that_abb_prints() -> None:
    """A43/A44 User Manual 2CMC48001M0201 revision C, page 170, from the voltages on."""
    hexes = "00000FCA 00000FC0 00000065 000000C9 0000012E 00000086 0001E8E4 00005AE2 0000B097 0000DD6B"
    hexes += "00007541 0000001C FFFFD04A 0000A4DB 000225C3 00005AE2 0000B6DF 00011402"
    hexes += "1383 0087 0000 FF6A 016F 0000 04AF FB4E FFFF FFFF FFFF FFF3 0409 FCAE 03CC 03E8 03C6"
    assert read_out("abb_b23", 0x5B08, hexes) == {
        "current_l1": 1.01,
        "current_l2": 2.01,
        "current_l3": 3.02,
        "power": 1251.56,
        "power_l1": 232.66,
        "power_l2": 452.07,
        "power_l3": 566.83,
        "reactive_power": 300.17,
        "apparent_power": 1407.39,
        "frequency": 49.95,
        "power_factor": 0.972,
    }


@pytest.mark.parametrize("none", ["7FFFFFFF", "FFFFFFFF"])
def test_what_an_abb_meter_does_not_have(none: str) -> None:
    assert read_out("abb_b23", 0x5B1C, "7FFFFFFF" + 6 * "0000" + none + 6 * "0000" + "1388") == {"frequency": 50}


def test_the_low_register_first() -> None:
    """EM300 protocol, 2.1: words from low to high; 2.3: an overflow is FFFF 7FFF on the line."""
    assert read_out("carlo_gavazzi_em340", 0x28, "CFC7 FFFF 0001 0001 FFFF 7FFF") == {
        "power": -1234.5,
        "apparent_power": 6553.7,
    }


def test_a_counter_of_zero_does_not_count() -> None:
    """SunSpec's acc32: an inverter with power, and no energy."""
    words = "0067 0032" + 12 * "FFFF" + "04D2 0000" + 8 * "FFFF" + "00000000 0000" + 25 * "FFFF"
    found = read_out("sunspec", 40_002, words)
    assert found["power"] == 1234
    assert "energy_export" not in found
    assert read_out("sunspec", 40_002, words.replace("00000000 0000", "00000001 0003"))["energy_export"] == 1000


def test_there_are_those_that_the_sample_names() -> None:
    sample = (Path(__file__).parents[2] / "config/drivers/modbus.toml").read_text("utf-8")
    assert all(name in sample for name in names())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name = 3", "Expected `str`"),
        ("[", "end of document"),
        ('name = "x"\nsource = "x"', "either registers or SunSpec"),
        ("x = " + "[" * 10_000, "map.toml"),
        ("#" * (MAX_MAP_BYTES + 1), "larger"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "map.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=says) as caught:
        read_map(path)
    assert str(path) in str(caught.value)


def test_a_file_or_name_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        read_map(Path("/none/map.toml"))
    with pytest.raises(ValueError, match="eastron_sdm630"):
        built_in("../drivers/modbus")
