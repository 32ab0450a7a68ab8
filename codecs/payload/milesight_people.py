"""Milesight: people counters (VS) and room sensors (WS201, WS203). Source and shape: milesight.py."""

from typing import Final

from torhaus.codecs.layout.compact import Special as Line
from torhaus.codecs.layout.compact import field
from torhaus.codecs.layout.field import run
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value
from torhaus.codecs.payload.milesight_channels import (
    ALARM,
    BATTERY,
    CLIMATE,
    TEMPERATURE,
    Channels,
    guarded,
    history,
    named,
    row,
)

_TOTAL: Final = ("total_in u16", "total_out u16")
_PERIOD: Final = ("period_in u16", "period_out u16")
_COUNT_ALARM: Final = {1: "threshold_alarm"}
_VS35_ALARM: Final = {
    0: "threshold alarm release",
    1: "threshold alarm",
    3: "high temperature alarm",
    4: "high temperature alarm release",
}
_POWER: Final = {0: "battery supply", 1: "external power supply", 2: "battery charging"}


def _counts(data: bytes, pos: int, out: Fields) -> int:
    """A stored count: of a period, or with the total as well."""
    if pos + 5 > len(data):
        raise DecodeError(RejectReason.SHORT, f"history at offset {pos} is cut off")
    kind = data[pos + 4]
    if kind > 1:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"history of kind {kind}")
    place = 0
    while f"history_{place}_timestamp" in out:
        place += 1
    return run(_PERIODS[kind], data, pos, out, str(place))


_HISTORY: Final = ("history_#_timestamp u32 s", "kind skip1", "history_#_period_in u16", "history_#_period_out u16")
_PERIODS: Final = (row(*_HISTORY), row(*_HISTORY, "history_#_total_in u16", "history_#_total_out u16"))


def _flow(alarm: dict[int, str]) -> Channels:
    return {
        "04 cc": row(*_TOTAL),
        "05 cc": row(*_PERIOD),
        "0a ef": row("timestamp u32 s"),
        "20 ce": _counts,
        "84 cc": row(*_TOTAL, named("total_count_alarm u8", alarm)),
        "85 cc": row(*_PERIOD, named("period_count_alarm u8", alarm)),
    }


def _regions(data: bytes, pos: int, out: Fields) -> int:
    """People in all regions, how many regions there are, and a bit for each."""
    if pos + 4 > len(data):
        raise DecodeError(RejectReason.SHORT, f"people_count_all at offset {pos} is cut off")
    bits = int.from_bytes(data[pos + 2 : pos + 4], "big")
    out["people_count_all"] = Value(data[pos])
    out["region_count"] = Value(data[pos + 1])
    for n in range(min(data[pos + 1], 16)):
        out[f"region_{n + 1}"] = Value(bits >> n & 1)
    return pos + 4


def _dotted(raw: bytes) -> str:
    return ".".join(map(str, raw))


_CAMERA: Final[Channels] = {
    "ff 01": row("protocol_version u8"),
    "ff 09": row(field("hardware_version hex2", convert=_dotted)),
    "ff 1f": row(field("firmware_version hex4", convert=_dotted)),
}
_OCCUPANCY: Final = {0: "vacant", 1: "occupied"}
_DESKS: Final = 10
_UNREAD: Final = {0xFFFF: "read failed"}


def _desks(prefix: str) -> tuple[Line, ...]:
    """Which regions are watched, and which are occupied: a bit for each."""
    watched = (
        named(f"{prefix}region_{n + 1}_enable {'=' if n else 'u16'} {n}:1", {0: "disable", 1: "enable"})
        for n in range(_DESKS)
    )
    occupied = (named(f"{prefix}region_{n + 1} {'=' if n else 'u16'} {n}:1", _OCCUPANCY) for n in range(_DESKS))
    return (*watched, *occupied)


def _stored_desks(data: bytes, pos: int, out: Fields) -> int:
    """A stored number of people, or stored regions."""
    if pos + 5 > len(data):
        raise DecodeError(RejectReason.SHORT, f"history at offset {pos} is cut off")
    place = 0
    while f"history_{place}_timestamp" in out:
        place += 1
    return run(_STORED_DESKS if data[pos + 4] == 1 else _STORED_PEOPLE, data, pos, out, str(place))


