"""Registers to values: types, orders, scales, and what means that there is none."""

import struct
from typing import Any

import pytest

from torhaus.codecs.framing.modbus_blocks import Block, encode_blocks
from torhaus.codecs.meter.modbus import decode_mapped
from torhaus.codecs.meter.modbus_map import Map, Register
from torhaus.codecs.model import DecodeError, RejectReason


def one(data: bytes, map_more: dict[str, Any] | None = None, **register: Any) -> Any:
    """The value of one register at 100."""
    map_ = Map(name="t", source="t", register=(Register(field="x", address=100, **register),), **(map_more or {}))
    frame = encode_blocks([Block(3, 99, len(data) // 2 + 1, b"\xee\xee" + data)])
    return decode_mapped(frame, map_)["x"].value


@pytest.mark.parametrize(
    ("data", "register", "want"),
    [
        ("ffff", {"type": "uint16"}, 65535),
        ("ffff", {"type": "int16"}, -1),
        ("00010002", {"type": "uint32"}, 65538),
        ("00010002", {"type": "uint32", "word_order": "little"}, 131073),
        ("01000200", {"type": "uint32", "byte_order": "little"}, 65538),
        ("02000100", {"type": "uint32", "byte_order": "little", "word_order": "little"}, 65538),
        ("fffffffe", {"type": "int32"}, -2),
        ("fffffffffffffffe", {"type": "int64"}, -2),
        ("fffffffffffffffe", {"type": "uint64"}, 2**64 - 2),
        ("4366199a", {"type": "float32"}, 230.1),
        ("199a4366", {"type": "float32", "word_order": "little"}, 230.1),
        (struct.pack(">d", 1 / 3).hex(), {"type": "float64"}, 1 / 3),
        ("12345678", {"type": "bcd", "words": 2}, 12345678),
        ("546f72000000", {"type": "string", "words": 3}, "Tor"),
        ("08fd", {"type": "uint16", "scale": 0.1}, 230.1),
        ("0017", {"type": "uint16", "scale": 10}, 230),
        ("0017", {"type": "int16", "scale": 0.5, "offset": -40}, -28.5),
        ("0008", {"type": "uint16", "bit": 3}, True),
        ("00f0", {"type": "bits", "words": 1, "bit": 4, "width": 3}, 7),
        ("0002", {"type": "uint16", "values": {"2": "on"}}, "on"),
        ("0003", {"type": "uint16", "values": {"2": "on"}}, 3),
    ],
)
def test_values(data: str, register: dict[str, Any], want: object) -> None:
    got = one(bytes.fromhex(data), **register)
    assert got == want
    assert type(got) is type(want)


@pytest.mark.parametrize(
    ("data", "register"),
    [
        ("7fc00000", {"type": "float32"}),
        ("7f800000", {"type": "float32"}),
        ("8000", {"type": "int16", "invalid": (0x8000,)}),
        ("1a34", {"type": "bcd", "words": 1}),
        ("00000000", {"type": "string", "words": 2}),
        ("c3a40000", {"type": "string", "words": 2}),
    ],
)
def test_what_means_that_there_is_none(data: str, register: dict[str, Any]) -> None:
    with pytest.raises(DecodeError) as caught:
        one(bytes.fromhex(data), **register)
    assert caught.value.reason is RejectReason.RANGE


def test_invalid_by_type() -> None:
    with pytest.raises(DecodeError):
        one(b"\xff\xff", {"invalid": {"uint16": (0xFFFF,)}}, type="uint16")
    assert one(b"\xff\xff", {"invalid": {"int16": (0xFFFF,)}}, type="uint16") == 65535
