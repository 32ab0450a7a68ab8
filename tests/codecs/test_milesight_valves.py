import pytest

from torhaus.codecs.model import DecodeError, RejectReason, Value
from torhaus.codecs.registry import load


def test_a_command_to_a_valve_that_was_carried_out() -> None:
    assert load("milesight:uc511")(b"\3\1\xff", 85) == {"valve_1_result": Value("success")}


def test_stored_states_are_numbered() -> None:
    stored = bytes.fromhex("20ce3fa109640005000000")
    fields = load("milesight:uc512")(stored + stored, 85)
    assert fields["history_0_gpio_1"] == fields["history_1_gpio_1"] == Value("off")


def test_pressure_beyond_its_limits_and_what_a_valve_does() -> None:
    seen = load("milesight:uc511")(bytes.fromhex("0bf50102640090019a0101 0eaf010001".replace(" ", "")), 85)
    assert seen["pressure_threshold_alarm_valve_strategy"] == Value("valve 1 open")
    assert seen["pressure_threshold_alarm_threshold_max"] == Value(400, "kPa")
    assert seen["pressure_threshold_alarm_current_pressure"] == Value(410, "kPa")
    assert seen["pressure_threshold_alarm_alarm_status"] == Value("trigger alarm")
    assert seen["valve_1_task_status_task_status"] == Value("normal local plan")
    assert seen["valve_1_task_status_real_status"] == Value("valve is currently closed")


def test_a_motor_valve_that_was_calibrated() -> None:
    assert load("milesight:uc521")(bytes.fromhex("0de301003201"), 85) == {
        "valve_2_calibration_event_source_value": Value(0),
        "valve_2_calibration_event_target_value": Value(50),
        "valve_2_calibration_event_result": Value("success"),
    }
    with pytest.raises(DecodeError) as caught:
        load("milesight:uc521")(bytes.fromhex("0de3010032"), 85)
    assert caught.value.reason is RejectReason.SHORT
