"""Milesight: valves that pipes are opened and closed with (UC511, UC512, UC521). Source and shape: milesight.py."""

from typing import Any, Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.layout.compact import field
from torhaus.codecs.model import Fields, Scalar, Value
from torhaus.codecs.payload.milesight_channels import BATTERY, OFF_ON, Channels, history, named, row

_KINDS: Final = {0: "2_way_ball_valve", 1: "3_way_ball_valve"}
_VALVE: Final = {0: "close", 1: "open"}


def _valve(n: int) -> tuple[Any, ...]:
    def makes(raw: int) -> dict[str, Scalar]:
        if raw == 0xFF:
            return {f"valve_{n}_result": "success"}
        return {f"valve_{n}": _VALVE.get(raw, "unknown")}

    return row(field(f"valve_{n} u8", makes=makes))


def _calibrated(data: bytes, pos: int, out: Fields) -> int:
    """A valve was calibrated: which, from where to where, with what result."""
    cursor = Cursor(data)
    cursor.pos = pos
    name = f"valve_{cursor.u8() + 1}_calibration_event"
    out[f"{name}_source_value"] = Value(cursor.u8())
    out[f"{name}_target_value"] = Value(cursor.u8())
    out[f"{name}_result"] = Value({0: "failed", 1: "success"}.get(cursor.u8(), "unknown"))
    return cursor.pos


def _valve_history(data: bytes, pos: int, out: Fields) -> int:
    """A stored state of one valve: time, bits (state, mode, input, which valve), pulses."""
    cursor = Cursor(data)
    cursor.pos = pos
    n = sum(name.endswith("_timestamp") for name in out)
    at, bits, pulses = cursor.ule(4), cursor.u8(), cursor.ule(4)
    valve = f"valve_{2 if bits & 16 else 1}"
    prefix = f"history_{n}_"
    out[f"{prefix}timestamp"] = Value(at, "s")
    out[f"{prefix}mode"] = Value("counter" if bits & 2 else "gpio")
    out[prefix + valve] = Value(_VALVE[bits & 1])
    if bits & 2:
        out[f"{prefix}{valve}_pulse"] = Value(pulses)
    else:
        out[f"{prefix}gpio_{valve[-1]}"] = Value(OFF_ON[bits >> 2 & 1])
    return cursor.pos


_TASK: Final = {
    0: "free task", 1: "normal local plan", 2: "force local plan", 3: "rain stop plan",
    4: "IPSO temporary control plan",
}  # fmt: skip


def _task(n: int) -> tuple[Any, ...]:
    """What a valve does at present, and what it was told."""
    name = f"valve_{n}_task_status"
    return row(
        named(f"{name}_task_status u8", _TASK),
        named(f"{name}_real_status u8", {0: "valve is currently closed", 1: "valve is currently open"}),
        named(
            f"{name}_cmd_status u8",
            {0: "valve is currently commanded to close", 1: "valve is currently commanded to open"},
        ),
    )


_PRESSURE_ALARM: Final = row(
    named(
        "pressure_threshold_alarm_valve_strategy u8",
        {0: "always", 1: "valve 1 open", 2: "valve 2 open", 3: "valve 1 open or valve 2 open"},
    ),
    named(
        "pressure_threshold_alarm_threshold_type u8",
        {0: "none", 1: "less than", 2: "greater than", 3: "between", 4: "outside"},
    ),
    "pressure_threshold_alarm_threshold_min u16 kPa",
    "pressure_threshold_alarm_threshold_max u16 kPa",
    "pressure_threshold_alarm_current_pressure u16 kPa",
    named("pressure_threshold_alarm_alarm_status u8", {0: "release alarm", 1: "trigger alarm"}),
)
_VALVES: Final[Channels] = {
    "0b f5": _PRESSURE_ALARM,
    "0e af": _task(1),
    "0f af": _task(2),
    "01 75": BATTERY,
    "03 01": _valve(1),
    "05 01": _valve(2),
    "04 c8": row("valve_1_pulse u32"),
    "06 c8": row("valve_2_pulse u32"),
    "07 01": row(named("gpio_1 u8", OFF_ON)),
    "08 01": row(named("gpio_2 u8", OFF_ON)),
    "09 7b": row("pressure u16 kPa"),
    "b9 7b": row(named("pressure_sensor_status u8", {1: "sensor error"})),
    "20 ce": _valve_history,
    "21 ce": history("pressure u16 kPa"),
}
MODELS: Final[dict[str, Channels]] = {
    **dict.fromkeys(("uc511", "uc512"), _VALVES),
    "uc51x-series": {
        "01 75": BATTERY,
        **{f"0{n} 01": row(named(f"valve{n // 2} u8", OFF_ON)) for n in (3, 5)},
        **{f"0{n} c8": row(f"valve{n // 2 - 1}_pulse u32") for n in (4, 6)},
    },
    "uc521": {
        "01 75": BATTERY,
        **{f"0{n} f6": row(named(f"valve_{n // 2}_type u8", _KINDS), f"valve_{n // 2}_opening u8 %") for n in (3, 5)},
        "09 7b": row("pressure_1 u16 kPa"),
        "0a 7b": row("pressure_2 u16 kPa"),
        "0d e3": _calibrated,
    },
}
