"""Each expected value is in its place, and none serves two names."""

from typing import Any

import pytest

from torhaus.codecs.model import Fields, Value
from torhaus.daemon.vectors.wmbus_compare import differences

M3 = "m3"


def compared(expected: dict[str, Any], *driver: str, **fields: Value) -> list[str]:
    read: Fields = dict(fields)
    return differences(expected, driver[0] if driver else "x", [read])


def test_values_units_and_times() -> None:
    fields = {
        "energy": Value(123400.0, "W.h"),
        "battery_remaining": Value(864000000, "s"),
        "time": Value("2027-04-23T14:10:00"),
        "date_storage_1": Value(None),
    }
    expected = {"total_kwh": 123.4, "battery_y": 27.397260, "meter_datetime": "2027-04-23 14:10"}
    assert compared(expected | {"set_date": "1999-11-30"}, **fields) == []
    assert compared({"total_kwh": 123.5}, **fields) == ["total_kwh: no record says 123.5"]
    assert compared({"total_m3": 123.4}, **fields) == ["total_m3: no record says 123.4"]
    assert compared({"meter_datetime": "2027-04-23 14:11"}, **fields) == [
        "meter_datetime: no record says 2027-04-23 14:11"
    ]


def test_the_right_value_in_the_wrong_place_is_wrong() -> None:
    assert compared({"total_m3": 2}, volume_storage_1=Value(2, M3)) == ["total_m3: 2 stands in volume_storage_1 only"]
    assert compared({"target_m3": 2}, volume=Value(2, M3)) == ["target_m3: 2 stands in volume only"]
    assert compared({"total_tariff_1_m3": 2}, volume_tariff_2=Value(2, M3)) != []
    assert compared({"total_kwh": 1}, power=Value(1000, "W")) != []


def test_no_record_serves_two_names() -> None:
    same = {"total_m3": 0, "total_volume_m3": 0}
    assert compared(same, volume=Value(0, M3)) == ["total_volume_m3: 0 stands in volume only, which is taken"]
    assert compared(same, volume=Value(0, M3), volume_2=Value(0, M3)) == []
    assert compared({"consumption_hca": 1, "current_consumption_hca": 1}, heat_cost_allocator=Value(1)) == []


def test_a_name_gives_way_to_one_that_has_no_other_place() -> None:
    expected = {"zaphod_m3": 7, "total_m3": 7, "target_m3": 7}
    assert compared(expected, volume=Value(7, M3), volume_storage_1=Value(7, M3), volume_tariff_1=Value(7, M3)) == []
    assert len(compared(expected, volume=Value(7, M3), volume_storage_1=Value(7, M3))) == 1


@pytest.mark.parametrize(
    ("storages", "is_row"), [((1, 2, 3), True), ((9, 7, 5), True), ((1, 3, 2), False), ((1, 2, 4), False)]
)
def test_numbered_names_stand_in_a_row(storages: tuple[int, ...], is_row: bool) -> None:
    fields = {f"volume_storage_{storage}": Value(10 * n, M3) for n, storage in enumerate(storages, start=1)}
    expected = {f"consumption_at_history_{n}_m3": 10 * n for n in (1, 2, 3)}
    assert (compared(expected, **fields) == []) == is_row


def test_phases_count_up() -> None:
    expected = {f"voltage_at_phase_{n}_v": 230 + n for n in (1, 2, 3)}
    assert compared(expected, **{f"voltage_l{n}": Value(230 + n, "V") for n in (1, 2, 3)}) == []
    assert compared(expected, **{f"voltage_subunit_{n}": Value(230 + n, "V") for n in (1, 2, 3)}) == []
    assert compared(expected, **{f"voltage_l{4 - n}": Value(230 + n, "V") for n in (1, 2, 3)}) != []


def test_values_that_are_alike_are_found_in_the_row_that_fits() -> None:
    fields = {f"volume_storage_{n}": Value(0 if n != 9 else 5, M3) for n in range(1, 13)}
    expected = {f"target_{n}_m3": 0 for n in range(1, 8)} | {"target_8_m3": 5}
    assert compared(expected, **fields) == []


def test_a_value_of_another_time_is_in_the_storage_of_its_date() -> None:
    day = Value("2026-12-31")
    expected = {"target_date": "2026-12-31", "target_m3": 4}
    assert compared(expected, date_storage_1=day, volume_storage_1=Value(4, M3)) == []
    assert compared(expected, date_storage_1=day, volume_storage_2=Value(4, M3)) == [
        "target_m3: not in the storage of target_date"
    ]


def test_a_driver_may_mean_another_place() -> None:
    fields = {"volume_tariff_1": Value(3, M3)}
    assert compared({"total_backwards_m3": 3}, "aquastream", **fields) == []
    assert compared({"total_backwards_m3": 3}, **fields) == ["total_backwards_m3: 3 stands in volume_tariff_1 only"]


def test_the_lowest_number_means_that_there_is_none() -> None:
    assert compared({"target_m3": -2147483.648}, volume_storage_1=Value(None, M3)) == []
    assert compared({"target_m3": -2147483.647}, volume_storage_1=Value(None, M3)) != []
    assert compared({"target_m3": 0}, volume_storage_1=Value(None, M3)) != []
    assert compared({"target_m3": -2147483.648}, energy_storage_1=Value(None, "W.h")) != []


def test_a_driver_may_know_a_unit_that_is_the_manufacturers_own() -> None:
    fields = {"manufacturer_specific_04_2b_tariff_8": Value(6)}
    assert compared({"active_power_l1_kw": 0.006}, "ime", **fields) == []
    assert compared({"active_power_l1_kw": 0.007}, "ime", **fields) != []
    assert compared({"active_power_l2_kw": 0.006}, "ime", **fields) != []
