from torhaus.codecs.model import Value
from torhaus.codecs.payload.milesight import decoder


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
