"""Rows of values in one record."""

import pytest

from torhaus.codecs.meter.mbus.profile import is_profile, profile
from torhaus.codecs.meter.mbus.record import Record, records


@pytest.mark.parametrize(
    ("raw", "values"),
    [
        ("3bfe990000520000ffffff", [99, 52, None]),  # BCD, months; what is no number is none
        ("32fe0100feff0080", [1, -2, None]),  # 16 bits with sign; 8000 is invalid
        ("71fe05ff", [5, None]),  # increments of 8 bits
        ("f1fe05fb80", [5, -5, None]),  # signed differences
        ("3bfe9900", None),  # half a value
        ("35fe00000000", None),  # floating point
        ("30fe00", None),  # no data
        ("3b", None),
        ("", None),
        ("31fe" + "00" * 97, None),  # too many
    ],
)
def test_values(raw: str, values: list[int | None] | None) -> None:
    assert profile(bytes.fromhex(raw)) == values


def test_a_record_with_a_profile() -> None:
    (found,) = records(bytes.fromhex("8d04931e0a3cfe3300000034000000"))
    assert isinstance(found, Record)
    assert found.quantity == "volume_compact_profile_register"
    assert (found.value, found.profile, found.unit) == ("3cfe3300000034000000", (0.033, 0.034), "m3")
    assert is_profile(found.quantity)
    assert not is_profile("volume")
