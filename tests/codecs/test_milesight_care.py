import pytest

from torhaus.codecs.model import DecodeError, Value
from torhaus.codecs.payload.milesight import decoder

CARE = decoder("vs373")


def test_a_fall_has_no_region_and_a_breath_has_one() -> None:
    found = CARE(bytes.fromhex("06fb3412000101 06fb3512060203".replace(" ", "")), 85)
    assert found["events_0_alarm_type"] == Value("fall")
    assert "events_0_region_id" not in found
    assert found["events_1_alarm_id"] == Value(0x1235)
    assert found["events_1_alarm_status"] == Value("alarm_deactivated")
    assert found["events_1_region_id"] == Value(3)


def test_stored_alarms_are_counted_apart() -> None:
    found = CARE(bytes.fromhex("20cec79afa640100030102" + "06fb3412000101"), 85)
    assert found["history_0_timestamp"] == Value(1694145223, "s")
    assert found["history_0_region_id"] == Value(2)
    assert found["events_0_alarm_id"] == Value(0x1234)


def test_regions_are_as_many_as_were_said() -> None:
    found = CARE(bytes.fromhex("0ab30305000000"), 85)
    assert found == {
        "region_1_occupancy": Value("occupied"),
        "region_2_occupancy": Value("vacant"),
        "region_3_occupancy": Value("occupied"),
    }
    assert len(CARE(bytes.fromhex("0ab3ffffffffff"), 85)) == 32
    with pytest.raises(DecodeError, match="short"):
        CARE(bytes.fromhex("0ab303050000"), 85)
