import pytest

from torhaus.codecs.model import DecodeError, RejectReason, Value
from torhaus.codecs.payload.netvox import decode
from torhaus.codecs.payload.netvox_types import CONFIGURED, OWN_CONFIGURATION, REPORTS, TYPES


def test_every_type_has_its_report() -> None:
    assert REPORTS.keys() == TYPES.keys()
    assert CONFIGURED.keys() <= TYPES.keys()
    assert {number for number, _ in OWN_CONFIGURATION} <= TYPES.keys()


def test_a_low_battery_is_said() -> None:
    assert decode(bytes.fromhex("0102019701000000000000"), 6) == {
        "device": Value("R311A"),
        "volt": Value("2.3(low battery)"),
        "onoff": Value(1),
    }


def test_vibration_that_is_no_number() -> None:
    with pytest.raises(DecodeError) as caught:
        decode(bytes.fromhex("011c0124807f0000000000"), 6)
    assert caught.value.reason is RejectReason.RANGE


def test_vibration_beyond_all_measure() -> None:
    huge = decode(bytes.fromhex("011c01247f7f000000ff00"), 6)
    assert huge["acceleration_x"].value == pytest.approx(3.39e38, rel=0.01)


def test_a_missing_probe() -> None:
    assert decode(bytes.fromhex("0109085a03e8fffffff600"), 6) == {
        "device": Value("R726Series"),
        "volt": Value(9.0, "V"),
        "ph": Value(10.0, "[pH]"),
        "temp_ph": Value("NoSensor"),
        "orp": Value(-10, "mV"),
    }
