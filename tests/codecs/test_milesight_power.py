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
