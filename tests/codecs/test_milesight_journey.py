"""Payloads by hand after the types in the vendor's decoder (TS601, TS602, WT401)."""

import pytest

from torhaus.codecs.model import DecodeError, RejectReason, Value
from torhaus.codecs.payload.milesight import decoder


@pytest.mark.parametrize("model", ["ts601", "ts602"])
def test_goods_on_their_way(model: str) -> None:
    payload = "014b 0302 0102030405060708 04fcfeffff 05e701 06f0612003 98d1cc00 0c01 0d6400 9cff 2823 0e00"
    assert decoder(model)(bytes.fromhex(payload), 85) == {
        "battery": Value(75, "%"),
        "sensor_id_type": Value(2),
        "sensor_id_id": Value("0102030405060708"),
        "temperature": Value(-2.6, "Cel"),
        "humidity": Value(48.7, "%"),
        "base_station_position_latitude": Value(52.453872, "deg"),
        "base_station_position_longitude": Value(13.423, "deg"),
        "probe_connect_status": Value(1),
        "relative_surface_info_angle_x": Value(1.0, "deg"),
        "relative_surface_info_angle_y": Value(-1.0, "deg"),
        "relative_surface_info_angle_z": Value(90.0, "deg"),
        "report_package_type": Value(0),
    }


def test_alarms() -> None:
    seen = decoder("ts601")(bytes.fromhex("0820 0a050000 c8000000 0911 2c01 0a21 0b10 1110 0a"), 85)
    assert seen == {
        "temperature_alarm_type": Value(0x20),
        "temperature_alarm_mutation_alarm_trigger_temperature": Value(12.9, "Cel"),
        "temperature_alarm_mutation_alarm_trigger_saltation": Value(2.0, "K"),
        "temperature_alarm_types": Value(0x20),
        "temperature": Value(12.9, "Cel"),
        "humidity": Value(30.0, "%"),
        "humidity_alarm_type": Value(0x11),
        "humidity_alarm_types": Value(0x11),
        "tilt_alarm_types": Value(0x21),
        "light_alarm_types": Value(0x10),
        "humidity_alarm_lower_range_alarm_trigger_humidity": Value(30.0, "%"),
        "tilt_alarm_type": Value(0x21),
        "light_alarm_type": Value(0x10),
        "battery_alarm_lower_battery_alarm_battery": Value(10, "%"),
    }
    fault = decoder("ts601")(bytes.fromhex("0800 0c01"), 85)
    assert fault == {
        "temperature_alarm_type": Value(0),
        "temperature_alarm_types": Value(0),
        "probe_connect_status": Value(1),
    }


def test_a_panel() -> None:
    assert decoder("wt401")(bytes.fromhex("0064 016608 02f401 0300 0401 06d007 0801 0d02"), 85) == {
        "battery": Value(100, "%"),
        "temperature": Value(21.5, "Cel"),
        "fahrenheit_temperature": Value(70.7, "[degF]"),
        "celsius_temperature": Value(21.5, "Cel"),
        "humidity": Value(50.0, "%"),
        "temperature_mode": Value(0),
        "fan_mode": Value(1),
        "target_temperature1": Value(20.0, "Cel"),
        "fahrenheit_target_temperature1": Value(68.0, "[degF]"),
        "celsius_target_temperature1": Value(20.0, "Cel"),
        "pir_status": Value(1),
        "key_event_type": Value(2),
    }


def test_a_panel_with_words() -> None:
    """The same bytes with the names of the other published decoder."""
    seen = decoder("wt401-v1")(bytes.fromhex("0300 0401 06d007 0801 0d02"), 85)
    assert {name: value.value for name, value in seen.items()} == {
        "temperature_control_mode": "heat",
        "fan_mode": "circulate",
        "target_temperature_1": 20.0,
        "pir_status": "occupied",
        "button_event": "F3",
    }


def test_settings() -> None:
    seen = decoder("ts602")(bytes.fromhex("77 01 02 9cffffff c8000000 62 01 0a00 60 07 80 01"), 85)
    assert {name: value.value for name, value in seen.items()} == {
        "temperature_alarm_settings_enable": 1,
        "temperature_alarm_settings_threshold_condition": 2,
        "temperature_alarm_settings_threshold_min": -1.0,
        "temperature_alarm_settings_threshold_max": 2.0,
        "collection_interval_unit": 1,
        "collection_interval_minutes_of_time": 10,
        "reporting_interval_unit": 7,
        "falling_alarm_settings_enable": 1,
    }


def test_cut_off() -> None:
    for payload in ("04fcfeff", "0820 0a050000 c80000", "08", "11", "1110", "06f0612003"):
        with pytest.raises(DecodeError) as caught:
            decoder("ts601")(bytes.fromhex(payload), 85)
        assert caught.value.reason is RejectReason.SHORT
