"""Settings by hand after the types in the vendor's decoder (WT401)."""

import pytest

from torhaus.codecs.payload.milesight import decoder


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ("d503574331", {"ble_phone_name_length": 3, "ble_phone_name_value": "WC1"}),
        ("6101010a00", {"reporting_interval_lora_unit": 1, "reporting_interval_lora_minutes_of_time": 10}),
        (
            "6c03001e00",
            {"communicate_interval_power_bus_unit": 0, "communicate_interval_power_bus_seconds_of_time": 30},
        ),
        (
            "6405",
            {
                "mode_enable_heat": 1,
                "mode_enable_em_heat": 0,
                "mode_enable_cool": 1,
                "mode_enable_auto": 0,
                "mode_enable_reserved": 0,
            },
        ),
        ("8403050a", {"pir_night_check_period": 5, "pir_night_check_rate": 10}),
        (
            "7b0101 486569 7a756e 7b01 02 67000000",
            {
                "schedule_settings_0_id": 1,
                "schedule_settings_0_name_first": "Heizun",
                "schedule_settings_0_name_last": "g",
            },
        ),
        (
            "69003408",
            {
                "target_temperature_settings_heat": 21.0,
                "target_temperature_settings_fahrenheit_heat": 70.0,
                "target_temperature_settings_celsius_heat": 21.0,
            },
        ),
        (
            "76016400",
            {
                "temperature_calibration_settings_enable": 1,
                "temperature_calibration_settings_calibration_value": 1.0,
                "temperature_calibration_settings_fahrenheit_calibration_value": 1.8,
                "temperature_calibration_settings_celsius_calibration_value": 1.0,
            },
        ),
    ],
)
def test_settings(payload: str, expected: dict[str, object]) -> None:
    seen = decoder("wt401")(bytes.fromhex(payload), 85)
    assert {name: value.value for name, value in seen.items()} == expected
