import pytest

from torhaus.codecs.model import DecodeError, Value
from torhaus.codecs.payload.milesight import decoder


def test_a_stored_contact_says_why_it_was_stored() -> None:
    one = decoder("ts301-v2")(bytes.fromhex("20cec79afa64b019fc17fc"), 85)
    assert one["history_0_magnet"] == Value("open")
    assert one["history_0_event"] == Value("magnet_alarm")
    two = decoder("ts302-v2")(bytes.fromhex("21cec79afa64ab16fc18fc20cec79afa64a019fcf600"), 85)
    assert two["history_0_magnet_chn2"] == Value("close")
    assert two["history_0_humidity_chn2"] == Value("over_range")
    assert two["history_1_temperature_chn1"] == Value(24.6, "Cel")
    assert "history_1_humidity_chn1" not in two


def test_an_alarm_is_a_value_and_an_event() -> None:
    found = decoder("ts302-v2")(bytes.fromhex("949a2c0114000283670a0005b46702"), 85)
    assert found["humidity_chn2"] == Value(30.0, "%")
    assert found["humidity_chn2_mutation"] == Value(2.0, "%")
    assert found["event_0_humidity_chn2_alarm"] == Value("mutation_alarm")
    assert found["event_1_temperature_chn1"] == Value(1.0, "Cel")
    assert found["event_2_temperature_chn2_sensor_status"] == Value("under_range")


def test_what_is_plugged_in() -> None:
    sensor = "ffa0120102030405060708"
    assert decoder("ts301-v2")(bytes.fromhex(sensor), 85)["sensor_type"] == Value("SHT4X"), "it has one place only"
    assert decoder("ts302-v2")(bytes.fromhex(sensor), 85)["sensor_chn2_type"] == Value("SHT4X")
    assert decoder("ts201-v2")(bytes.fromhex(sensor), 85)["sensor_1_sn"] == Value("0102030405060708")


def test_answers_to_questions_for_stored_readings() -> None:
    found = decoder("ts302-v2")(bytes.fromhex("fd6b01000000 fd6c0200000003000000 fd6dff".replace(" ", "")), 85)
    assert {name: value.value for name, value in found.items()} == {
        "retrieval_historical_data_by_time_timestamp": 1,
        "retrieval_historical_data_by_time_range_start_time": 2,
        "retrieval_historical_data_by_time_range_end_time": 3,
        "stop_historical_data_retrieval": "yes",
    }


def test_humidity_is_stored_only_of_a_sensor_that_has_it() -> None:
    stored = decoder("ts201-v2")(bytes.fromhex("20cec79afa6402bdff2e96 20cec79afa6401bdff2e01".replace(" ", "")), 85)
    assert stored["history_0_humidity"] == Value(23.0, "%")
    assert stored["history_0_event_humidity_sensor_status"] == Value("read error")
    assert stored["history_0_event_temperature_sensor_status"] == Value("out of range")
    assert "history_1_humidity" not in stored
    assert stored["history_1_event_event_type"] == Value("periodic")


@pytest.mark.parametrize(
    ("model", "payload"),
    [("ts201-v2", "20cec79afa6401bdff2e"), ("ts301-v2", "20cec79afa644419fc"), ("ts302-v2", "8367")],
)
def test_what_is_cut_off_is_refused(model: str, payload: str) -> None:
    with pytest.raises(DecodeError, match="short"):
        decoder(model)(bytes.fromhex(payload), 85)
