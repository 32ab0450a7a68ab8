import pytest

from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value
from torhaus.codecs.payload.comtac_lpn_km import decode

HEAD = "10000000"


def fields(payload: str, fport: int) -> Fields:
    found = decode(bytes.fromhex(payload), fport)
    return {name: value for name, value in found.items() if not name.startswith("device_")}


@pytest.mark.parametrize(
    ("level", "value"), [(0, Value("external")), (1, Value(0, "%")), (254, Value(100, "%")), (255, Value("error"))]
)
def test_battery(level: int, value: Value) -> None:
    assert decode(bytes((0x10, 0, 0, level)), 101)["device_battery_level"] == value


def test_state() -> None:
    seen = decode(bytes((0x10, 0, 0x44, 1)), 101)
    assert [name for name, value in seen.items() if value.value is True] == [
        "device_device_status_time_synced",
        "device_device_status_low_supply_voltage",
    ]


def test_counters_of_a_fixed_report() -> None:
    assert fields(HEAD + "04" + "01000010" + "02ffffff", 3) == {
        "config_timestamp": Value(False),
        "config_digital_inputs": Value(False),
        "config_counter_values": Value(True),
        "counter_values_0_id": Value(1),
        "counter_values_0_value": Value(16),
        "counter_values_1_id": Value(2),
        "counter_values_1_value": Value(0xFFFFFF),
    }


def test_counters_with_their_time() -> None:
    seen = fields(HEAD + "01" + "5fee6601" + "03" + "81" + "000102" + "00" + "5fee6602", 21)
    assert seen["counters_0_info_id"] == Value(3)
    assert seen["counters_0_cot_cyclic"] == Value(True)
    assert seen["counters_0_status_overflow"] == Value(True)
    assert seen["counters_0_value"] == Value(258)
    assert "counters_1_value" not in seen


def test_a_pair_of_inputs_that_is_blocked() -> None:
    seen = fields(HEAD + "5fee6601" + "2226" + "003c", 20)
    assert seen["digital_inputs_0_info_type"] == Value("doublePointInfo")
    assert seen["digital_inputs_0_status_blocked"] == Value(True)
    assert seen["digital_inputs_0_status_state"] == Value(2)
    assert seen["digital_inputs_0_cot_event"] == Value(True)
    assert seen["digital_inputs_0_timestamp"] == Value(0x5FEE6601 + 60, "s")


def test_settings() -> None:
    assert fields(HEAD + "0004" + b"Pump".hex() + "0802000c" + "0c0400010002" + "7f0105", 100) == {
        "parameter_di_label": Value("Pump"),
        "parameter_ts_timesync_int": Value(12, "h"),
        "parameter_is_delay_rising": Value("00010002"),
        "parameter_127": Value(5),
    }


@pytest.mark.parametrize(
    ("payload", "fport", "reason"),
    [
        (HEAD + "5fee6601" + "0140003c", 20, RejectReason.UNKNOWN_TYPE),
        (HEAD + "5fee6601" + "114000", 20, RejectReason.SHORT),
        (HEAD + "02" + "5fee6601" + "0381000102", 21, RejectReason.SHORT),
        (HEAD + "0005aa", 100, RejectReason.SHORT),
        ("9000000000", 3, RejectReason.UNKNOWN_TYPE),
    ],
)
def test_refused(payload: str, fport: int, reason: RejectReason) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(bytes.fromhex(payload), fport)
    assert caught.value.reason is reason
