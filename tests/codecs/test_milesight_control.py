import pytest

from torhaus.codecs.model import DecodeError, RejectReason, Scalar, Value
from torhaus.codecs.registry import load


@pytest.mark.parametrize(
    ("hexed", "value"),
    [
        ("00010001", "on"),
        ("010181fe", -2),
        ("020202feff", 65534),
        ("020282feff", -2),
        ("03040400000001", 16777216),
        ("0404050000803f", 1.0),
        ("050408feff0000", 65534),
        ("06040b0000feff", 65534),
    ],
)
def test_modbus_registers_by_their_type(hexed: str, value: Scalar) -> None:
    fields = load("milesight:uc300")(bytes.fromhex("ff19" + hexed), 85)
    assert list(fields.values()) == [Value(value)]


@pytest.mark.parametrize(
    ("hexed", "reason"),
    [
        ("ff1900017f00", "unknown_type"),
        ("ff1900040500", "short"),
        ("ff190004050000c07f", "range"),
        ("0be2007e000000000000", "range"),
    ],
)
def test_what_is_refused(hexed: str, reason: str) -> None:
    with pytest.raises(DecodeError) as caught:
        load("milesight:uc300")(bytes.fromhex(hexed), 85)
    assert caught.value.reason is RejectReason(reason)


def test_stored_readings_of_both_generations() -> None:
    """The vendor's example of the first WT201, twice; then one of today, behind which another value stands."""
    old = load("milesight:wt201")(bytes.fromhex("20ce5c470a65d09ec091" * 2), 85)
    for n in (0, 1):
        assert old[f"history_{n}_temperature"] == Value(27.0, "Cel")
        assert old[f"history_{n}_target_temperature"] == Value(16.6, "Cel")
        assert old[f"history_{n}_system_status"] == Value("on")
        assert old[f"history_{n}_temperature_control_status"] == Value("standby")
    new = load("milesight:wt211-v1")(bytes.fromhex("20ce5c470a650100a600ffff0e0163" + "03670e01"), 85)
    assert new["history_0_temperature"] == Value(27.0, "Cel")
    assert new["history_0_target_temperature"] == Value(16.6, "Cel")
    assert new["history_0_humidity"] == Value(49.5, "%")
    assert new["temperature"] == Value(27.0, "Cel")


def test_stored_inputs_and_registers_of_a_uc300() -> None:
    """Input 1 as level, input 2 as counter, output 1, PT100 2, current 1; then registers 1 (coil) and 32 (signed)."""
    stored = "20dc 01000000 9301 00 01000000 01 0a000000 01 004d 0044 0045 0043 0044"
    fields = load("milesight:uc300")(bytes.fromhex(stored + "20dd 02000000 01000080 00 01000000 82 feff0000"), 85)
    assert {name: value.value for name, value in fields.items()} == {
        "channel_history_0_timestamp": 1,
        "channel_history_0_gpio_input_1": "on",
        "channel_history_0_gpio_counter_2": 10,
        "channel_history_0_gpio_output_1": "on",
        "channel_history_0_pt100_2": 20.0,
        "channel_history_0_adc_1": 4.0,
        "channel_history_0_adc_1_max": 5.0,
        "channel_history_0_adc_1_min": 3.5,
        "channel_history_0_adc_1_avg": 4.0,
        "modbus_history_0_timestamp": 2,
        "modbus_history_0_modbus_chn_1": "on",
        "modbus_history_0_modbus_chn_32": -2,
    }
    assert fields["channel_history_0_adc_1"].unit == "mA"


@pytest.mark.parametrize("hexed", ["20dc010000009301", "20dc01000000010000", "20dd02000000010000000001"])
def test_stored_values_that_are_cut_off(hexed: str) -> None:
    with pytest.raises(DecodeError) as caught:
        load("milesight:uc300")(bytes.fromhex(hexed), 85)
    assert caught.value.reason is RejectReason.SHORT
