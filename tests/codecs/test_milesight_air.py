import pytest

from torhaus.codecs.model import DecodeError, Value
from torhaus.codecs.payload.milesight import decoder


def test_a_slope_has_its_alarm_in_the_lowest_bit() -> None:
    tilt = decoder("em320-tilt")(bytes.fromhex("03d40000010050ce"), 85)
    assert tilt["angle_x"] == Value(0.0, "deg")
    assert tilt["threshold_y"] == Value("trigger")
    assert tilt["angle_y"] == Value(0.0, "deg")
    assert tilt["angle_z"] == Value(-63.6, "deg")


def test_stored_pulses_and_levels() -> None:
    pulse = decoder("em300-di")
    both = pulse(bytes.fromhex("20ce9e74466310015d0200000100 00 20ce9e74466310015d010100000000".replace(" ", "")), 85)
    assert both["history_0_pulse"] == Value(256)
    assert both["history_1_gpio"] == Value("high")
    assert both["history_1_gpio_type"] == Value("gpio")
    water = pulse(bytes.fromhex("21ce9e74466310015d03020001000a0000002041"), 85)
    assert water["history_0_alarm"] == Value("water flow timeout alarm")
    assert water["history_0_water"] == Value(10.0)
    with pytest.raises(DecodeError):
        pulse(bytes.fromhex("20ce9e74"), 85)


def test_gas_and_its_calibration() -> None:
    gas = decoder("gs301")(bytes.fromhex("047d3200057dffff07ea000132000007ea090000000001 75 64".replace(" ", "")), 85)
    assert gas["nh3"] == Value(0.5, "[ppm]")
    assert gas["h2s_sensor_status"] == Value("device error")
    assert gas["nh3_calibration_result_type"] == Value("manual")
