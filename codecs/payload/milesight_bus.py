"""Milesight: registers that a UC100 reads from a Modbus. Source and shape: milesight.py."""

from struct import Struct
from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.layout.compact import field
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Scalar, Value
from torhaus.codecs.payload.milesight_channels import OFF_ON, Channels, row
from torhaus.codecs.payload.milesight_control import DECIMALS, SINGLE, finite

_ALARMS: Final = {0: "normal", 1: "threshold alarm", 2: "threshold release alarm", 3: "mutation alarm"}
_BITS: Final = frozenset({0, 1})
_WORDS: Final = frozenset({2, 3})
_DOUBLES: Final = frozenset({4, 6})
_FLOATS: Final = frozenset({5, 7})
_HALVES: Final = frozenset({8, 9, 10, 11})
_STORED_BITS: Final = frozenset({0, 1})
_STORED_FLOATS: Final = frozenset({*range(10, 14), *range(22, 26)})
_STORED_HALVES: Final = frozenset({8, 9, 20, 21})
_STORED_KINDS: Final = 26


def _number(raw: bytes, is_signed: bool) -> int:
    return int.from_bytes(raw, "little", signed=is_signed)


def _value(cursor: Cursor) -> Scalar:
    """Length, type (bit 7: signed), value."""
    cursor.u8()
    kind = cursor.u8()
    is_signed, kind = bool(kind & 0x80), kind & 0x7F
    if kind in _BITS:
        return OFF_ON.get(cursor.u8(), "unknown")
    if kind in _WORDS:
        return _number(cursor.take(2), is_signed)
    if kind in _FLOATS:
        return finite(SINGLE, cursor.take(4), DECIMALS)
    if kind in _DOUBLES | _HALVES:
        raw = cursor.take(4)
        return _number(raw[:2] if kind in _HALVES else raw, is_signed)
    raise DecodeError(RejectReason.UNKNOWN_TYPE, f"Modbus type {kind}")


def _register(data: bytes, pos: int, out: Fields) -> int:
    cursor = Cursor(data)
    cursor.pos = pos
    name = f"modbus_chn_{cursor.u8() + 1}"
    out[name] = Value(_value(cursor))
    return cursor.pos


def _alarm(data: bytes, pos: int, out: Fields) -> int:
    cursor = Cursor(data)
    cursor.pos = pos
    channel = cursor.u8()
    name = f"modbus_chn_{(channel & 0x3F) + 1}"
    out[f"{name}_alarm"] = Value(_ALARMS[channel >> 6])
    out[name] = Value(_value(cursor))
    return cursor.pos


def _jump(data: bytes, pos: int, out: Fields) -> int:
    """A value that changed more than it should."""
    cursor = Cursor(data)
    cursor.pos = pos
    channel = cursor.u8()
    cursor.take(2)
    raw = cursor.take(4)
    if channel >> 6 == 3:
        name = f"modbus_chn_{(channel & 0x3F) + 1}"
        out[f"{name}_alarm"] = Value(_ALARMS[3])
        out[f"{name}_mutation"] = Value(finite(SINGLE, raw, DECIMALS))
    return cursor.pos


def _prefix(cursor: Cursor, out: Fields) -> str:
    prefix = f"history_{sum(name.startswith('history_') and name.endswith('_timestamp') for name in out)}_"
    out[f"{prefix}timestamp"] = Value(cursor.ule(4), "s")
    return prefix


