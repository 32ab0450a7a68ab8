from typing import Any

import msgspec
import pytest

from tests.codecs.test_fuzz import attempt
from torhaus.codecs.layout.shape import Layout, LayoutCodec
from torhaus.codecs.model import DecodeError, RejectReason

T = {"name": "t", "type": "i16", "divide": 10, "unit": "Cel"}
LAYOUT: dict[str, Any] = {
    "message": [
        {"fport": 2, "starts": "01", "field": [{"name": "kind", "type": "u8"}, T]},
        {"fport": [3, 4], "length": 3, "field": [T, {"name": "h", "type": "u8"}]},
        {"fport": 3, "field": [{"name": "n", "type": "u8"}], "repeat": {"count": "n", "field": [{**T, "name": "t_#"}]}},
        {"fport": 5, "repeat": {"field": [{**T, "name": "t_#"}], "first": 0}},
        {
            "fport": 6,
            "tag": [
                {"key": "01", "field": [T]},
                {"key": "0A", "field": [{"name": "e_#", "type": "u8"}]},
            ],
        },
        {"fport": 7, "rest": "ignore", "field": [T]},
    ]
}


def codec(layout: dict[str, Any] = LAYOUT) -> LayoutCodec:
    return LayoutCodec(msgspec.convert(layout, Layout))


@pytest.mark.parametrize(
    ("fport", "data", "fields"),
    [
        (2, "0100e6", {"kind": 1, "t": 23.0}),
        (4, "00e609", {"t": 23.0, "h": 9}),
        (3, "0200e600e7", {"n": 2, "t_1": 23.0, "t_2": 23.1}),
        (5, "00e600e7", {"t_0": 23.0, "t_1": 23.1}),
        (6, "0a010100e60a02", {"e_1": 1, "t": 23.0, "e_2": 2}),
        (7, "00e6ffff", {"t": 23.0}),
    ],
)
def test_the_first_message_that_fits(fport: int, data: str, fields: dict[str, object]) -> None:
    got = codec()(bytes.fromhex(data), fport)
    assert {name: value.value for name, value in got.items()} == fields


@pytest.mark.parametrize(
    ("fport", "data", "reason"),
    [
        (2, "0200e6", RejectReason.UNKNOWN_TYPE),
        (None, "0100e6", RejectReason.UNKNOWN_TYPE),
        (2, "0100e600", RejectReason.LONG),
        (2, "0100", RejectReason.SHORT),
        (2, "", RejectReason.SHORT),
        (2, "01" * 256, RejectReason.LONG),
        (3, "ff00e600e6", RejectReason.RANGE),
        (6, "02", RejectReason.UNKNOWN_TYPE),
    ],
)
def test_refused(fport: int | None, data: str, reason: RejectReason) -> None:
    with pytest.raises(DecodeError) as caught:
        codec()(bytes.fromhex(data), fport)
    assert caught.value.reason is reason


def test_whatever_bytes_come() -> None:
    decode = codec()
    for n in range(256):
        for fport in (None, *range(1, 9)):
            attempt(decode, bytes((n,)) * (n % 9), fport)
            attempt(decode, bytes((1, n, 1, n, 2, n)), fport)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({}, "field: is missing"),
        ({"field": [T], "repeat": {"field": [T]}, "tag": [{"key": "01", "field": [T]}]}, "cannot stand beside"),
        ({"tag": [{"key": "01", "field": [T]}, {"key": "0102", "field": [T]}]}, "different length"),
        ({"tag": [{"key": "0a", "field": [T]}, {"key": "0A", "field": [T]}]}, "twice"),
        ({"repeat": {"field": []}}, "has no fields"),
        ({"repeat": {"field": [{"name": "x", "type": "u8", "when": {"y": [1]}}]}}, "might never end"),
        ({"field": [{"name": "x", "type": "hex"}, T]}, "must stand last"),
        ({"field": [{"name": f"x{n}", "type": "u8"} for n in range(257)]}, "more than 256"),
    ],
)
def test_what_is_wrong_is_said(message: dict[str, Any], said: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=said):
        msgspec.convert({"message": [message]}, Layout)


def test_no_message_at_all() -> None:
    with pytest.raises(msgspec.ValidationError, match="at least one"):
        msgspec.convert({"message": []}, Layout)
