"""Every map that ships with torhaus can be read, names its source, and needs few requests."""

from pathlib import Path

import pytest

from torhaus.codecs.framing.modbus_blocks import merge
from torhaus.drivers.modbus_maps import MAX_MAP_BYTES, built_in, names, read_map


@pytest.mark.parametrize("name", names())
def test_ready_maps(name: str) -> None:
    found = built_in(name)
    assert len(found.source) > 20
    assert found.register or found.model
    assert len(merge(found.spans(), found.max_gap, found.max_registers)) <= 8


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
