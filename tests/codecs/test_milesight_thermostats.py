"""Payloads by hand after the channels in the vendor's decoder (WT211, and the newest of the WT201)."""

import pytest

from torhaus.codecs.model import DecodeError
from torhaus.codecs.payload.milesight import decoder, variants
from torhaus.codecs.payload.milesight_thermostats import MODELS


def values(payload: str, model: str = "wt211") -> dict[str, object]:
    return {name: value.value for name, value in decoder(model)(bytes.fromhex(payload), 85).items()}


def test_the_vendors_example() -> None:
    """036702010467a6… of the README, with the names of today's decoder."""
    assert values("036702010467a60005e70006e80007bc00") == {
        "ambient_temperature": 25.8,
        "fahrenheit_ambient_temperature": 78.4,
        "celsius_ambient_temperature": 25.8,
        "target_temperature": 16.6,
        "current_temperature_control_mode_mode": "heat",
        "current_temperature_control_mode_status": "standby",
        "fan_mode_setting_mode": "auto",
        "fan_mode_setting_status": "standby",
        "plan_type": "not executed",
    }


def test_both_models_have_the_same_names_and_the_old_ones_stay() -> None:
    assert MODELS["wt211"] is MODELS["wt201-v3"]
    assert values("03670201", "wt211-v1") == values("03670201", "wt201") == {"temperature": 25.8}
    assert "wt201-v3" in variants("wt201")
    assert variants("wt211") == ("wt211-v1",)
    assert variants("wt201-v3") == ()


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ("0a6e05", {"enabled_relay": "Y1&W1"}),
        ("0a6e00", {"enabled_relay": "off"}),
        ("ff0f02", {"lorawan_class_type": "Class C"}),
        ("87e90201", {"source_alarm_source": "loRa", "source_alarm_alarm": "source switch alarm"}),
        ("fe250302", {"child_lock_config_power_button": "disable", "child_lock_config_up_button": "enable"}),
        (
            "fe8231",
            {"multicast_group_config_group1_enable": "enable", "multicast_group_config_group2_enable": "disable"},
        ),
        ("fe6a010a00", {"resend_interval": 10}),
        ("fef703000100", {"wires_relay_config_y1": "on", "wires_relay_config_y2_gl": "off"}),
        ("feba0000000000000000000000"[:24], {"dst_config_enable": "disable"}),
        ("febd3c00", {"time_zone": "UTC+1"}),
        (
            "f940001e0064002c01",
            {
                "target_temperature_range_alarm_0_temperature_control_mode": "heat",
                "target_temperature_range_alarm_0_target_temperature": 3.0,
                "target_temperature_range_alarm_0_min": 10.0,
                "target_temperature_range_alarm_0_max": 30.0,
            },
        ),
        (
            "fe06 0c 9cff 6400 0500 0600",
            {
                "temperature_alarm_config_condition": "outside",
                "temperature_alarm_config_alarm_type": "continuous low temperature",
                "temperature_alarm_config_threshold_min": -10.0,
                "temperature_alarm_config_threshold_max": 10.0,
                "temperature_alarm_config_lock_time": 5,
                "temperature_alarm_config_continue_time": 6,
            },
        ),
    ],
)
def test_channels_and_answers(payload: str, expected: dict[str, object]) -> None:
    assert values(payload) == expected


def test_two_entries_of_a_list() -> None:
    seen = values("fec80303014e36 fec80001020a05")
    assert seen["plan_cfg_0_plan_id"] == "sleep"
    assert seen["plan_cfg_0_target"] == 78
    assert seen["plan_cfg_1_temp_mode"] == "em heat"
    assert seen["plan_cfg_1_fan_mode"] == "circulate"


def test_every_answer_that_is_cut_off_is_refused() -> None:
    for key in MODELS["wt211"]:
        with pytest.raises(DecodeError):
            decoder("wt211")(bytes.fromhex(key), 85)
