"""What tables of keys are named by."""

import pytest

from torhaus.daemon.config.keys_names import keys_id_of, meter_name


@pytest.mark.parametrize(
    ("name", "id_"),
    [
        ("0011223344556677", "0011223344556677"),
        ("26-01-12-34", "26011234"),
        ("wmbus:kam/12345678", "wmbus:KAM/12345678"),
        ("wmbus:1234567A", "wmbus:1234567a"),
        ("wmbus:123", None),
        ("nothing", None),
        ("", None),
    ],
)
def test_names(name: str, id_: str | None) -> None:
    assert keys_id_of(name) == id_


def test_a_meters_name() -> None:
    assert meter_name("kam/12345678", is_lorawan=False) == "KAM/12345678"
    with pytest.raises(ValueError, match=r"wmbus: is .*8 digits"):
        meter_name("4711", is_lorawan=False)
    with pytest.raises(ValueError, match="two devices"):
        meter_name("12345678", is_lorawan=True)
