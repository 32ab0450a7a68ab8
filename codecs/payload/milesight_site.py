"""Milesight: radiator valves (WT101), weather (WTS506) and sound (WS302). Source and shape: milesight.py."""

from typing import Final

from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value
from torhaus.codecs.payload.milesight_channels import (
    ALARM,
    BATTERY,
    CLIMATE,
    TEMPERATURE,
    Channels,
    history,
    named,
    row,
)

_STROKE: Final = {
    0: "success",
    1: "fail: out of range",
    2: "fail: uninstalled",
    3: "calibration cleared",
    4: "temperature control disabled",
}
_WEATHER: Final = (
    "temperature i16 /10 Cel", "humidity u8 /2 %", "pressure u16 /10 hPa", "wind_direction i16 /10 deg",
    "wind_speed u16 /10 m/s",
)  # fmt: skip
_FREQUENCY: Final = ("z", "a", "c")
_TIME: Final = ("i", "f", "s")


def _sound(data: bytes, pos: int, out: Fields) -> int:
    """The names say how it was weighted: laf, l_aeq, la_fmax for A and fast."""
    if pos + 7 > len(data):
        raise DecodeError(RejectReason.SHORT, f"sound at offset {pos} is cut off")
    frequency, time = data[pos] & 3, data[pos] >> 2 & 3
    if frequency == 3 or time == 3:
        raise DecodeError(RejectReason.RANGE, f"weighting {data[pos]:#04x}")
    f, t = _FREQUENCY[frequency], _TIME[time]
    names = (f"l{f}{t}", f"l_{f}eq", f"l{f}_{t}max")
    for at, name in zip(range(pos + 1, pos + 7, 2), names, strict=True):
        out[name] = Value(int.from_bytes(data[at : at + 2], "little") / 10, "dB[SPL]")
    return pos + 7


MODELS: Final[dict[str, Channels]] = {
    "wt101": {
        "01 75": BATTERY,
        "03 67": TEMPERATURE,
        "04 67": row("target_temperature i16 /10 Cel"),
        "05 92": row("valve_opening u8 %"),
        "06 00": row(named("tamper_status u8", {0: "installed", 1: "uninstalled"})),
        "07 00": row(named("window_detection u8", {0: "normal", 1: "open"})),
        "08 e5": row(named("motor_calibration_result u8", _STROKE)),
        "09 90": row("motor_stroke u16"),
        "0a 00": row(named("freeze_protection u8", {0: "normal", 1: "triggered"})),
        "0b 90": row("motor_position u16"),
    },
    "wts506": {
        **CLIMATE,
        "05 84": row("wind_direction i16 /10 deg"),
        "06 73": row("pressure u16 /10 hPa"),
        "07 92": row("wind_speed u16 /10 m/s"),
        "08 77": row("rainfall_total u16 /100 mm", "rainfall_counter u8"),
        "08 ec": row("rainfall_total u32 /100 mm", "rainfall_counter u8"),
        "83 67": row("temperature i16 /10 Cel", named("temperature_alarm u8", ALARM)),
        "86 73": row("pressure u16 /10 hPa", named("pressure_alarm u8", ALARM)),
        "87 92": row("wind_speed u16 /10 m/s", named("wind_speed_alarm u8", ALARM)),
        "88 ec": row("rainfall_total u32 /100 mm", "rainfall_counter u8", named("rainfall_alarm u8", ALARM)),
        "20 ce": history(*_WEATHER, "rainfall_total u16 /100 mm"),
        "21 ce": history(*_WEATHER, "rainfall_total u32 /100 mm"),
    },
    "ws302": {"01 75": BATTERY, "05 5b": _sound},
}
