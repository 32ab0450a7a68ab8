"""Milesight: controllers (UC), thermostats (WT2xx), buttons and weather. Source and shape: milesight.py."""

from struct import Struct
from typing import Any, Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.layout.compact import field
from torhaus.codecs.layout.field import rounded, run
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Scalar, Value
from torhaus.codecs.payload.milesight_channels import (
    BATTERY,
    HUMIDITY,
    NO_YES,
    OFF_ON,
    OLD_SERIAL,
    TEMPERATURE,
    Channels,
    history,
    named,
    row,
)

_HALF: Final = Struct("<e")
SINGLE: Final = Struct("<f")
DECIMALS: Final = 2
"""Of floating point numbers that a UC100 and UC300 send."""
_FLOATS: Final = frozenset({5, 7})
_UPPER: Final = frozenset({9, 11})
_LOWER: Final = frozenset({8, 10})
SENSOR: Final = {1: "read failed", 2: "out of range"}


def finite(form: Struct, raw: bytes, decimals: int | None = None) -> float:
    """A floating point number. Raises DecodeError RANGE for one that is none."""
    number: float = form.unpack(raw)[0]
    if number - number != 0:
        raise DecodeError(RejectReason.RANGE, "a floating point number that is none")
    return number if decimals is None else rounded(number, decimals)


def statistics(
    name: str, unit: str, tails: tuple[str, ...] = ("", "_max", "_min", "_avg"), decimals: int | None = None
) -> tuple[Any, ...]:
    """A value with its extremes and mean, each as half-precision number."""
    return row(
        *(field(f"{name}{tail} hex2 {unit}", convert=lambda raw: finite(_HALF, raw, decimals)) for tail in tails)
    )


def _read(cursor: Cursor, kind: int, *, is_padded: bool) -> Scalar:
    """The value of a register by its type (bit 7: signed). `is_padded`: four bytes, whatever it is."""
    is_signed, kind = bool(kind & 0x80), kind & 0x7F
    behind = cursor.pos + 4
    value: Scalar
    if kind == 0:
        value = OFF_ON.get(cursor.u8(), "unknown")
    elif kind in _FLOATS:
        value = finite(SINGLE, cursor.take(4), DECIMALS)
    elif kind <= 11:
        size = {1: 1, 2: 2, 3: 2}.get(kind, 4)
        raw = cursor.take(size)
        raw = raw[2:] if kind in _UPPER else raw[:2] if kind in _LOWER else raw
        value = int.from_bytes(raw, "little", signed=is_signed)
    else:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"Modbus type {kind}")
    if is_padded:
        cursor.take(behind - cursor.pos)
    return value


def _modbus(data: bytes, pos: int, out: Fields) -> int:
    """A register that the UC300 read: channel, length, type, value."""
    cursor = Cursor(data)
    cursor.pos = pos
    name = f"modbus_chn_{cursor.u8() + 1}"
    cursor.u8()
    out[name] = Value(_read(cursor, cursor.u8(), is_padded=False))
    return cursor.pos


def _stored_registers(data: bytes, pos: int, out: Fields) -> int:
    """Stored registers: time, a bit for each channel; of each its type and value."""
    cursor = Cursor(data)
    cursor.pos = pos
    prefix = (
        f"modbus_history_{sum(name.startswith('modbus_history_') and name.endswith('_timestamp') for name in out)}_"
    )
    at, mask = cursor.ule(4), cursor.ule(4)
    found = {n: _read(cursor, cursor.u8(), is_padded=True) for n in range(32) if mask >> n & 1}
    out[f"{prefix}timestamp"] = Value(at, "s")
    out.update((f"{prefix}modbus_chn_{n + 1}", Value(value)) for n, value in found.items())
    return cursor.pos


def _stored_inputs(data: bytes, pos: int, out: Fields) -> int:
    """Stored inputs and outputs of the UC300: time, a bit for each channel, the values of those that are set."""
    cursor = Cursor(data)
    cursor.pos = pos
    place = sum(name.startswith("channel_history_") and name.endswith("_timestamp") for name in out)
    at, mask = cursor.ule(4), cursor.ule(2)
    found: Fields = {"timestamp": Value(at, "s")}
    for n in range(len(_CHANNELS)):
        if not mask >> n & 1:
            continue
        if n < _DIGITAL:
            name = "gpio_counter" if cursor.u8() else "gpio_input"
            raw = cursor.ule(4)
            found[f"{name}_{n + 1}"] = Value(raw if name == "gpio_counter" else OFF_ON.get(raw, "unknown"))
            continue
        cursor.pos = run(_CHANNELS[n], data, cursor.pos, found)
    out.update((f"channel_history_{place}_{name}", value) for name, value in found.items())
    return cursor.pos


