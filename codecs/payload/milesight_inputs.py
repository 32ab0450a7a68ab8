"""Milesight: controllers with inputs of all kinds (UC11, UC500, UC501, UC502). Source and shape: milesight.py.

Of the UC11 and the first UC500 only the channel's number counts for analogue inputs; the type beside it is not looked
at. Registers read by Modbus come as channel | type | value: the three lowest bits of the type say what the value is.
"""

from collections.abc import Callable, Mapping
from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.layout.compact import field
from torhaus.codecs.layout.field import Step, run
from torhaus.codecs.layout.tags import Special
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Scalar, Value
from torhaus.codecs.payload.milesight_channels import BATTERY, OFF_ON, Channels, named, row
from torhaus.codecs.payload.milesight_control import SINGLE, finite, statistics

_FIRST: Final = 6
"""The number that the first register's channel has."""
_BITS: Final = frozenset({0, 1})
_FLOATS: Final = frozenset({5, 7})
_WORDS: Final = frozenset({2, 3})
_LOW_HIGH: Final = {0: "low", 1: "high"}
_ALARM: Final = {1: "threshold alarm", 2: "value change alarm"}
_TEXT_SIZE: Final = 36
_TYPES: Final = range(0x100)


def _register(
    names: Callable[[int], str], words: Mapping[int, str] | None = None, one: Mapping[int, str] | None = None
) -> Special:
    """A register. `words` names the bits of coils, `one` those of discrete inputs; without them they are numbers."""

    def read(data: bytes, pos: int, out: Fields) -> int:
        cursor = Cursor(data)
        cursor.pos = pos
        name, kind = names(cursor.u8()), cursor.u8() & 7
        value: Scalar
        if kind in _BITS:
            raw, table = cursor.u8(), words if kind == 0 else one
            value = raw if table is None else table.get(raw, "unknown")
        elif kind in _FLOATS:
            value = finite(SINGLE, cursor.take(4))
        else:
            value = cursor.ule(2 if kind in _WORDS else 4)
        out[name] = Value(value)
        return cursor.pos

    return read


def _numbered(n: int) -> str:
    """The UC50x: channels begin with 6; whoever counts from below has the difference in the name."""
    return f"modbus_chn_{abs(n - _FIRST)}"


def _analogue(name: str, tails: tuple[str, ...], divide: int) -> tuple[Step, ...]:
    return row(*(f"{name}{tail} i16 /{divide}" for tail in tails))


def _any_type(channel: int, steps: tuple[Step, ...], but: tuple[int, ...] = ()) -> Channels:
    return {f"{channel:02x} {kind:02x}": steps for kind in _TYPES if kind not in but}


_MIN_MAX: Final = ("", "_min", "_max", "_avg")
_PULSE: Final = 0xC8
_UC11_ABOUT: Final[Channels] = {"ff 08": row("sn hex6")}
_UC11_N1: Final[Channels] = {
    **_UC11_ABOUT,
    "01 75": BATTERY,
    **_any_type(3, row(named("gpio_1 u8", _LOW_HIGH)), but=(_PULSE,)),
    **_any_type(4, row(named("gpio_2 u8", _LOW_HIGH)), but=(_PULSE,)),
    "04 c8": row("gpio_counter u32"),
    **_any_type(5, _analogue("adc_1", _MIN_MAX, 100)),
    **_any_type(6, _analogue("adc_2", _MIN_MAX, 100)),
    "ff 0e": _register(_numbered),
}
_UC11XX: Final[Channels] = {
    **_UC11_ABOUT,
    **_any_type(1, row(named("gpio_input_1 u8", _LOW_HIGH)), but=(_PULSE,)),
    **_any_type(2, row(named("gpio_input_2 u8", _LOW_HIGH)), but=(_PULSE,)),
    "01 c8": row("gpio_counter_1 u32"),
    "02 c8": row("gpio_counter_2 u32"),
    **_any_type(9, row(named("gpio_output_1 u8", _LOW_HIGH))),
    **_any_type(10, row(named("gpio_output_2 u8", _LOW_HIGH))),
    **_any_type(0x11, _analogue("adc_1", _MIN_MAX, 100)),
    **_any_type(0x12, _analogue("adc_2", _MIN_MAX, 100)),
    "ff 0e": _register(lambda n: f"modbus_chn_{n}"),
}
_CURRENT: Final = ("_cur", "_min", "_max", "_avg")
_NOT_OFF: Final = dict.fromkeys(range(1, 0x100), "on") | {0: "off"}
_UC500: Final[Channels] = {
    "01 75": BATTERY,
    **_any_type(3, row(named("gpio1 u8", _NOT_OFF)), but=(_PULSE,)),
    **_any_type(4, row(named("gpio2 u8", _NOT_OFF)), but=(_PULSE,)),
    "03 c8": row("counter1 u32"),
    "04 c8": row("counter2 u32"),
    **_any_type(5, _analogue("adc1", _CURRENT, 100)),
    **_any_type(6, _analogue("adc2", _CURRENT, 100)),
    "ff 0e": _register(lambda n: f"chn{n - _FIRST}".replace("-", "_"), _NOT_OFF),
}
_UC11_N1_FIRST: Final[Channels] = {**_UC500, "03 c8": (), "04 c8": row("counter u32")}
_UC11XX_FIRST: Final[Channels] = {
    **_any_type(1, row(named("din1 u8", _NOT_OFF)), but=(_PULSE,)),
    **_any_type(2, row(named("din2 u8", _NOT_OFF)), but=(_PULSE,)),
    "01 c8": row("counter1 u32"),
    "02 c8": row("counter2 u32"),
    **_any_type(9, row(named("dout1 u8", _NOT_OFF))),
    **_any_type(10, row(named("dout2 u8", _NOT_OFF))),
    **_any_type(0x11, _analogue("adc1", _CURRENT, 100)),
    **_any_type(0x12, _analogue("adc2", _CURRENT, 100)),
    "ff 0e": _register(lambda n: f"chn{n}", _NOT_OFF),
}

