"""Milesight: registers that a UC100 reads from a Modbus. Source and shape: milesight.py."""

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
    },
}
