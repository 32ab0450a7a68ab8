from torhaus.codecs.model import Value
from torhaus.codecs.payload.milesight import decoder


def test_alarms_are_bits() -> None:
    seen = decoder("ct101")(bytes.fromhex("8498b80bd007c40905"), 85)
    assert seen["current_max"] == Value(30.0, "A")
    assert seen["current_alarm_current_threshold_alarm"] == Value("yes")
    assert seen["current_alarm_current_threshold_alarm_release"] == Value("no")
    assert seen["current_alarm_current_over_range_alarm"] == Value("yes")


def test_three_phases() -> None:
    assert decoder("ct303")(bytes.fromhex("0899e803"), 85) == {"current_chn3": Value(100.0, "A")}


def test_switches() -> None:
    seen = decoder("ws503-cn")(bytes.fromhex("082915"), 85)
    assert [seen[f"switch_{n}"].value for n in (1, 2, 3)] == ["on", "off", "on"]
    assert seen["switch_1_change"] == Value("yes")


def test_wall_switches_of_version_4() -> None:
    seen = decoder("ws502-v4")(bytes.fromhex("0374fc08 048064000000 87c9 401f01 b37401 ff2901"), 85)
    assert seen == {
        "voltage": Value(2300, "dV"),
        "electric_power": Value(100, "W"),
        "overcurrent_alarm_current": Value(8000, "mA"),
        "overcurrent_alarm_status": Value("overcurrent"),
        "voltage_collect_error_type": Value("collection error"),
        "button_status_button1": Value("on"),
        "button_status_button2": Value("off"),
    }
    assert decoder("ws502-v4")(bytes.fromhex("ff2932 fe2701"), 85) == {
        "button_status_control_button_status1": Value("off"),
        "button_status_control_button_status1_change": Value("yes"),
        "button_status_control_button_status2": Value("on"),
        "button_status_control_button_status2_change": Value("yes"),
        "power_consumption_clear": Value("yes"),
    }
    assert len(decoder("ws503-v4")(bytes.fromhex("ff2907"), 85)) == 3
