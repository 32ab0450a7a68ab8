"""Milesight: level, soil, light, pressure (EM310-UDL, EM400, EM410, EM411, EM500). Source and shape: milesight.py."""

from typing import Final

from torhaus.codecs.layout.compact import field
from torhaus.codecs.payload.milesight_channels import (
    BATTERY,
    MUTATION,
    RANGE,
    TEMPERATURE,
    Channels,
    guarded,
    history,
    named,
    row,
)

_POSITION: Final = {0: "normal", 1: "tilt"}
_RELEASED: Final = {0: "threshold_alarm_release", 1: "threshold_alarm"}
_DISTANCE_ALARM: Final = {0: "threshold alarm release", 1: "threshold alarm", 2: "mutation alarm"}
_EXCEPTION: Final = {0: "blind spot alarm release", 1: "blind spot alarm", 2: "no target", 3: "sensor exception"}
_FAILED: Final = {0xFFFF: "collection failed", 0xFFFD: "out of range"}
_DISTANCE: Final = row("distance u16 mm")

_EM400: Final[Channels] = {
    "01 75": BATTERY,
    "03 67": TEMPERATURE,
    "04 82": _DISTANCE,
    "05 00": row(named("position u8", _POSITION)),
    "83 67": row("temperature i16 /10 Cel", named("temperature_alarm u8", _RELEASED)),
    "84 82": row("distance u16 mm", named("distance_alarm u8", _RELEASED)),
}
_NO_ECHO: Final = {0xFFFD: "no target", 0xFFFF: "sensor exception", 0xFFFE: "disabled"}
_NO_HEAT: Final = {0xFFFF: "sensor exception", 0xFFFE: "disabled"}
_EVENTS: Final = (
    "threshold alarm", "threshold alarm release", "blind spot alarm", "blind spot alarm release", "mutation alarm",
    "tilt alarm",
)  # fmt: skip
_JUMPED: Final = 0x10


def _events(raw: bytes) -> dict[str, str | int]:
    """The change, if that is why the reading was stored, and all reasons."""
    told = [word for bit, word in enumerate(_EVENTS) if raw[2] >> bit & 1]
    out: dict[str, str | int] = {f"history_#_event_{n}": word for n, word in enumerate(told)}
    if raw[2] & _JUMPED:
        out["history_#_distance_mutation"] = int.from_bytes(raw[:2], "little", signed=True)
    return out


_RADAR: Final[Channels] = {
    "01 75": BATTERY,
    "03 67": TEMPERATURE,
    "04 82": row("distance i16 mm"),
    "05 00": row(named("position u8", _POSITION)),
    "06 c7": row("radar_signal_rssi i16 /100 dB[mW]"),
    "84 82": row(
        "distance i16 @0 mm", "event_#_distance i16 @0 mm", named("event_#_distance_alarm u8", _DISTANCE_ALARM)
    ),
    "94 82": row(
        "distance i16 @0 mm",
        "event_#_distance i16 @0 mm",
        "event_#_distance_mutation i16 mm",
        named("event_#_distance_alarm u8", _DISTANCE_ALARM),
    ),
    "b4 82": row("event_#_distance i16 ?-3 ?-1 mm", named("event_#_distance_exception u8", _EXCEPTION)),
}
_STORED_RADAR: Final = row(
    "history_#_timestamp u32 s",
    guarded("history_#_distance i16 mm", "history_#_distance_sensor_status", _NO_ECHO),
    guarded("history_#_temperature i16 /10 Cel", "history_#_temperature_sensor_status", _NO_HEAT),
    field("history_#_event hex3 mm", makes=_events),
)
MODELS: Final[dict[str, Channels]] = {
    "em310-udl": {"01 75": BATTERY, "03 82": _DISTANCE, "04 00": row(named("position u8", _POSITION))},
    **dict.fromkeys(("em400-mud", "em400-tld", "em400-udl"), _EM400),
    **{key: {**_RADAR, "20 ce": _STORED_RADAR} for key in ("em410-rdl", "em411-rdl")},
    "em500-lgt": {
        "01 75": BATTERY,
        "03 94": row("illumination u32 lx"),
        "20 ce": history("illumination u32 lx"),
    },
    "em500-pp": {"01 75": BATTERY, "03 7b": row("pressure i16 kPa"), "20 ce": history("pressure i16 kPa")},
    "em500-pt100": {
        **RANGE,
        "01 75": BATTERY,
        "03 67": TEMPERATURE,
        "83 d7": row(
            "temperature i16 /10 Cel", "temperature_mutation i16 /10 K", named("temperature_alarm u8", MUTATION)
        ),
        "20 ce": history("temperature i16 /10 Cel"),
    },
    "em500-smtc": {
        "01 75": BATTERY,
        "03 67": TEMPERATURE,
        "04 68": row("moisture u8 /2 %"),
        "04 ca": row(guarded("moisture u16 /100 %", "moisture_error", _FAILED)),
        "05 7f": row(guarded("electricity u16 uS/cm", "electricity_error", _FAILED)),
        "83 d7": row(
            "temperature i16 /10 Cel", "temperature_mutation i16 /10 K", named("temperature_alarm u8", _DISTANCE_ALARM)
        ),
        "20 ce": row(
            "history_#_timestamp u32 s",
            guarded("history_#_electricity u16 uS/cm", "history_#_electricity_error", _FAILED),
            guarded("history_#_temperature i16 /10 Cel", "history_#_temperature_error", _FAILED),
            guarded("history_#_moisture u16 /100 %", "history_#_moisture_error", _FAILED),
        ),
    },
    "em500-swl": {
        **RANGE,
        "01 75": BATTERY,
        "03 77": row(guarded("depth u16 cm", "depth_error", _FAILED)),
        "20 ce": row("history_#_timestamp u32 s", guarded("history_#_depth u16 cm", "history_#_depth_error", _FAILED)),
    },
    "em500-udl": {
        "01 75": BATTERY,
        "03 82": _DISTANCE,
        "83 e9": row(
            "distance u16 /10 mm",
            "distance_mutation u16 /10 mm",
            named("distance_alarm u8", {0: "normal", 1: "threshold_alarm", 2: "mutation_alarm"}),
        ),
        "20 ce": history("distance u16 mm"),
    },
}
