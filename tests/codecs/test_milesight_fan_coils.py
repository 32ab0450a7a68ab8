"""Payloads by hand after the types in the vendor's newest decoder (WT303, WT304)."""

import pytest

from torhaus.codecs.payload.milesight import decoder, variants


def plain(payload: str, model: str = "wt303-v2") -> dict[str, object]:
    """Without the temperatures in both units."""
    seen = decoder(model)(bytes.fromhex(payload), 85)
    return {name: value.value for name, value in seen.items() if "fahrenheit" not in name and "celsius" not in name}


def test_the_plain_names_stay() -> None:
    assert variants("wt303") == ("wt303-v2",)
    assert plain("0521", "wt303") == {"temperature_control_status": "heating", "temperature_control_mode": "cooling"}
    assert plain("0521") == {"temperature_control_info_mode": 2, "temperature_control_info_status": 1}


def test_an_alarm_and_its_temperature_in_both_units() -> None:
    seen = decoder("wt304-v2")(bytes.fromhex("0931 8cff"), 85)
    assert {name: value.value for name, value in seen.items()} == {
        "temperature_alarm_type": 0x31,
        "temperature_alarm_anti_freeze_protection_trigger_temperature": -1.16,
        "temperature": -1.16,
        "temperature_alarm_anti_freeze_protection_trigger_fahrenheit_temperature"[:64]: 29.91,
        "temperature_alarm_anti_freeze_protection_trigger_celsius_temperature"[:64]: -1.16,
        "fahrenheit_temperature": 29.91,
        "celsius_temperature": -1.16,
    }


@pytest.mark.parametrize(
    ("model", "payload", "expected"),
    [
        ("wt303-v2", "7c 02 01 02", {"object": 2, "valve_2_pipe_3_wire_no": 1, "valve_2_pipe_3_wire_nc": 2}),
        ("wt304-v2", "7c 01 02", {"object": 1, "valve_2_pipe_10_v_control": 2}),
    ],
)
def test_what_is_connected(model: str, payload: str, expected: dict[str, object]) -> None:
    assert plain(payload, model) == {f"interface_settings_{name}": value for name, value in expected.items()}


def test_a_plan_that_comes_in_parts() -> None:
    """Plan 0 begins at 07:00 on Mondays, 21 degrees where that is enabled."""
    seen = plain("7b 00 03 02 6910 0000 0000 7b 00 04 01 01 a401 02")
    assert seen["schedule_settings_0_content_fan_mode"] == 2
    assert seen["schedule_settings_0_content_heat_target_temperature_enable"] == 1
    assert seen["schedule_settings_0_content_heat_target_temperature"] == 21.0
    assert seen["schedule_settings_0_cycle_settings_0_execution_time_point"] == 420
    assert seen["schedule_settings_0_cycle_settings_0_execution_day_mon"] == 1
