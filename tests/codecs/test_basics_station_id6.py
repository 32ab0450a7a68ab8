"""A station's name in all its spellings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torhaus.codecs.framing.basics_station.id6 import format_id6, parse_router
from torhaus.codecs.model import DecodeError, RejectReason


@pytest.mark.parametrize(
    ("value", "eui"),
    [
        ("b827:ebff:fe00:1", "b827ebfffe000001"),
        ("B827:EBFF:FE00:0001", "b827ebfffe000001"),
        ("f:a123:f8:100", "000fa12300f80100"),
        ("::1", "0000000000000001"),
        ("1::", "0001000000000000"),
        ("f::1", "000f000000000001"),
        ("::a:b", "00000000000a000b"),
        ("f:a123::100", "000fa12300000100"),
        ("::", "0000000000000000"),
        ("::0", "0000000000000000"),
        ("AA-55-5A-00-00-00-01-01", "aa555a0000000101"),
        ("aa:55:5a:00:00:00:01:01", "aa555a0000000101"),
        ("aa555a0000000101", "aa555a0000000101"),
        (1, "0000000000000001"),
        ((1 << 64) - 1, "f" * 16),
    ],
)
def test_every_spelling(value: str | int, eui: str) -> None:
    assert parse_router(value) == eui


@pytest.mark.parametrize(
    "value",
    [
        "",
        ":",
        ":::",
        "1:2:3",
        "1:2:3:4:5",
        "1:2:3::4",
        "1::2::3",
        "12345::1",
        "g::1",
        "::1 ",
        "::1\n",
        "1",
        "router-1",
        "::" + "1" * 100,
        "١::1",  # noqa: RUF001 - digits of another script
        None,
        True,
        1.5,
        [],
    ],
)
def test_nothing_is_guessed(value: object) -> None:
    with pytest.raises(DecodeError) as refusal:
        parse_router(value)
    assert refusal.value.reason is RejectReason.SYNTAX


@pytest.mark.parametrize("value", [-1, 1 << 64, 1 << 400])
def test_numbers_have_64_bits(value: int) -> None:
    with pytest.raises(DecodeError) as refusal:
        parse_router(value)
    assert refusal.value.reason is RejectReason.RANGE


@given(st.integers(0, (1 << 64) - 1) | st.sampled_from([0, 1, 1 << 48, 0xFFFF_0000_0000_0001, 0x1_0000_0001]))
def test_there_and_back(number: int) -> None:
    eui = f"{number:016x}"
    assert parse_router(format_id6(eui)) == eui == parse_router(number)


@pytest.mark.parametrize(
    ("eui", "text"),
    [
        ("b827ebfffe000001", "b827:ebff:fe00:1"),
        ("0000000000000001", "::1"),
        ("0001000000000000", "1::"),
        ("0000000000000000", "::"),
        ("0001000000000002", "1::2"),
        ("0000000100000002", "0:1:0:2"),
    ],
)
def test_the_longest_run_of_zeros_is_left_out(eui: str, text: str) -> None:
    assert format_id6(eui) == text


@given(st.text("0123456789abcdefABCDEF:-. xg", max_size=24))
def test_only_the_one_error_escapes(text: str) -> None:
    try:
        eui = parse_router(text)
    except DecodeError:
        return
    assert len(bytes.fromhex(eui)) == 8
