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


def test_a_command_to_a_valve_that_was_carried_out() -> None:
    assert load("milesight:uc511")(b"\3\1\xff", 85) == {"valve_1_result": Value("success")}


def test_stored_states_are_numbered() -> None:
    stored = bytes.fromhex("20ce3fa109640005000000")
    fields = load("milesight:uc512")(stored + stored, 85)
    assert fields["history_0_gpio_1"] == fields["history_1_gpio_1"] == Value("off")