_DIGITAL: Final = 4
_CHANNELS: Final[tuple[tuple[Any, ...], ...]] = (
    *((),) * _DIGITAL,
    *(row(named(f"gpio_output_{n} u8", OFF_ON)) for n in (1, 2)),
    *(statistics(f"pt100_{n}", "Cel", ("",), DECIMALS) for n in (1, 2)),
    *(statistics(f"adc_{n}", "mA", decimals=DECIMALS) for n in (1, 2)),
    *(statistics(f"adv_{n}", "V", decimals=DECIMALS) for n in (1, 2)),
    row("text text48"),
)
_UC300: Final[Channels] = {
    **{f"{3 + n:02x} 00": row(named(f"gpio_input_{n + 1} u8", OFF_ON)) for n in range(4)},
    **{f"{3 + n:02x} c8": row(f"gpio_counter_{n + 1} u32") for n in range(4)},
    **{f"{7 + n:02x} 01": row(named(f"gpio_output_{n + 1} u8", OFF_ON)) for n in range(2)},
    **{f"{9 + n:02x} 67": row(f"pt100_{n + 1} i16 /10 Cel") for n in range(2)},
    **{f"{9 + n:02x} e2": statistics(f"pt100_{n + 1}", "Cel", decimals=DECIMALS) for n in range(2)},
    **{f"{11 + n:02x} 02": row(f"adc_{n + 1} u32 /100 mA") for n in range(2)},
    **{f"{11 + n:02x} e2": statistics(f"adc_{n + 1}", "mA", decimals=DECIMALS) for n in range(2)},
    **{f"{13 + n:02x} 02": row(f"adv_{n + 1} u32 /100 V") for n in range(2)},
    **{f"{13 + n:02x} e2": statistics(f"adv_{n + 1}", "V", decimals=DECIMALS) for n in range(2)},
    "20 dc": _stored_inputs,
    "20 dd": _stored_registers,
    "ff 19": _modbus,
    "ff 15": row(field("modbus_read_error u8", makes=lambda raw: {f"modbus_chn_{raw + 1}_alarm": "read error"})),
}
EXECUTED: Final = {
    0: "not executed", 1: "wake", 2: "away", 3: "home", 4: "sleep", 5: "occupied", 6: "vacant", 7: "eco",
}  # fmt: skip
_CONTROL: Final = {0: "heat", 1: "em heat", 2: "cool", 3: "auto"}
STAGES: Final = {
    0: "standby", 1: "stage-1 heat", 2: "stage-2 heat", 3: "stage-3 heat", 4: "stage-4 heat", 5: "em heat",
    6: "stage-1 cool", 7: "stage-2 cool", 8: "stage-5 heat", 9: "stage-3 cool",
}  # fmt: skip
_FAN_MODES: Final = {0: "auto", 1: "on", 2: "circulate", 3: "disable"}
_FAN: Final = {0: "standby", 1: "high speed", 2: "low speed", 3: "on"}
ALARMS: Final = {
    1: "emergency heating timeout alarm", 2: "auxiliary heating timeout alarm", 3: "persistent low temperature alarm",
    4: "persistent low temperature alarm release", 5: "persistent high temperature alarm",
    6: "persistent high temperature alarm release", 7: "freeze protection alarm",
    8: "freeze protection alarm release", 9: "threshold alarm", 10: "threshold alarm release",
}  # fmt: skip
_ENABLE: Final = ("disable", "enable")
DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def wired(raw: bytes) -> dict[str, Scalar]:
    """Which terminals of the thermostat are wired: two bits for each, and the kind of its reversing valve."""
    pairs = [octet >> shift & 3 for octet in raw for shift in (0, 2, 4, 6)]
    one = dict(zip(("y1", "gh", "ob", "w1", "e", "di", "pek"), pairs, strict=False))
    on = {name: bool(pair) for name, pair in one.items()}
    on |= {"w2": pairs[7] == 1, "aux": pairs[7] == 2, "y2": pairs[8] == 1, "gl": pairs[8] == 2}
    wires: dict[str, Scalar] = {f"wires_{name}": "on" if is_on else "off" for name, is_on in on.items()}
    return {**wires, "ob_mode": {0: "on cool", 1: "on heat"}.get(pairs[9], "unknown")}


def _supported(raw: bytes) -> dict[str, Scalar]:
    """What the thermostat can do: modes, then stages of heating and cooling."""
    mode, status = "temperature_control_support_mode_", "temperature_control_support_status_"
    modes = {mode + name: raw[0] >> n & 1 for n, name in enumerate(("heat", "em_heat", "cool", "auto"))}
    stages = {f"{status}stage_{n + 1}_heat": raw[1] >> n & 1 for n in range(5)}
    stages |= {f"{status}stage_{n + 1}_cool": raw[2] >> n & 1 for n in range(2)}
    return {name: _ENABLE[bit] for name, bit in {**modes, **stages}.items()}