_READING: Final = _register(_numbered, OFF_ON, OFF_ON)


def _alarmed(data: bytes, pos: int, out: Fields) -> int:
    """A register with why it was sent."""
    behind = _READING(data, pos, out)
    if behind >= len(data):
        raise DecodeError(RejectReason.SHORT, f"an alarm at offset {behind} is cut off")
    out[f"{_numbered(data[pos])}_alarm"] = Value(_ALARM.get(data[behind], "unknown"))
    return behind + 1


def _place(cursor: Cursor, out: Fields) -> str:
    """Where a stored reading's values go; its time is read."""
    n = sum(name.startswith("history_") and name.endswith("_timestamp") for name in out)
    out[f"history_{n}_timestamp"] = Value(cursor.ule(4), "s")
    return f"history_{n}_"


def _stored_inputs(data: bytes, pos: int, out: Fields) -> int:
    cursor = Cursor(data)
    cursor.pos = pos
    prefix = _place(cursor, out)
    for n in (1, 2):
        kind, raw = cursor.u8(), cursor.ule(4)
        if kind == 2:
            out[f"{prefix}gpio_counter_{n}"] = Value(raw)
        elif kind in {0, 1}:
            out[f"{prefix}gpio_{('input', 'output')[kind]}_{n}"] = Value(OFF_ON.get(raw, "unknown"))
    return run(_STORED_ANALOGUE, data, cursor.pos, out, prefix)


_STORED_ANALOGUE: Final = row("#analog_input_1 i32 /1000", "#analog_input_2 i32 /1000")


def _text(raw: bytes) -> str:
    return raw.rstrip(b"\0").decode("ascii", "replace")


def _sdi12(data: bytes, pos: int, out: Fields) -> int:
    """What an SDI-12 sensor answered: its line as it is."""
    cursor = Cursor(data)
    cursor.pos = pos
    name = f"sdi12_{cursor.u8() + 1}"
    out[name] = Value(_text(cursor.take(_TEXT_SIZE)))
    return cursor.pos


def _stored(value: Callable[[Cursor], tuple[str, Scalar]]) -> Special:
    """Stored values of the channels whose bits are set."""

    def read(data: bytes, pos: int, out: Fields) -> int:
        cursor = Cursor(data)
        cursor.pos = pos
        prefix, mask = _place(cursor, out), cursor.ule(2)
        for n in range(16):
            if mask >> n & 1:
                name, found = value(cursor)
                out[f"{prefix}{name}_{n + 1}"] = Value(found)
        return cursor.pos

    return read


def _stored_register(cursor: Cursor) -> tuple[str, Scalar]:
    kind, raw = cursor.u8() & 7, cursor.take(4)
    return "modbus_chn", finite(SINGLE, raw) if kind in _FLOATS else int.from_bytes(raw, "little")


def _input_type(raw: int) -> dict[str, Scalar]:
    return {f"analog_input_{raw >> 4}_type": {0: "current", 1: "voltage"}.get(raw & 0x0F, "unknown")}


def _uc50x() -> Channels:
    out: dict[str, tuple[Step, ...] | Special] = {
        "01 75": BATTERY,
        "08 db": _sdi12,
        "ff 14": row(field("analog_input u8", makes=_input_type)),
        "ff 0e": _READING,
        "80 0e": _alarmed,
        "ff 15": row(field("error u8", makes=lambda raw: {f"{_numbered(raw)}_alarm": "read error"})),
        "20 dc": _stored_inputs,
        "20 e0": _stored(lambda cursor: ("sdi12", _text(cursor.take(_TEXT_SIZE)))),
        "20 dd": _stored(_stored_register),
    }
    for n in (1, 2):
        name = f"analog_input_{n}"
        out[f"{2 + n:02x} 00"] = row(named(f"gpio_input_{n} u8", OFF_ON))
        out[f"{2 + n:02x} 01"] = row(named(f"gpio_output_{n} u8", OFF_ON))
        out[f"{2 + n:02x} c8"] = row(f"gpio_counter_{n} u32")
        out[f"{4 + n:02x} 02"] = _analogue(name, _MIN_MAX, 1000)
        out[f"{4 + n:02x} e2"] = statistics(name, "", _MIN_MAX)
        out[f"{0x84 + n:02x} e2"] = statistics(name, "", _MIN_MAX) + row(named(f"{name}_alarm u8", _ALARM))
    return out


MODELS: Final[dict[str, Channels]] = {
    "uc11-n1": _UC11_N1,
    "uc11-n1-v1": _UC11_N1_FIRST,
    "uc11xx": _UC11XX,
    "uc11xx-v1": _UC11XX_FIRST,
    "uc500-series": _UC500,
    **dict.fromkeys(("uc501", "uc502"), _uc50x()),
}
