import pytest

from torhaus.codecs.model import DecodeError, RejectReason, Value
from torhaus.codecs.payload.milesight import decoder


def test_a_tracker_with_satellites_and_without() -> None:
    seen = decoder("at101")(bytes.fromhex("048800a32003002dc70012"), 85)
    assert seen["latitude"] == Value(52.470528, "deg")
    assert seen["motion_status"] == Value("moving")
    assert seen["geofence_status"] == Value("outside")
    point = decoder("at101")(bytes.fromhex("06d901020000000001c403"), 85)
    assert point["wifi_0_rssi"] == Value(-60, "dB[mW]")
    assert point["wifi_scan_result"] == Value("finish")
    none = decoder("at101")(bytes.fromhex("06d901ffffffffffff0000"), 85)
    assert none == {"wifi_scan_result": Value("timeout")}


def test_stored_values_of_one_input_and_of_two() -> None:
    one = decoder("ts301")(bytes.fromhex("20ce00105e5f10e1000000"), 85)
    assert one["history_0_temperature"] == Value(22.5, "Cel")
    assert one["history_0_temperature_alarm"] == Value("threshold_alarm")
    two = decoder("ts302")(bytes.fromhex("20ce00105e5f45f6ff0100"), 85)
    assert two["history_0_temperature_chn1"] == Value(-1.0, "Cel")
    assert two["history_0_magnet_chn2"] == Value("open")
    assert two["history_0_magnet_chn2_alarm"] == Value("threshold_alarm")


def test_events_of_a_thermometer_are_counted() -> None:
    seen = decoder("ts201")(bytes.fromhex("8367e10001b36700"), 85)
    assert seen["temperature"] == Value(22.5, "Cel")
    assert seen["event_0_temperature_alarm"] == Value("threshold alarm")
    assert seen["event_1_temperature_sensor_status"] == Value("read error")
    assert decoder("ts201")(bytes.fromhex("ffa0110102030405060708"), 85) == {
        "sensor_1_type": Value("DS18B20"),
        "sensor_1_sn": Value("0102030405060708"),
    }


def test_buttons() -> None:
    assert decoder("ws101")(bytes.fromhex("ff2e03"), 85) == {"button_event_status": Value("double press")}
    assert decoder("ws156")(bytes.fromhex("ff34021001"), 85) == {"button_2": Value(1), "button_2_d2d": Value(0x0110)}
    assert decoder("ws502")(bytes.fromhex("ff2921"), 85)["switch_2_change"] == Value("yes")


@pytest.mark.parametrize(
    ("model", "payload"), [("at101", "06d901"), ("ts301", "20ce00105e5f10e1"), ("ts302", "20ce00")]
)
def test_cut_off(model: str, payload: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decoder(model)(bytes.fromhex(payload), 85)
    assert caught.value.reason is RejectReason.SHORT