_RELAYS: Final = ("y1", "y2_gl", "w1", "w2_aux", "e", "g", "ob")
_SCHEDULE: Final = row(
    named("plan_schedule_#_plan_type u8", {0: "wake", 1: "away", 2: "home", 3: "sleep"}),
    "plan_schedule_#_id u8 +1",
    named("plan_schedule_#_enable u8", {0: "disable", 1: "enable"}),
    *(
        named(f"plan_schedule_#_week_recycle_{day} {'=' if n else 'u8'} {n + 1}:1", {0: "disable", 1: "enable"})
        for n, day in enumerate(DAYS)
    ),
    "plan_schedule_#_time u16 min",
)
_SHORT_READING: Final = 8
_READING: Final = history(
    named("system_status u16 0:1", OFF_ON),
    named("fan_mode = 1:2", _FAN_MODES),
    named("fan_status = 3:2", _FAN),
    named("temperature_control_mode = 5:2", _CONTROL),
    named("temperature_control_status = 7:4", STAGES),
    "target_temperature i16 /10 Cel",
    "target_temperature_2 i16 ?-1 /10 Cel",
    "temperature i16 /10 Cel",
    "humidity u8 /2 %",
)
_OLD_READING: Final = history(
    named("fan_mode u16 0:2", _FAN_MODES),
    named("fan_status = 2:2", _FAN),
    named("system_status = 4:1", OFF_ON),
    "temperature = 5:11 /10 -100 .1 Cel",
    named("temperature_control_mode u16 0:2", _CONTROL),
    named("temperature_control_status = 2:3", STAGES),
    "target_temperature = 5:11 /10 -100 .1 Cel",
)


def stored_room(data: bytes, pos: int, out: Fields) -> int:
    """A stored reading of 13 bytes, or of 8 as the first WT201 sends it: the next one, or the end, tells which."""
    behind = pos + _SHORT_READING
    is_old = behind == len(data) or data[behind : behind + 2] == _STORED
    place = 0
    while f"history_{place}_timestamp" in out:
        place += 1
    return run(_OLD_READING if is_old else _READING, data, pos, out, str(place))


_STORED: Final = bytes.fromhex("20ce")
_WT: Final[Channels] = {
    "03 67": TEMPERATURE,
    "04 67": row("target_temperature i16 /10 Cel"),
    "0b 67": row("target_temperature_2 i16 /10 Cel"),
    "05 e7": row(named("temperature_control_mode u8 0:2", _CONTROL), named("temperature_control_status = 4:4", STAGES)),
    "06 e8": row(named("fan_mode u8 0:2", _FAN_MODES), named("fan_status = 2:2", _FAN)),
    "07 bc": row(named("plan_type u8 0:4", EXECUTED)),
    "08 8e": row(named("system_status u8", OFF_ON)),
    "09 68": HUMIDITY,
    "83 67": row("temperature i16 /10 Cel", named("temperature_alarm u8", ALARMS)),
    "b3 67": row(named("temperature_sensor_status u8", SENSOR)),
    "b9 68": row(named("humidity_sensor_status u8", SENSOR)),
    "20 ce": stored_room,
    "0a 6e": row(*(named(f"wires_relay_{wire} {'=' if n else 'u8'} {n}:1", OFF_ON) for n, wire in enumerate(_RELAYS))),
    "ff c9": _SCHEDULE,
    **{
        f"{answer} f6": row(named("control_permission u8", {0: "thermostat", 1: "remote control"}))
        for answer in ("fe", "ff")
    },
    "ff ca": row(field("wires hex3", makes=wired)),
    "ff cb": row(field("support hex3", makes=_supported)),
}
_SWITCHES: Final[Channels] = {
    "ff 29": row(
        *(named(f"switch_{n + 1} {'=' if n else 'u8'} {n}:1", {0: "close", 1: "open"}) for n in range(3)),
        *(named(f"switch_{n + 1}_change = {n + 4}:1", NO_YES) for n in range(3)),
    )
}
MODELS: Final[dict[str, Channels]] = {
    "uc11-t1": {**OLD_SERIAL, "03 75": BATTERY, "01 67": TEMPERATURE, "02 68": HUMIDITY},
    "uc300": _UC300,
    "wts305": {
        "01 75": BATTERY,
        "03 67": TEMPERATURE,
        "04 68": HUMIDITY,
        "05 84": row("wind_direction i16 /10 deg"),
        "06 73": row("pressure u16 /10 hPa"),
        "07 92": row("wind_speed u16 /10 m/s"),
        "08 77": row("rainfall_total u16 /100 mm", "rainfall_counter u8"),
    },
    **dict.fromkeys(("wt201", "wt211-v1"), _WT),
    "ws136ws156": {
        "01 75": BATTERY,
        "ff 34": row(field("button hex3", makes=lambda raw: {f"button_{raw[0]}": "trigger"})),
    },
    "ws50x": _SWITCHES,
}