def _stored(data: bytes, pos: int, out: Fields) -> int:
    """Time, channel, type with sign and whether it was read, value in four bytes."""
    cursor = Cursor(data)
    cursor.pos = pos
    prefix = _prefix(cursor, out)
    name = f"{prefix}modbus_chn_{cursor.u8() + 1}"
    kind = cursor.u8()
    raw = cursor.take(4)
    is_signed, is_read, kind = bool(kind & 0x80), bool(kind & 2), kind >> 2 & 0x1F
    if not is_read:
        out[f"{name}_alarm"] = Value("read error")
    elif kind in _STORED_BITS:
        out[name] = Value(OFF_ON.get(raw[0], "unknown"))
    elif kind in _STORED_FLOATS:
        out[name] = Value(finite(SINGLE, raw, DECIMALS))
    elif kind < _STORED_KINDS:
        out[name] = Value(_number(raw[:2] if kind in _STORED_HALVES else raw, is_signed))
    return cursor.pos


_SECOND_BITS: Final = frozenset({0, 1})
_SECOND_SIZES: Final = (
    dict.fromkeys((2, 3, 8, 9, 14, 15, 20, 21), 2)
    | dict.fromkeys((*range(4, 8), *range(16, 20)), 4)
    | dict.fromkeys((*range(30, 34), *range(38, 42)), 8)
)
_SECOND_FLOATS: Final = frozenset({*range(10, 14), *range(22, 26)})
_SECOND_DOUBLES: Final = frozenset({*range(26, 30), *range(34, 38)})
_DOUBLE: Final = Struct("<d")
_SECOND_ALARMS: Final = {
    0: "normal", 1: "threshold alarm", 2: "threshold alarm release", 3: "mutation alarm",
}  # fmt: skip


def _second_value(raw: bytes, kind: int, *, is_signed: bool) -> Scalar:
    """A register in eight bytes, as the second version of the UC100 stores it."""
    if kind in _SECOND_BITS:
        return OFF_ON.get(raw[0], "unknown")
    if kind in _SECOND_FLOATS:
        return finite(SINGLE, raw[:4], DECIMALS)
    if kind in _SECOND_DOUBLES:
        return finite(_DOUBLE, raw)
    size = _SECOND_SIZES.get(kind)
    if size is None:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"Modbus type {kind}")
    return _number(raw[:size], is_signed)


def _stored_second(data: bytes, pos: int, out: Fields) -> int:
    """Time, channel, what it is (sign, type, whether it was read, how many, why), two values in eight bytes each."""
    cursor = Cursor(data)
    cursor.pos = pos
    at, channel, bits = cursor.ule(4), cursor.u8() + 1, cursor.ule(2)
    raws = cursor.take(8), cursor.take(8)
    found: Fields = {}
    name = f"modbus_chn_{channel}"
    if bits >> 8 & 1:
        kind, is_signed = bits >> 9 & 0x3F, bool(bits >> 15)
        found[name] = Value(_second_value(raws[0], kind, is_signed=is_signed))
        if bits >> 6 & 3 == 2:
            found[f"{name}_reg_2"] = Value(_second_value(raws[1], kind, is_signed=is_signed))
        found[f"{name}_alarm"] = Value(_SECOND_ALARMS[bits >> 4 & 3])
    else:
        found[f"{name}_alarm"] = Value("read error")
    prefix = f"history_{sum(key.startswith('history_') and key.endswith('_timestamp') for key in out)}_"
    out[f"{prefix}timestamp"] = Value(at, "s")
    out.update((prefix + key, value) for key, value in found.items())
    return cursor.pos


def _message(data: bytes, pos: int, out: Fields) -> int:
    cursor = Cursor(data)
    cursor.pos = pos
    prefix = _prefix(cursor, out)
    out[f"{prefix}custom_message"] = Value(cursor.take(cursor.u8()).decode("ascii", "replace"))
    return cursor.pos


MODELS: Final[dict[str, Channels]] = {
    "uc100": {
        "ff 19": _register,
        "ff 15": row(field("modbus_read_error u8", makes=lambda raw: {f"modbus_chn_{raw + 1}_alarm": "read error"})),
        "ff ee": _alarm,
        "f9 5f": _jump,
        "20 ce": _stored,
        "20 cd": _message,
        "21 ce": _stored_second,
        "21 cd": _message,
    },
}
