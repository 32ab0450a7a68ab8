"""Settings of Tektelic's agriculture sensor and trackers: single registers. All of them: test_tektelic_settings.py."""

from torhaus.codecs.model import Value
from torhaus.codecs.payload.tektelic import decoder


def test_limits_of_the_soil_sensor() -> None:
    seen = decoder("agriculture-sensor")(bytes.fromhex("320af6 3801000080"), 100)
    assert seen["threshold_temperature_high_temp"] == Value(10, "Cel")
    assert seen["threshold_temperature_low_temp"] == Value(-10, "Cel")
    assert seen["threshold_input1_high_input1"] == Value(256)
    assert seen["threshold_input1_low_input1"] == Value(128)


def test_a_fence_of_the_tracker() -> None:
    seen = decoder("orca-industrial-gps-asset-tracker")(bytes.fromhex("34 3d3080 07fcf0 0064"), 100)
    assert seen["gnss_rx_config_geofence0_radius"] == Value(1000, "m")
    assert seen["gnss_rx_config_geofence0_latitude"] == Value(50.1264, "deg")
    assert seen["gnss_rx_config_geofence0_longitude"] == Value(13.0876, "deg")


def test_addresses_that_are_looked_for() -> None:
    seen = decoder("sparrow-enterprise-asset-tracker")(bytes.fromhex("54 aabbcc 000001 0000ff"), 100)
    assert seen["ble_whitelist0_oui"] == Value("AABBCC")
    assert seen["ble_whitelist0_lap_end"] == Value("0000FF")


def test_a_current_limit_of_the_transceiver() -> None:
    seen = decoder("industrial-transceiver")(bytes.fromhex("32 287d"), 100)
    assert seen["sensor_config_input2_current_low_threshold"].value == 0.004
    assert seen["sensor_config_input2_current_high_threshold"].value == 0.0125
