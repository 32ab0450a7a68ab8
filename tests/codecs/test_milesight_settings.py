"""What settings are made of: choices, lists, groups, bits, and what became of a command."""

import pytest

from torhaus.codecs.model import DecodeError, Fields, RejectReason
from torhaus.codecs.payload.milesight_settings import (
    STORAGE,
    SUMMER_TIME,
    answer,
    bits,
    chosen,
    counted_text,
    listed,
    series,
    timed,
    under,
)


def test_parts_stand_behind_each_other() -> None:
    out: Fields = {}
    read = series("a u8", "b u16", under("group", "c u8", chosen({1: ("d u8",)}, kind="kind")), "e u8")
    assert read(bytes.fromhex("01020003010405"), 0, out) == 7
    assert {name: value.value for name, value in out.items()} == {
        "a": 1,
        "b": 2,
        "group_c": 3,
        "group_kind": 1,
        "group_d": 4,
        "e": 5,
    }


def test_a_choice_that_is_not_known_ends_it() -> None:
    out: Fields = {}
    assert chosen({1: ("d u8",)}, kind="kind")(bytes.fromhex("0201010101"), 0, out) == 5
    assert [*out] == ["kind"]


def test_lists_in_lists_keep_their_places() -> None:
    read = listed("plan", "id", listed("cycle", "id", "enable u8"))
    out: Fields = {}
    for payload in ("010100", "010201", "020100", "010101"):
        read(bytes.fromhex(payload), 0, out)
    assert {name: value.value for name, value in out.items()} == {
        "plan_0_id": 1,
        "plan_0_cycle_0_id": 1,
        "plan_0_cycle_0_enable": 1,
        "plan_0_cycle_1_id": 2,
        "plan_0_cycle_1_enable": 1,
        "plan_1_id": 2,
        "plan_1_cycle_0_id": 1,
        "plan_1_cycle_0_enable": 0,
    }


def test_bits_and_what_is_left_of_them() -> None:
    out: Fields = {}
    series(*bits("u8", "a", "b"))(b"\x0a", 0, out)
    assert {name: value.value for name, value in out.items()} == {"a": 0, "b": 1, "reserved": 2}


def test_what_became_of_a_command() -> None:
    """ef: error 5, two bytes of command."""
    out: Fields = {}
    assert answer(bytes.fromhex("526500"), 0, out) == 3
    assert answer(bytes.fromhex("0177"), 0, out) == 2
    assert {name: value.value for name, value in out.items()} == {
        "ans_0_result": 5,
        "ans_0_length": 2,
        "ans_0_id": "6500",
        "ans_1_result": 0,
        "ans_1_length": 1,
        "ans_1_id": "77",
    }


@pytest.mark.parametrize(
    "read", [STORAGE, SUMMER_TIME, answer, counted_text("name"), timed("interval"), listed("a", "id", "b u8")]
)
def test_what_is_cut_off_is_refused(read: object) -> None:
    assert callable(read)
    for payload in (b"", b"\x01"):
        with pytest.raises(DecodeError) as caught:
            read(payload, 0, {})
        assert caught.value.reason is RejectReason.SHORT
