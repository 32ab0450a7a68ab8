"""Answers by hand after the types in the vendor's decoder (WS501 to WS503 of version 4)."""

import pytest

from torhaus.codecs.model import DecodeError
from torhaus.codecs.payload.milesight import decoder


def values(payload: str, model: str = "ws502-v4") -> dict[str, object]:
    return {name: value.value for name, value in decoder(model)(bytes.fromhex(payload), 85).items()}


def test_a_schedule_that_is_reported() -> None:
    """Number 2, enabled, Monday and Sunday, 06:30: button 1 on, button 2 off, unlocked."""
    seen = values("f967 02 01 41 06 1e 09 02")
    assert seen["schedule_report_0_schedule_id"] == 2
    assert seen["schedule_report_0_enable"] == "enable"
    assert [name[-3:] for name, word in seen.items() if "_day_" in name and word == "enable"] == ["mon", "sun"]
    assert (seen["schedule_report_0_execut_hour"], seen["schedule_report_0_execut_min"]) == (6, 30)
    assert (seen["schedule_report_0_button_status1"], seen["schedule_report_0_button_status2"]) == ("on", "off")
    assert seen["schedule_report_0_lock_status"] == "unlock"
    assert "schedule_report_0_button_status3" not in seen


def test_schedules_that_were_set_and_one_that_was_not() -> None:
    seen = values("f864 01010106000100 00 f864 02020106000100 00 f864 03010106000100 32")
    assert (seen["schedule_settings_0_schedule_id"], seen["schedule_settings_1_schedule_id"]) == (1, 2)
    assert seen["schedule_settings_1_enable"] == "disable"
    assert seen["device_response_result_request_schedule_settings_result"] == "failed, conflict with channel=2"
    assert "schedule_settings_2_schedule_id" not in seen


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ("f965ff", {"get_schedule_schedule_id": "all schedules"}),
        ("febd3c00", {"time_zone": "UTC+1"}),
        (
            "fe83 00 01 3412 31",
            {
                "d2d_agent_settings_array_0_number": 0,
                "d2d_agent_settings_array_0_enable": "enable",
                "d2d_agent_settings_array_0_control_command": "1234",
                "d2d_agent_settings_array_0_action_status_button": "button1, button2",
                "d2d_agent_settings_array_0_action_status_button_status": "on",
            },
        ),
        (
            "f9ab 01 0a00 1400 ffff",
            {
                "power_consumption_2w_enable": "enable",
                "power_consumption_2w_button_power1": 10,
                "power_consumption_2w_button_power2": 20,
            },
        ),
        (
            "f872 bc 03 57 7800 0a 57 b400 00",
            {
                "daylight_saving_time_enable": "enable",
                "daylight_saving_time_dst_bias": 60,
                "daylight_saving_time_start_month": "Mar.",
                "daylight_saving_time_start_week_num": "last",
                "daylight_saving_time_start_week_day": "Sun.",
                "daylight_saving_time_start_hour_min": "02:00",
                "daylight_saving_time_end_month": "Oct.",
                "daylight_saving_time_end_week_num": "last",
                "daylight_saving_time_end_week_day": "Sun.",
                "daylight_saving_time_end_hour_min": "03:00",
            },
        ),
    ],
)
def test_answers(payload: str, expected: dict[str, object]) -> None:
    assert values(payload) == expected


@pytest.mark.parametrize("payload", ["f864", "f86401010106000100", "f96701010106", "f9ab010a001400", "f8b80001"])
def test_what_is_cut_off(payload: str) -> None:
    with pytest.raises(DecodeError):
        values(payload)
