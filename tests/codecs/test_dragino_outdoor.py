import pytest

from torhaus.codecs.model import DecodeError, RejectReason, Value
from torhaus.codecs.payload.dragino import decoder

OFF = "0fffffff0fffffff"
"""What a receiver says that is switched off."""


@pytest.mark.parametrize(("volts", "is_left_out"), [("0b18", True), ("0c2e", False)])
def test_a_receiver_that_was_switched_off_has_no_position(volts: str, is_left_out: bool) -> None:
    found = decoder("lgt92")(bytes.fromhex(f"{OFF}{volts}64"), 2)
    assert ("latitude" not in found) is is_left_out
    assert found["md"] == Value("Move")


@pytest.mark.parametrize(("setting", "litres"), [(0, 1.0), (1, 1.3), (2, 7.5)])
def test_water_by_the_pulses_of_a_litre(setting: int, litres: float) -> None:
    payload = bytes([setting << 2]) + (450).to_bytes(4, "big") + bytes([1, 0]) + bytes(4)
    found = decoder("sw3l")(payload, 2)
    assert found["water_flow_value"] == Value(litres, "L")
    assert found["last_pulse"] == Value(450)


def test_weather_ends_where_the_payload_does() -> None:
    weather = decoder("wsc1-l")
    assert weather(bytes.fromhex("0602ff9c"), 2) == {"tem": Value(-10.0, "Cel")}
    for payload in ("060200", "0602fffe07", "0d010000"):
        with pytest.raises(DecodeError):
            weather(bytes.fromhex(payload), 2)
    with pytest.raises(DecodeError) as refused:
        weather(bytes.fromhex("a5020000"), 2)
    assert refused.value.reason is RejectReason.UNKNOWN_TYPE


@pytest.mark.parametrize(("raw", "digits"), [("0123", 123), ("01a3", 1), ("a123", None)])
def test_a_version_as_far_as_it_has_digits(raw: str, digits: int | None) -> None:
    found = decoder("lmds200")(bytes.fromhex(f"0c{raw}01ff0b88"), 5)
    assert found.get("ver") == (None if digits is None else Value(digits))
