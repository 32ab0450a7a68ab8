import pytest

from torhaus.codecs.model import DecodeError, RejectReason, Value
from torhaus.codecs.payload.milesight import decoder
from torhaus.codecs.registry import Decode


@pytest.fixture
def uc501() -> Decode:
    return decoder("uc501")


def test_analogue_inputs_of_two_generations(uc501: Decode) -> None:
    """In thousandths, or as numbers of half precision: 0x4500 is 5.0, 0x3c00 is 1.0."""
    assert uc501(bytes.fromhex("0502a00f0000881310270502a00f000088131027"), 85)["analog_input_1"] == Value(4.0)
    assert uc501(bytes.fromhex("85e20045003c0045004501"), 85) == {
        "analog_input_1": Value(5.0),
        "analog_input_1_min": Value(1.0),
        "analog_input_1_max": Value(5.0),
        "analog_input_1_avg": Value(5.0),
        "analog_input_1_alarm": Value("threshold alarm"),
    }


@pytest.mark.parametrize(
    ("payload", "value"),
    [
        ("ff0e072001", "on"),
        ("ff0e07230201", 0x0102),
        ("ff0e072401020304", 0x04030201),
        ("ff0e07250000a841", 21.0),
    ],
)
def test_registers(uc501: Decode, payload: str, value: object) -> None:
    assert uc501(bytes.fromhex(payload), 85) == {"modbus_chn_1": Value(value)}  # type: ignore[arg-type]


def test_why_a_register_was_sent(uc501: Decode) -> None:
    assert uc501(bytes.fromhex("800e0723020102"), 85)["modbus_chn_1_alarm"] == Value("value change alarm")
    assert uc501(bytes.fromhex("ff1508"), 85) == {"modbus_chn_2_alarm": Value("read error")}


def test_a_line_of_an_sdi12_sensor(uc501: Decode) -> None:
    line = b"0+21.5+3.2\r\n"
    payload = bytes.fromhex("08db00") + line.ljust(36, b"\0")
    assert uc501(payload, 85) == {"sdi12_1": Value("0+21.5+3.2\r\n")}


def test_stored_values(uc501: Decode) -> None:
    inputs = "20dc" + "00105e5f" + "0001000000" + "0207000000" + "e8030000" + "18fcffff"
    registers = "20dd" + "00105e5f" + "0500" + "25" + "0000a841" + "22" + "05000000"
    seen = uc501(bytes.fromhex(inputs + registers), 85)
    assert seen["history_0_gpio_input_1"] == Value("on")
    assert seen["history_0_gpio_counter_2"] == Value(7)
    assert seen["history_0_analog_input_1"] == Value(1.0)
    assert seen["history_0_analog_input_2"] == Value(-1.0)
    assert seen["history_1_timestamp"] == Value(0x5F5E1000, "s")
    assert seen["history_1_modbus_chn_1"] == Value(21.0)
    assert seen["history_1_modbus_chn_3"] == Value(5)


@pytest.mark.parametrize("payload", ["800e07230201", "20dc00105e5f00", "20dd00105e5f0500", "08db0030"])
def test_cut_off(uc501: Decode, payload: str) -> None:
    with pytest.raises(DecodeError) as caught:
        uc501(bytes.fromhex(payload), 85)
    assert caught.value.reason is RejectReason.SHORT


def test_a_register_that_is_no_number(uc501: Decode) -> None:
    with pytest.raises(DecodeError) as caught:
        uc501(bytes.fromhex("ff0e07250000c07f"), 85)
    assert caught.value.reason is RejectReason.RANGE


def test_the_old_ones_look_at_the_channel_only() -> None:
    assert decoder("uc11-n1")(bytes.fromhex("030001040201"), 85) == {"gpio_1": Value("high"), "gpio_2": Value("high")}
    assert decoder("uc11xx")(bytes.fromhex("11026400c800f4ff6400"), 85)["adc_1_max"] == Value(-0.12)
