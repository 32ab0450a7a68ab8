from torhaus.codecs.model import Value
from torhaus.daemon.vectors.wrapped import unwrapped

CLOCK = "XXXX-XX-XXTXX:XX:XX.XXXZ"


def test_another_shape() -> None:
    others: list[object] = [{"decoded": 1}, {"decoded": {}}, {"decoded": {"result": {}}, "more": 1}, {"temp": 1}, None]
    for other in others:
        assert unwrapped(other, {}) is None


def test_what_the_decoder_adds_is_left_out() -> None:
    result = {
        "output": {"averageHumidity": 40.8},
        "timestamps": {"averageHumidity": CLOCK},
        "vsm": {"rulesCrc32": 7, "schema": "M output", "appVersions": "R1", "translatorVersion": "0.2"},
        "gnss": {"deviceTime": "1970-01-01T00:40:04.000Z", "deviceTimeTimestamp": CLOCK},
        "semtechEncoded": {"payload": "01"},
    }
    assert unwrapped({"decoded": {"result": result}}, {}) == {
        "average_humidity": 40.8,
        "rules_crc32": 7,
        "gnss_device_time": "1970-01-01T00:40:04.000Z",
    }


def test_older_values_and_ages() -> None:
    series = [{"timestamp": CLOCK, "value": {"output": {"temp": value}}} for value in (3, 2, 1)]
    fields = {"history_0_temp_age": Value(60, "s"), "temp": Value(9)}
    assert unwrapped({"decoded": {"result": {"output": {"temp": 3}}, "timeseries": series}}, fields) == {
        "temp": 3,
        "history_0_temp": 2,
        "history_1_temp": 1,
        "history_0_temp_age": 60,
    }


def test_port_and_payload() -> None:
    expected = {
        "port": 22,
        "portFunction": "TIMESYNC",
        "payloadLength": 8,
        "decoder": {"version": "000"},
        "payload": {
            "device": {"batteryLevel": "76%", "label": "100%ig"},
            "data": {"timestamp": {"unix": 9, "string": "Thu, 01 Jan 1970 00:00:09 GMT"}, "inputs": [{"state": 1}]},
        },
    }
    assert unwrapped(expected, {}) == {
        "device_battery_level": 76,
        "device_label": "100%ig",
        "timestamp": 9,
        "inputs_0_state": 1,
    }
