"""Techem's meters that send no records."""

from typing import Any

import pytest

from tests.codecs.wmbus_own_fakes import FHKV, MK_3, MK_3A, techem
from torhaus.codecs.meter.wmbus.own.techem import records_of
from torhaus.codecs.meter.wmbus.telegram import decode
from torhaus.codecs.model import DecodeError, RejectReason


def read(body: str, version: int, kind: int) -> dict[str, Any]:
    return {name: value.value for name, value in list(decode(techem(body, version, kind)).items())[4:]}


def test_water() -> None:
    volumes = {"volume": 105.0, "volume_storage_1": 100.0}
    assert read(MK_3, 0x74, 0x62) == volumes | {"date": "2026-03-14", "date_storage_1": "2025-03-31"}
    assert read(MK_3, 0x70, 0x72) == volumes
    found = read(MK_3A, 0x50, 0x72)
    assert (found["volume"], found["date"]) == (1000.0, "2025-08-17")
    assert [found["volume_of_month"], *(found[f"volume_of_month_storage_{n}"] for n in range(1, 12))] == [2.2] * 12


@pytest.mark.parametrize(
    ("today", "date"),
    [("e007", "2026-03-30"), ("f007", "2026-03-31"), ("1008", "2025-04-01"), ("0000", "2025-12-01"), ("f0ff", None)],
)
def test_today_is_the_first_after_the_due_date(today: str, date: str | None) -> None:
    """31 March itself: a year has passed. A month or day of 0: the last one, the first one."""
    assert read(f"067f32e803{today}32000000", 0x74, 0x62)["date"] == date


def test_the_halves_of_a_month() -> None:
    halves = "00 0102 00 0304 00"
    assert list(read("0c00 8f32 102700" + halves, 0x50, 0x62).values())[2:] == [0.1, 0.5], "4 is of a month before"
    assert list(read("0c00 9032 102700" + halves, 0x50, 0x62).values())[2:] == [0.3, 0.7]
    assert list(read("0c00 0000 102700" + halves, 0x50, 0x62).values())[1:] == [None], "no date, no months"


def test_heat() -> None:
    compact = read("00 9f33 102700 00 640000", 0x39, 0x43)
    assert compact == {
        "energy": 10_100_000, "energy_storage_1": 10_000_000, "energy_of_period": 100_000,
        "date_storage_1": "2025-12-31",
    }  # fmt: skip
    assert read("12 9f33 e803 5024 6400", 0x27, 0x04)["energy"] == 1_100_000_000


@pytest.mark.parametrize("first", ["0f", "11", "01"])
def test_allocators(first: str) -> None:
    body = FHKV if first == "0f" else FHKV.replace("0f", first, 1).replace("1900 00", "1900")
    assert read(body, 0x69, 0x80) == {
        "heat_cost_allocator": 25, "heat_cost_allocator_storage_1": 300, "date": "2026-10-03",
        "date_storage_1": "2025-12-31", "external_temperature": 20.0, "radiator_temperature": 25.0,
    }  # fmt: skip


@pytest.mark.parametrize(("state", "word"), [("00", "ok"), ("01", "smoke"), ("71", "manufacturer_71")])
def test_smoke(state: str, word: str) -> None:
    assert read(state + "9f33", 0x76, 0xF0) == {"alarm": word, "date_storage_1": "2025-12-31"}


def test_others_and_short_ones() -> None:
    assert records_of(0x45, 0x62, b"") is None
    for version, kind in ((0x74, 0x62), (0x50, 0x62), (0x45, 0x04), (0x27, 0x04), (0x69, 0x80), (0x76, 0xF0)):
        with pytest.raises(DecodeError) as caught:
            decode(techem("00", version, kind))
        assert caught.value.reason is RejectReason.SHORT
