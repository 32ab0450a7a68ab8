import struct
from collections.abc import Mapping

import msgspec
import pytest

from torhaus.codecs.layout.field import Field, compile_fields, number, rounded, run, size_of
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value


def read(data: bytes, *fields: Mapping[str, object], endian: str = "big") -> Fields:
    out: Fields = {}
    steps = compile_fields([msgspec.convert(f, Field) for f in fields], endian)  # type: ignore[arg-type]
    run(steps, data, 0, out)
    return out


@pytest.mark.parametrize(
    ("type_", "data", "big", "little"),
    [
        ("u8", "fe", 254, 254),
        ("i8", "fe", -2, -2),
        ("u16", "0102", 258, 513),
        ("i16", "feff", -257, -2),
        ("u24", "010203", 66051, 197121),
        ("i24", "feffff", -65537, -2),
        ("u32", "01020304", 16909060, 67305985),
        ("i32", "fffffffe", -2, -16777217),
        ("u40", "0000000001", 1, 1 << 32),
        ("u48", "000000000001", 1, 1 << 40),
        ("u64", "ffffffffffffffff", 2**64 - 1, 2**64 - 1),
        ("i64", "ffffffffffffffff", -1, -1),
    ],
)
def test_integers(type_: str, data: str, big: int, little: int) -> None:
    raw = bytes.fromhex(data)
    assert read(raw, {"name": "x", "type": type_}) == {"x": Value(big)}
    assert read(raw, {"name": "x", "type": type_}, endian="little") == {"x": Value(little)}
    assert read(raw, {"name": "x", "type": type_, "endian": "little"}) == {"x": Value(little)}
    with pytest.raises(DecodeError) as caught:
        read(raw[:-1], {"name": "x", "type": type_})
    assert caught.value.reason is RejectReason.SHORT


def test_floats_and_what_is_none() -> None:
    assert read(struct.pack(">f", 1.5), {"name": "x", "type": "f32"})["x"].value == 1.5
    assert read(struct.pack("<d", -0.1), {"name": "x", "type": "f64"}, endian="little")["x"].value == -0.1
    for bad in (float("nan"), float("inf")):
        with pytest.raises(DecodeError) as caught:
            read(struct.pack(">f", bad), {"name": "x", "type": "f32", "divide": 10})
        assert caught.value.reason is RejectReason.RANGE


def test_text_hex_and_bcd() -> None:
    data = bytes.fromhex("54310020 cafe 1234".replace(" ", ""))
    assert read(
        data,
        {"name": "t", "type": "text", "size": 4},
        {"name": "h", "type": "hex", "size": 2},
        {"name": "b", "type": "bcd", "size": 2, "divide": 10},
    ) == {"t": Value("T1"), "h": Value("cafe"), "b": Value(123.4)}
    assert read(b"\x34\x12", {"name": "b", "type": "bcd", "size": 2}, endian="little") == {"b": Value(1234)}
    with pytest.raises(DecodeError) as caught:
        read(b"\x1a", {"name": "b", "type": "bcd", "size": 1})
    assert caught.value.reason is RejectReason.SYNTAX


def test_numbers_become_values() -> None:
    assert read(b"\x00\xe6", {"name": "t", "type": "i16", "divide": 10, "unit": "Cel"}) == {"t": Value(23.0, "Cel")}
    assert read(b"\x0a", {"name": "x", "type": "u8", "multiply": 3, "divide": 4, "add": -1, "decimals": 1}) == {
        "x": Value(6.5)
    }
    state = {"name": "s", "type": "u8", "values": {"0": "off", "0xff": "on"}, "otherwise": "unknown"}
    assert [read(bytes([n]), state)["s"].value for n in (0, 255, 3)] == ["off", "on", "unknown"]
    assert read(b"\x80\x00", {"name": "x", "type": "i16", "absent": [-32768]}) == {}
    with pytest.raises(DecodeError) as caught:
        read(b"\x51", {"name": "x", "type": "u8", "minimum": -50, "maximum": 80})
    assert caught.value.reason is RejectReason.RANGE


def test_bits_share_their_bytes_and_conditions_hold() -> None:
    fields: tuple[dict[str, object], ...] = (
        {"name": "a", "type": "u8", "bits": [0, 4]},
        {"name": "b", "bits": [4, 4]},
        {"name": "c", "type": "u8", "when": {"b": [2]}},
        {"name": "d", "type": "u8"},
    )
    assert {n: v.value for n, v in read(b"\x21\x07\x08", *fields).items()} == {"a": 1, "b": 2, "c": 7, "d": 8}
    assert {n: v.value for n, v in read(b"\x31\x07", *fields).items()} == {"a": 1, "b": 3, "d": 7}


def test_a_half_is_rounded_away_from_zero() -> None:
    assert rounded(0.0078125, 6) == 0.007813
    assert rounded(-0.0078125, 6) == -0.007813
    assert rounded(3e38, 12) == 3e38
    assert rounded(-999999999999999.0, 12) == -999999999999999.0
    assert rounded(2.675, 2) == 2.67  # which is a little less than that


def test_sizes_and_numbers() -> None:
    assert size_of(None, None) is None
    assert size_of("u24", None) == 3
    assert size_of("f64", None) == 8
    assert size_of("hex", 7) == 7
    assert number("0x10") == 16
    assert number("x") is None


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ({"name": "x", "type": "u8", "divide": 0}, "divide: is 0"),
        ({"name": "x", "type": "u8", "bits": [7, 2]}, "bits: is"),
        ({"name": "x", "type": "bcd"}, "size: is missing"),
        ({"name": "x", "type": "u8", "size": 2}, "size: is not for type u8"),
        ({"name": "x", "at": 2}, "type: is missing"),
        ({"name": "x", "type": "u8", "values": {"on": 1}}, "values: 'on' is no number"),
        ({"name": "x", "bits": [0, 1]}, "no field before"),
    ],
)
def test_what_is_wrong_is_said(field: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read(b"\0", field)
