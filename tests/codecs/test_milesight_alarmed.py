from torhaus.codecs.model import Value
from torhaus.codecs.payload.milesight import decoder

CLIMATE = decoder("em320-th-v2")


def test_a_value_that_is_none_says_why() -> None:
    found = CLIMATE(bytes.fromhex("036702800468ff"), 85)
    assert found == {"temperature": Value("lower_range_err"), "humidity": Value("collection_err")}
    assert CLIMATE(bytes.fromhex("049af501"), 85) == {"humidity": Value(50.1, "%")}
    assert CLIMATE(bytes.fromhex("b3670300b49a0100"), 85) == {
        "temperature_error": Value("over_range_err"),
        "humidity_error": Value("collection_err"),
    }


def test_limits_and_jumps() -> None:
    found = CLIMATE(bytes.fromhex("83670a00039367010002000094680a0401"), 85)
    assert found["temperature_threshold_alarm_alarm_type"] == Value("Between alarm")
    assert found["temperature_mutation_alarm_temperature_change"] == Value(0.2, "K")
    assert found["temperature_mutation_alarm_alarm_type"] == Value("Temperature mutation")
    assert found["humidity_mutation_alarm_relative_humidity"] == Value(5.0, "%")
    assert "humidity_mutation_alarm_alarm_type" not in found


def test_why_it_was_stored() -> None:
    found = CLIMATE(bytes.fromhex("20ce9e74466310015d0009" + "20ce9e7446631001ffff18"), 85)
    assert found["history_0_record_type"] == Value("temperature_above_clear")
    assert found["history_0_humidity"] == Value(9.3, "%")
    assert found["history_1_humidity"] == Value("collection_err")
    assert found["history_1_record_type"] == Value("humidity_collection_err")


def test_a_stored_reading_of_the_first_version() -> None:
    found = CLIMATE(bytes.fromhex("20ce9e74466310015d000920ce9e74466310015d"), 85)
    assert found["history_0_humidity"] == Value(9.3, "%")
    assert found["history_1_humidity"] == Value(46.5, "%")
    assert "history_1_record_type" not in found


def test_what_it_says_of_its_settings() -> None:
    found = CLIMATE(bytes.fromhex("f90b0103f6ff640001 f90c02320001 f9391e00 f963010003 00f96601f96902f9c900f9d901"), 85)
    assert found["alarm_config_condition"] == Value("between")
    assert found["alarm_config_threshold_min"] == Value(-1.0)
    assert found["alarm_config_threshold_max"] == Value(10.0)
    assert found["mutation_config_mutation_max"] == Value(5.0)
    assert found["collection_interval"] == Value(30)
    assert found["d2d_sender_config_sensor_data_enable"] == Value(3)
    assert found["button_lock_power_off"] == Value("disable")
    assert found["button_lock_collect_report"] == Value("enable")
    assert found["humidity_resolution"] == Value("0.1%")
