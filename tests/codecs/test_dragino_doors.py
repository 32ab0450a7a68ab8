import pytest

from torhaus.codecs.model import DecodeError, RejectReason, Value
from torhaus.codecs.payload.dragino import decoder

EVENT = "030000020000056180000a"


def test_a_door_and_its_log() -> None:
    door = decoder("lds03a")
    assert door(bytes.fromhex(EVENT), 2) == {
        "alarm": Value("TRUE"),
        "door_open_status": Value("OPEN"),
        "door_open_times": Value(2),
        "last_door_open_duration": Value(5, "min"),
        "time": Value("2021-11-01 14:56:10"),
    }
    assert door(bytes.fromhex(EVENT + EVENT), 3) == {"datalog": Value("[TRUE,OPEN,2,5,2021-11-01 14:56:10]," * 2)}
    with pytest.raises(DecodeError) as caught:
        door(bytes.fromhex(EVENT + "00"), 3)
    assert caught.value.reason is RejectReason.SHORT


def test_about_the_device() -> None:
    about = decoder("lds03a")(bytes.fromhex("0a012301ff0ce4"), 5)
    assert {name: value.value for name, value in about.items()} == {
        "sensor_model": "LDS03A",
        "firmware_version": "1.2.3",
        "frequency_band": "EU868",
        "sub_band": "NULL",
        "bat": 3.3,
    }


def test_a_leak_sensor_tells_by_its_mode() -> None:
    leak = decoder("lwl02")
    wet = leak(bytes.fromhex("4bb80200000300000400"), 10)
    assert wet == {
        "bat_v": Value((0x4BB8 & 0x3FFF) / 1000, "V"),
        "mod": Value(2),
        "water_leak_status": Value(1),
        "water_leak_times": Value(3),
        "last_water_leak_duration": Value(4, "min"),
    }
    assert "door_open_status" in leak(bytes.fromhex("8bb80100000300000401"), 10)
    assert set(leak(bytes.fromhex("8bb80900000300000401"), 10)) == {"bat_v", "mod"}
