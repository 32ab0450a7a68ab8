from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torhaus.codecs.lorawan.eui import format_dev_addr, format_eui64, parse_dev_addr, parse_eui64
from torhaus.codecs.model import DecodeError, RejectReason

EUI = 0xA81758FFFE0312AB


@pytest.mark.parametrize(
    "text",
    [
        "a81758fffe0312ab",
        "A81758FFFE0312AB",
        "0xA81758FFFE0312AB",
        "A8-17-58-FF-FE-03-12-AB",
        "a8:17:58:ff:fe:03:12:ab",
        "a8 17 58 ff fe 03 12 ab",
        "a817:58ff:fe03:12ab",
        "a817.58ff.fe03.12ab",
        "  a81758fffe0312ab\n",
    ],
)
def test_spellings_of_an_eui(text: str) -> None:
    assert parse_eui64(text) == EUI


@pytest.mark.parametrize("text", ["260b1a2c", "260B1A2C", "0x260B1A2C", "26-0b-1a-2c", "26:0B:1A:2C", "260b:1a2c"])
def test_spellings_of_a_dev_addr(text: str) -> None:
    assert parse_dev_addr(text) == 0x260B1A2C


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a81758fffe0312a",
        "a81758fffe0312abc",
        "a8-17:58-ff-fe-03-12-ab",
        "a8-17-58-ff-fe-03-12ab",
        "-a81758fffe0312ab",
        "a8--17-58-ff-fe-03-12-ab",
        "g81758fffe0312ab",
        "\u0660" * 16,  # Arabic-Indic digits: int() would take them
        "a81758fffe0312ab" * 1000,
        "a8_1758fffe0312ab",
        "260b1a2c",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(DecodeError) as caught:
        parse_eui64(text)
    assert caught.value.reason is RejectReason.SYNTAX


def test_an_eui_is_no_dev_addr() -> None:
    with pytest.raises(DecodeError):
        parse_dev_addr("a81758fffe0312ab")


@settings(max_examples=100, deadline=None)
@given(st.integers(0, (1 << 64) - 1), st.integers(0, (1 << 32) - 1))
def test_written_and_read_again(eui: int, dev_addr: int) -> None:
    assert parse_eui64(format_eui64(eui)) == eui
    assert parse_dev_addr(format_dev_addr(dev_addr)) == dev_addr
    assert len(format_eui64(eui)) == 16
    assert len(format_dev_addr(dev_addr)) == 8


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="0123456789abcdefABCDEFx-:. \n", max_size=40))
def test_only_decode_errors_leave(text: str) -> None:
    for read in (parse_eui64, parse_dev_addr):
        with suppress(DecodeError):
            assert read(text) >= 0


def test_numbers_that_do_not_fit() -> None:
    for value in (-1, 1 << 64):
        with pytest.raises(DecodeError) as caught:
            format_eui64(value)
        assert caught.value.reason is RejectReason.RANGE
    with pytest.raises(DecodeError):
        format_dev_addr(1 << 32)
