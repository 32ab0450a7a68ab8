import pytest

from torhaus.codecs.model import DecodeError, RejectReason, Value
from torhaus.codecs.payload.milesight import decoder
from torhaus.codecs.registry import Decode


@pytest.fixture
def valve() -> Decode:
    return decoder("wt102")


def test_why_the_valve_opened_itself(valve: Decode) -> None:
    """0a: against frost, 0x21: from now on; 4.5 degrees, 30 % open."""
    assert valve(bytes.fromhex("0a21c2011e"), 85) == {
        "anti_freeze_protection_alarm_type": Value(0x21),
        "anti_freeze_protection_alarm_trigger_environment_temperature": Value(4.5, "Cel"),
        "anti_freeze_protection_alarm_trigger_current_valve_status": Value(30, "%"),
    }


def test_each_report_has_its_own_values(valve: Decode) -> None:
    """0e 01: 21.50 degrees in the room, 40 % open, 22.00 wanted, battery 99 %; then the position of the motor."""
    seen = valve(bytes.fromhex("0e0166082898086303e803"), 85)
    assert seen["periodic_reporting_target_temperature_for_heating_environment_te"] == Value(21.5, "Cel")
    assert seen["periodic_reporting_target_temperature_for_heating_target_tempera"] == Value(22.0, "Cel")
    assert seen["periodic_reporting_target_temperature_for_heating_battery_level"] == Value(99, "%")
    assert seen["motor_position"] == Value(1000)


def test_an_event_without_a_description_is_told_by_its_number(valve: Decode) -> None:
    assert valve(bytes.fromhex("0d77"), 85) == {"window_opening_alarm_type": Value(0x77)}


def test_an_event_that_is_cut_off(valve: Decode) -> None:
    with pytest.raises(DecodeError) as caught:
        valve(bytes.fromhex("0b21c2"), 85)
    assert caught.value.reason is RejectReason.SHORT


def test_alarms_with_and_without_a_temperature() -> None:
    decode = decoder("wt303")
    assert decode(bytes.fromhex("0903"), 85) == {"temperature_alarm_type": Value("no data")}
    assert decode(bytes.fromhex("09318cff0664"), 85) == {
        "temperature_alarm_type": Value("freeze alarm"),
        "temperature": Value(-1.16, "Cel"),
        "temperature_alarm_temperature": Value(-1.16, "Cel"),
        "valve_status": Value("on"),
    }
    assert decode(bytes.fromhex("0922d007"), 85)["temperature_alarm_type"] == Value(
        "continuous high temperature alarm release"
    )


def test_relays_are_bits() -> None:
    seen = decoder("wt304")(bytes.fromhex("1005000000"), 85)
    assert [seen[f"relay_status_{name}"].value for name in ("gl_status", "gm_status", "gh_status")] == [
        "enable", "disable", "enable",
    ]  # fmt: skip


def test_an_alarm_of_smoke_has_its_value_where_there_is_one() -> None:
    found = decoder("gs601")(bytes.fromhex("0a020211370a11f401200000803f0000c03f0c0110210f01"), 85)
    assert found["temperature_alarm_type"] == Value("alarm trigger")
    assert found["temperature"] == found["temperature_alarm_temperature"] == Value(50.0, "Cel")
    assert found["vaping_index"] == Value(55)
    assert found["tvoc_raw_data_1_rmox_1"] == Value(1.5)
    assert found["humidity_alarm_type"] == Value("lower range error")
    assert found["tamper_status_alarm_type"] == Value("alarm trigger")