_STORED_HEAD: Final = ("history_#_timestamp u32 s", "kind skip1")
_STORED_PEOPLE: Final = row(*_STORED_HEAD, "history_#_people_total_counts u16")
_STORED_DESKS: Final = row(*_STORED_HEAD, *_desks("history_#_"))
_ON_OFF_ALARM: Final = {0: "threshold_alarm_release", 1: "threshold_alarm"}
_REPORTS: Final = {
    0: "temperature threshold alarm release",
    1: "temperature threshold alarm",
    2: "pir idle",
    3: "pir trigger",
    4: "period",
}
MODELS: Final[dict[str, Channels]] = {
    "vs121": {
        **_CAMERA,
        "ff 08": row("sn hex6"),
        "ff 0a": (),  # its firmware has four bytes and a channel of its own (ff 1f)
        "04 c9": _regions,
        "05 cc": row("people_in i16", "people_out i16"),
        "06 cd": row("people_count_max u8"),
        "07 d5": row(*(f"region_{n}_count u8" for n in range(1, 9))),
        "08 d5": row(*(f"region_{n}_count u8" for n in range(9, 17))),
        **{f"{9 + n:02x} da": row(*(f"{side}_to_{other} u16" for other in "abcd")) for n, side in enumerate("abcd")},
        "0d cc": row("people_total_in u16", "people_total_out u16"),
        "0e e4": row("region skip1", "dwell_time_avg u16 s", "dwell_time_max u16 s"),
        "0f 85": row("timestamp u32 s"),
        "10 f7": row("line_in u16", "line_out u16"),
    },
    "vs132": {
        **_CAMERA,
        "03 d2": row("total_counter_in u32"),
        "04 d2": row("total_counter_out u32"),
        "05 cc": row("periodic_counter_in u16", "periodic_counter_out u16"),
    },
    **{
        key: {
            "01 75": BATTERY,
            "03 67": TEMPERATURE,
            **_flow(_VS35_ALARM),
            "83 67": row("temperature i16 /10 Cel", named("temperature_alarm u8", _VS35_ALARM)),
            "81 ee": row("current_sensitivity u8"),
            "ff cc": row(named("power_status u8", _POWER)),
        }
        for key in ("vs350", "vs351")
    },
    "vs321": {
        "01 75": BATTERY,
        "03 67": row(guarded("temperature i16 /10 Cel", "temperature_sensor_status", _UNREAD)),
        "04 68": row("humidity u8 ?255 /2 %"),
        "05 fd": row("people_total_counts u16"),
        "06 fe": row(*_desks("")),
        "07 ff": row(named("illuminance_status u8", {0: "dim", 1: "bright"})),
        "08 f4": row("kind skip1", named("detection_status u8", {0: "normal", 1: "unavailable"})),
        "0a ef": row("timestamp u32 s"),
        "83 67": row("temperature i16 /10 Cel", named("temperature_alarm u8", _ON_OFF_ALARM)),
        "84 68": row("humidity u8 /2 %", named("humidity_alarm u8", _ON_OFF_ALARM)),
        "20 ce": _stored_desks,
    },
    "vs360": {
        "01 75": row("battery_main u8 %"),
        "02 75": row("battery_node u8 %"),
        "03 f4": row(
            named(
                "event_#_type u8", {0: "counting_anomaly", 1: "node_device_without_response", 2: "devices_misaligned"}
            ),
            named("event_#_status u8", {0: "alarm_release", 1: "alarm"}),
        ),
        **_flow(_COUNT_ALARM),
    },
    "ws201": {"01 75": BATTERY, "03 82": row("distance u16 mm"), "04 d6": row("remaining u8 %")},
    "ws203": {
        **CLIMATE,
        "05 00": row(named("occupancy u8", _OCCUPANCY)),
        "83 67": row("temperature i16 /10 Cel", named("temperature_alarm u8", ALARM)),
        "20 ce": history(
            named("report_type u8 0:3", _REPORTS),
            named("occupancy u8", _OCCUPANCY),
            "temperature i16 /10 Cel",
            "humidity u8 /2 %",
        ),
    },
}
