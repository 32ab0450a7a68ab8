"""Data of M-Bus records."""

import pytest

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.meter.mbus.values import bcd, integer, lvar, moment, real, season, text
from torhaus.codecs.model import DecodeError


def test_numbers() -> None:
    assert bcd(bytes.fromhex("3412")) == 1234
    assert bcd(bytes.fromhex("34f2")) == -234
    assert bcd(bytes.fromhex("3a12")) is None
    assert real(bytes.fromhex("cdcccc3d")) == 0.1
    assert real(bytes.fromhex("0000807f")) is None
    assert text(b"CBA") == "ABC"


def test_variable_length() -> None:
    assert lvar(Cursor(b"\x02ba")) == "ab"
    assert lvar(Cursor(b"\xc1\x12")) == 12
    assert lvar(Cursor(b"\xd1\x12")) == -12
    assert lvar(Cursor(b"\xe2\x01\x02")) == 513
    assert lvar(Cursor(b"\xe9" + bytes(9))) == "00" * 9
    for bad in (b"\xff", b"\xf5", b"\x05ab", b""):
        with pytest.raises(DecodeError):
            lvar(Cursor(bad))


def test_times() -> None:
    assert moment(bytes.fromhex("3b0b0b")) == "11:11:59"
    assert moment(bytes.fromhex("ffff")) is None
    assert moment(bytes.fromhex("0b0bcd13")) == "2014-03-13T11:11:00"


def test_summer_time() -> None:
    rule = bytes([2, 0x80 | 29, 1 << 5 | 25, 10 << 4 | 3])  # from 29 March, 2 o'clock, to 25 October, one hour more
    assert season(rule) == "03-29T02/10-25+1"
    assert season(bytes([2, 29, 25, 0xA3])) == "off"
    assert season(bytes([2, 0x9D, 0xB9, 0xA3])) == "03-29T02/10-25-1"
    assert season(bytes(4)) == "off"
    assert season(bytes([31, 0x9D, 0x39, 0xA3])) is None
    assert season(bytes([2, 0x80, 0x39, 0xA3])) is None
    assert season(b"\x02\x9d") is None


def test_the_lowest_signed_number_is_no_value() -> None:
    for size in (1, 2, 3, 4, 6, 8):
        lowest = bytes(size - 1) + b"\x80"
        assert integer(lowest, is_signed=True) is None
        assert integer(lowest, is_signed=False) == 1 << 8 * size - 1
        assert integer(b"\x01" + lowest[1:] if size > 1 else b"\x81", is_signed=True) == 1 - (1 << 8 * size - 1)
