"""Manufacturers' own bytes behind the records."""

import pytest

from tests.codecs.wmbus_own_fakes import HYDRODIGIT, ZENNER, other
from torhaus.codecs.meter.wmbus.own.behind import _day
from torhaus.codecs.meter.wmbus.telegram import decode


def test_zenner() -> None:
    fields = decode(other(ZENNER, "496a", 0x0B, 0x16))
    assert (fields["volume"].value, fields["volume_of_month"].value, fields["state"].value) == (100.0, 1.0, 1)
    assert fields["manufacturer_data"].value == "0100000000e8030000a0860100"


def test_hydrodigit() -> None:
    fields = decode(other(HYDRODIGIT, "b409", 0x17, 6))
    assert (fields["volume"].value, fields["battery_voltage"].value) == (12345.678, 3.05)
    assert (fields["tampering"].value, fields["tampering_date"].value) == ("magnet", "2025-05-12")
    assert (fields["leakage_date"].value, fields["volume_backward"].value) == ("2025-04-25", 0.007)
    months = [fields[f"volume_end_of_month_storage_{n}"].value for n in range(1, 13)]
    assert months == [1.93] * 11 + [None]
    bare = decode(other("7a00000000 0c1378563412 0f 0100", "b409", 0x13, 7))
    assert [*bare][-2:] == ["manufacturer_data", "battery_voltage"]


def test_shorter_ones_and_those_of_others_are_bytes() -> None:
    for n in range(2, 60, 2):
        fields = decode(other("7a00000000 0c1378563412 0f" + HYDRODIGIT[33:].replace(" ", "")[:n], "b409", 0x13, 7))
        assert fields["volume"].value == 12345.678
        assert "manufacturer_data" in fields
    assert "volume" not in decode(other(ZENNER, "496a", 0x0C, 0x16))


@pytest.mark.parametrize(("raw", "day"), [("25120a", None), ("251210", "2025-12-10"), ("250a10", "2025-10-10")])
def test_months_either_way(raw: str, day: str | None) -> None:
    assert _day(bytes.fromhex(raw)) == day
