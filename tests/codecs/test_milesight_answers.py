"""Answers with and without a result behind them."""

import pytest

from torhaus.codecs.model import DecodeError
from torhaus.codecs.payload.milesight import decoder


def values(payload: str) -> dict[str, object]:
    return {name: value.value for name, value in decoder("wt211")(bytes.fromhex(payload), 85).items()}


def test_success_gives_the_values() -> None:
    assert values("f8 2b 01 00") == values("f9 2b 01") == {"unilateral_tolerance": "enable"}


def test_a_refused_command_says_what_was_asked_for() -> None:
    assert values("f8 2b 01 02") == {
        "device_response_result_channel_type": 0x2B,
        "device_response_result_result": "invalid parameter",
        "device_response_result_request_unilateral_tolerance": "enable",
    }


def test_entries_of_a_list_follow_each_other_whichever_way_they_come() -> None:
    """An entry with result, one without, one that was refused."""
    seen = values("f85a000a00 f95a010b f85a000c01")
    assert seen["double_point_target_tolerance_0_tolerance"] == 1.0
    assert seen["double_point_target_tolerance_1_mode"] == "cool"
    assert seen["device_response_result_request_double_point_target_tolerance_2_tolerance"[:64]] == 1.2


@pytest.mark.parametrize("payload", ["f82b", "f82b01", "f85a00", "f83e00112233"])
def test_what_is_cut_off(payload: str) -> None:
    with pytest.raises(DecodeError):
        values(payload)


def test_what_is_not_known_ends_decoding() -> None:
    assert values("f92b01 f9fe 0102 f92b00") == {"unilateral_tolerance": "enable"}
