"""KLAX: what the golden vectors do not show."""

import pytest

from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value
from torhaus.codecs.models import native
from torhaus.codecs.payload.comtac_klax import decode

_HEAD = "0049 0111"
_NEWER = "044d 0111"
_MODBUS = "054d 0111"


def _seen(text: str, fport: int | None = 3) -> Fields:
    return decode(bytes.fromhex(text), fport)


def test_values_that_are_not_there_yet_are_left_out() -> None:
    """Zeros behind the newest value; a register that is not valid; one that is not active."""
    seen = _seen(f"{_HEAD} 01 09 01 0000000a 00000009 00000000 00000000 {'00000007' * 4}")
    assert seen["register_1"] == Value(10, "W.h")
    assert seen["history_0_register_1"] == Value(9, "W.h")
    assert not {"history_1_register_1", "register_2"} & seen.keys()
    assert "register_1" not in _seen(f"{_HEAD} 01 01 01 {'00' * 32}")
    assert _seen(f"{_HEAD} 01 09 02 {'00' * 32}")["register_1"] == Value(0, "W")


def test_a_meter_that_stands_still_has_values() -> None:
    seen = _seen(f"{_HEAD} 01 09 01 {'00' * 32}")
    assert [seen[name].value for name in ("register_1", "history_0_register_1", "history_2_register_1")] == [0, 0, 0]


def test_units_of_all_registers_now() -> None:
    seen = _seen(f"{_HEAD} 02 ff 32 00 fffffff6 000000e6 00000001 00000002")
    assert seen["register_1_now"] == Value(-10, "W")
    assert seen["register_2_now"] == Value(230, "V")
    assert seen["register_3_now"] == Value(1)


def test_each_value_of_version_1_may_be_invalid() -> None:
    seen = _seen(f"{_NEWER} 01 15 0a 00000000 41480000 00000000 41200000")
    assert seen["history_0_register_3"] == Value(12.5, "W.h")
    assert seen["history_2_register_3"] == Value(10.0, "W.h")
    assert not {"register_3", "history_1_register_3"} & seen.keys()


def test_modbus_types() -> None:
    eight = "4029000000000000"
    seen = _seen(f"{_MODBUS} 06 01 0f {eight * 4} 05 33 01 fffffffe {'00' * 12} 04 15 01 fffe {'00' * 6}")
    assert seen["register_1"] == Value(12.5)
    assert seen["register_2"] == Value(-2)
    assert seen["register_3"] == Value(-2)


def test_battery_by_version() -> None:
    assert _seen("00 45 0001", 100)["battery"] == Value(50, "%")
    assert _seen("04 45 0001", 100)["battery"] == Value(100, "%")
    assert _seen("00 75 0001", 100)["meter_type"] == Value("Logarex")
    assert _seen("04 7d 0001", 100)["meter_type"] == Value("unknown")


@pytest.mark.parametrize(
    ("text", "fport", "reason"),
    [
        ("0049", 3, RejectReason.SHORT),
        ("0249 0111", 3, RejectReason.UNKNOWN_TYPE),
        (f"{_HEAD} 01 09 01 0000000a", 3, RejectReason.SHORT),
        (f"{_NEWER} 01 11 01 7f800000 {'00' * 12}", 3, RejectReason.RANGE),
        (f"{_MODBUS} 04 01 01 {'00' * 8}", 3, RejectReason.UNKNOWN_TYPE),
        (f"{_MODBUS} 05 f1 01 {'00' * 16}", 3, RejectReason.UNKNOWN_TYPE),
        ("0049 0f 010800", 104, RejectReason.SHORT),
        (f"0049 {'00' * 23}", 105, RejectReason.UNKNOWN_TYPE),
        ("0049 0001", 102, RejectReason.UNKNOWN_TYPE),
    ],
)
def test_what_is_refused(text: str, fport: int, reason: RejectReason) -> None:
    with pytest.raises(DecodeError) as caught:
        _seen(text, fport)
    assert caught.value.reason is reason


def test_no_frame_is_too_long_to_be_refused() -> None:
    with pytest.raises(DecodeError) as caught:
        decode(b"\0" * 256, 3)
    assert caught.value.reason is RejectReason.LONG


def test_it_is_found() -> None:
    assert native("comtac", "klax") == native("Comtac AG", "KLAX 2.0") == "comtac_klax"
    assert (
        native("Alpha-Omega Technology GmbH", "KLAX 2.0") == native("alphaomegatechnology", "klaxv2") == "comtac_klax"
    )
