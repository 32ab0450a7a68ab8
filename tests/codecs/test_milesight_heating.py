"""Payloads by hand after the types in the vendor's decoder (WT102)."""

import pytest

from torhaus.codecs.model import DecodeError, RejectReason, Value
from torhaus.codecs.payload.milesight import decoder
from torhaus.codecs.registry import Decode


@pytest.fixture
def valve() -> Decode:
    return decoder("wt102")


def test_why_the_valve_opened_itself(valve: Decode) -> None:
    """0a: against frost, 0x21: from now on; 4.5 degrees, 30 % open."""
    first = {
        "anti_freeze_protection_alarm_type": Value(0x21),
        "anti_freeze_protection_alarm_trigger_environment_temperature": Value(4.5, "Cel"),
        "anti_freeze_protection_alarm_trigger_current_valve_status": Value(30, "%"),
    }
    assert decoder("wt102-v1")(bytes.fromhex("0a21c2011e"), 85) == first
    assert valve(bytes.fromhex("0a21c2011e"), 85) == {
        **first,
        "anti_freeze_protection_alarm_trigger_fahrenheit_environment_temp": Value(40.1, "[degF]"),
        "anti_freeze_protection_alarm_trigger_celsius_environment_tempera": Value(4.5, "Cel"),
        "temperature": Value(4.5, "Cel"),
        "fahrenheit_temperature": Value(40.1, "[degF]"),
        "celsius_temperature": Value(4.5, "Cel"),
        "valve_opening_degree": Value(30, "%"),
    }


def test_each_report_has_its_own_values(valve: Decode) -> None:
    """0e 01: 21.50 degrees in the room, 40 % open, 22.00 wanted, battery 99 %; then the position of the motor."""
    seen = valve(bytes.fromhex("0e0166082898086303e803"), 85)
    assert seen["periodic_reporting_target_temperature_for_heating_environment_te"] == Value(21.5, "Cel")
    assert seen["periodic_reporting_target_temperature_for_heating_target_tempera"] == Value(22.0, "Cel")
    assert seen["periodic_reporting_target_temperature_for_heating_battery_level"] == Value(99, "%")
    assert seen["motor_position"] == Value(1000)


def test_an_event_without_a_description_is_told_by_its_number(valve: Decode) -> None:
    assert valve(bytes.fromhex("0d77"), 85) == {"window_opening_alarm_type": Value(0x77)}


def test_an_event_that_is_cut_off(valve: Decode) -> None:
    with pytest.raises(DecodeError) as caught:
        valve(bytes.fromhex("0b21c2"), 85)
    assert caught.value.reason is RejectReason.SHORT


def plain(payload: str) -> dict[str, object]:
    """Without the temperatures in both units."""
    seen = decoder("wt102")(bytes.fromhex(payload), 85)
    return {name: value.value for name, value in seen.items() if "fahrenheit" not in name and "celsius" not in name}


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ("0814", {"low_battery_alarm_value": 20, "battery": 20}),
        ("6100", {"temperature_source_settings_type": 0}),
        (
            "61020a0001",
            {
                "temperature_source_settings_type": 2,
                "temperature_source_settings_lorawan_reception_timeout": 10,
                "temperature_source_settings_lorawan_reception_timeout_response": 1,
            },
        ),
        ("6500016502c800", {"temp_control_enable": 1, "temp_control_under_temperature_side_deadband": 2.0}),
        (
            "6501016506023408",
            {
                "temp_control_target_temperature_resolution": 1,
                "temp_control_mode_settings_mode": 2,
                "temp_control_mode_settings_intergrated_control_target_temp": 21.0,
            },
        ),
        (
            "6a0103",
            {
                "child_lock_enable": 1,
                "child_lock_system_button": 1,
                "child_lock_func_button": 1,
                "child_lock_reserved": 0,
            },
        ),
        (
            "6e020001 6e0201e001 6e050448 08",
            {
                "schedule_settings_0_id": 2,
                "schedule_settings_0_enable": 1,
                "schedule_settings_0_start_time": 480,
                "schedule_settings_1_id": 5,
                "schedule_settings_1_target_temperature": 21.2,
            },
        ),
        ("5f 00", None),
    ],
)
def test_settings(payload: str, expected: dict[str, object] | None) -> None:
    if expected is None:
        with pytest.raises(DecodeError):
            plain(payload)
    else:
        assert plain(payload) == expected


def test_a_setting_that_is_not_known_ends_decoding() -> None:
    """65 09: no such part of the control; what is behind it may be anything."""
    assert plain("0064 6509 0102 0014") == {"battery": 100}
