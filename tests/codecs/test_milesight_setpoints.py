"""Answers on f8 and f9 by hand, after the types in the vendor's decoder (WT201, WT211)."""

import pytest

from torhaus.codecs.payload.milesight import decoder


def values(payload: str) -> dict[str, object]:
    return {name: value.value for name, value in decoder("wt211")(bytes.fromhex(payload), 85).items()}


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ("f929ff", {"offline_timeout_time": "disable"}),
        ("f9291e", {"offline_timeout_time": 30}),
        ("f92200", {"temporary_unlock_settings_settings": "disable"}),
        ("f92205", {"temporary_unlock_settings_settings": "System On/Off&Temperature -"}),
        ("f95d05", {"temperature_control_enable_setting_mode": "heat/cool"}),
        ("f90700 63", {"fan_dehumidify_enable": "disable"}),
        ("f90701 05", {"fan_dehumidify_enable": "enable", "fan_dehumidify_execute_time": 5}),
        ("f92f10", {"timezone_index_timezone": "UTC+1"}),
        ("f98108", {"heating_stage1_wire": "W2(AUX)"}),
        ("f98611", {"emergency_heating_wire": "Y1+E"}),
        ("f98900", {"cooling_stage3_wire": "disable"}),
        ("f98b4101", {"plan_schedule_enable_config_wake": "enable", "plan_schedule_enable_config_eco": "disable"}),
        ("f99601", {"screen_target_others_enable": "enable"}),
        (
            "f964fa00",
            {
                "occupied_cooling_setpoint": 25.0,
                "fahrenheit_occupied_cooling_setpoint": 77.0,
                "celsius_occupied_cooling_setpoint": 25.0,
            },
        ),
        (
            "f96f0a",
            {
                "heating_setpoint_tolerance": 1.0,
                "fahrenheit_heating_setpoint_tolerance": 1.8,
                "celsius_heating_setpoint_tolerance": 1.0,
            },
        ),
        (
            "f959 01 04 03 ffff ff f000 0a",
            {
                "dual_temperature_plan_config_0_type": "away",
                "dual_temperature_plan_config_0_temperature_control_mode": "auto heat",
                "dual_temperature_plan_config_0_fan_mode": "disable",
                "dual_temperature_plan_config_0_cool_target_temperature": 24.0,
                "dual_temperature_plan_config_0_cool_temperature_tolerance": 1.0,
            },
        ),
    ],
)
def test_settings(payload: str, expected: dict[str, object]) -> None:
    assert values(payload) == expected
