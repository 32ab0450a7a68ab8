"""VIFEs change the name, the unit or the size of a value."""

import pytest

from torhaus.codecs.meter.mbus.vif import PRIMARY
from torhaus.codecs.meter.mbus.vife import apply

POWER = PRIMARY[0x2B]


@pytest.mark.parametrize(
    ("vifes", "quantity", "unit", "exponent"),
    [
        ([0x12], "power_average", "W", 0),
        ([0x22], "power", "W/h", 0),
        ([0x36], "power", "W.s", 0),
        ([0x74], "power", "W", -2),
        ([0x7D], "power", "W", 3),
        ([0x6F], "power_last_end_time", None, 0),
        ([0x4A], "power_upper_limit_exceed_first_begin_time", None, 0),
        ([0x49], "power_upper_limit_exceeds", None, 0),
        ([0x5D], "power_upper_limit_exceed_last_duration", "s", 0),
        ([0x7F, 0x01], "power_manufacturer_01", "W", 0),
    ],
)
def test_a_change(vifes: list[int], quantity: str, unit: str | None, exponent: int) -> None:
    changed = apply(POWER, vifes)
    assert (changed.quantity, changed.unit, changed.exponent) == (quantity, unit, exponent)


def test_a_fault() -> None:
    assert apply(POWER, [0x16]).fault == "data overflow"


def test_a_constant_that_is_added_leaves_the_value_as_it_was_sent() -> None:
    changed = apply(POWER, [0x79])
    assert (changed.quantity, changed.is_known, changed.scaled(5)) == ("power_vife_79", False, 5)


@pytest.mark.parametrize(
    ("vifes", "quantity", "is_known"),
    [
        ([0x7C, 0x01], "power_l1", True),
        ([0x7C, 0x0B, 0x12], "power_quadrant_4_average", True),
        ([0x7C, 0x12], "power", True),
        ([0x7C, 0x55, 0x12], "power_extension_55_average", False),
        ([0x7C], "power_extension", False),
        ([0x44], "power_vife_44", False),
    ],
)
def test_the_extension_and_what_nobody_knows(vifes: list[int], quantity: str, is_known: bool) -> None:
    changed = apply(POWER, vifes)
    assert (changed.quantity, changed.is_known) == (quantity, is_known)


def test_values_are_divided_so_that_decimals_are_exact() -> None:
    assert apply(PRIMARY[0x13], []).scaled(54321) == 54.321
    assert apply(PRIMARY[0x07], []).scaled(3) == 30000
