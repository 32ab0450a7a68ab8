"""Milesight: models of which the public catalogue has a decoder with other names, as `<model>-v1`. Shape: milesight.py.

A city that moves over keeps its dashboards: the first decoder's names and words are declared here, as what differs from
the model's table. Bytes and units are the same. Source: actility/device-catalog (53ef3f3), vendors/milesight-iot.
"""

from math import floor
from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.layout.compact import Special as Line
from torhaus.codecs.layout.compact import field
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value
from torhaus.codecs.payload import milesight_heating
from torhaus.codecs.payload.milesight_air import stored_input
from torhaus.codecs.payload.milesight_channels import Channels, dotted, guarded, history, named, row

_ABNORMAL: Final = field("temperature_abnormal u8", convert=bool)
_FAILED: Final = {0xFFFF: "collection failed", 0xFFFD: "out of range"}


def _two(name: str, zero: str, other: str) -> tuple[Line]:
    """A byte of which 0 is one thing and all else the other."""
    return (field(f"{name} u8", {0: zero}, otherwise=other),)


def _decimal_hardware(raw: bytes) -> str:
    return f"v{raw[0]}.{raw[1] >> 4}"


_DECIMAL: Final[Channels] = {
    "ff 09": row(field("hardware_version hex2", convert=_decimal_hardware)),
    "ff 0a": row(field("firmware_version hex2", convert=dotted)),
}
"""Versions written with decimal digits; the later decoders have hexadecimal ones."""
_ONLY_VERSIONS: Final = (
    "ct101", "ct103", "ct105", "ct303", "ct305", "ct310", "em410-rdl", "gs301", "vs321", "vs330", "vs350", "vs360",
    "vs370", "vs373", "ws201", "ws51x", "wt101", "wt201",
)  # fmt: skip

_LEVEL: Final[Channels] = {
    "05 00": row(*_two("position", "normal", "tilt")),
    "83 67": row("temperature i16 /10 Cel", _ABNORMAL),
    "84 82": row("distance u16 mm", field("distance_alarming u8", convert=bool)),
}
_MOTION: Final = {0: "unknown", 1: "start", 2: "moving", 3: "stop"}
_ACCESS_POINT: Final = row(
    "wifi_#_group u8",
    field("wifi_#_mac hex6", convert=lambda raw: raw.hex(":")),
    "wifi_#_rssi i8 dB[mW]",
    named("motion_status u8 0:2", _MOTION),
)


def _tilt(*axes: str) -> tuple[Line, ...]:
    words = {0: "normal", 1: "trigger"}
    return tuple(named(f"threhold_{axis} {'=' if n else 'u8'} {n}:1", words) for n, axis in enumerate(axes))


def _slope(axis: str) -> Line:
    def makes(raw: int) -> dict[str, float | str]:
        return {f"angle_{axis}": (raw >> 1) / 100, f"threhold_{axis}": "trigger" if raw & 1 else "normal"}

    return field(f"angle_{axis} i16 deg", makes=makes)


_CLASS: Final = {0: "ClassA", 1: "ClassB", 2: "ClassC", 3: "ClassCtoB"}
_ALARM: Final = {0: "Threshold Alarm Release", 1: "Threshold Alarm", 2: "Mutation Alarm"}
_UNREAD: Final = {0: "Read Error", 1: "Overload"}
_READ: Final = {0: "Success", 1: "Read Error", 2: "Overload"}
_STORED: Final = {0: "", 1: "Periodic", 2: "Alarm(Threshold or Mutation)", 3: "Alarm Release"}
_POWER: Final = {0: "Battery Supply", 1: "External Power Supply", 2: "Battery Charging"}


def _tenths(raw: int) -> float:
    """Hundredths as tenths, a half upwards."""
    return floor(raw / 100 * 10 + 0.5) / 10


def _unknown(line: str, words: dict[int, str]) -> Line:
    return field(line, words, otherwise="Unknown")


_TS201_ALARM: Final = _unknown("event_#_temperature_alarm u8", _ALARM)
_TS201: Final[Channels] = {
    **_DECIMAL,
    "ff 0f": row(_unknown("lorawan_class u8", _CLASS)),
    "83 67": row("temperature i16 /10 Cel", "event_#_temperature = /10 Cel", _TS201_ALARM),
    "93 67": row(
        "temperature i16 /10 Cel",
        "event_#_temperature = /10 Cel",
        "event_#_temperature_mutation i16 /10 K",
        _TS201_ALARM,
    ),
    "b3 67": row(_unknown("event_#_temperature_error u8", _UNREAD)),
    "20 ce": history(
        _unknown("read_status u8 4:4", _READ), _unknown("event_type = 0:4", _STORED), "temperature i16 /10 Cel"
    ),
}


def _people(data: bytes, pos: int, out: Fields) -> int:
    """People in all regions, how many regions there are, and a bit for each."""
    cursor = Cursor(data)
    cursor.pos = pos
    people, regions, bits = cursor.u8(), cursor.u8(), cursor.ube(2)
    out["people_counter_all"], out["region_count"] = Value(people), Value(regions)
    for n in range(min(regions, 16)):
        out[f"region_{n + 1}"] = Value(bits >> n & 1)
    return cursor.pos


_FREQUENCY: Final = {0: "Z", 1: "A", 2: "C"}
_TIME: Final = {0: "impulse", 1: "fast", 2: "slow"}
_LOUDNESS: Final = row("la u16 /10 dB[SPL]", "laeq u16 /10 dB[SPL]", "lamax u16 /10 dB[SPL]")


def _weighting(raw: int) -> dict[str, str]:
    frequency, time = _FREQUENCY.get(raw & 3), _TIME.get(raw >> 2 & 3)
    if frequency is None or time is None:
        raise DecodeError(RejectReason.RANGE, f"weighting {raw:#04x}")
    return {"freq_weight": frequency, "time_weight": time}


_ROOM_REPORTS: Final = {
    0: "temperature resume", 1: "temperature threshold", 2: "pir idle", 3: "pir occupancy", 4: "period",
}  # fmt: skip
_OCCUPANCY: Final = _two("occupancy", "vacant", "occupied")

DIFFERS: Final[dict[str, Channels]] = {
    **dict.fromkeys(_ONLY_VERSIONS, _DECIMAL),
    "am319-hcho-well": {"0f 7d": row("hcho u16 /10000 [ppm]")},
    "at101": {
        **{channel: _LEVEL[channel] for channel in ("05 00", "83 67")},
        "06 d9": _ACCESS_POINT,
        "07 00": row(*_two("tamper_status", "install", "uninstall")),
    },
    "em300-di": {
        "20 ce": stored_input(13, types={1: "gpio"}, otherwise=None),
        "21 ce": stored_input(18, types={1: "gpio", 2: "pulse"}, otherwise=None),
    },
    "em300-mcs": {"06 00": row(*_two("door", "close", "open"))},
    "em300-mld": {"05 00": row(*_two("leakage_status", "normal", "leak"))},
    "em300-sld": {"05 00": row(*_two("water_leak", "normal", "leak"))},
    "em310-tilt": {"03 cf": row(*(f"angle_{axis} i16 /100 deg" for axis in "xyz"), *_tilt(*"xyz"))},
    "em320-tilt": {"03 d4": row(*map(_slope, "xyz"))},
    **dict.fromkeys(("em400-mud", "em400-tld", "em400-udl"), _LEVEL),
    "em500-swl": {"03 77": row("distance u16 cm")},
    "ft101": {
        **_DECIMAL,
        "ff 0b": row(field("device_status u8", convert=lambda _: 1)),
        "ff 0f": row("lorawan_class u8"),
    },
    "gs101": {
        "05 8e": row(*(named(line, {0: "normal", 1: "alarm"}) for line in ("gas_status u8", "state ="))),
        "06 01": row(*(named(line, {0: "off", 1: "on"}) for line in ("valve_status u8", "valve ="))),
        "07 01": row(*(named(line, {0: "off", 1: "on"}) for line in ("relay_output_status u8", "relay ="))),
    },
    "ts101": {
        "93 d7": row(
            "temperature i16 /10 Cel",
            "temperature_change i16 /100 K",
            named("temperature_alarm u8", {0: "threshold alarm release", 1: "threshold alarm", 2: "mutation alarm"}),
        )
    },
    "ts201": _TS201,
    "vs121": {
        "04 c9": _people,
        "05 cc": row("in i16", "out i16"),
        "06 cd": row("people_max u8"),
    },
    "vs351": {
        **_DECIMAL,
        "ff 0f": row(_unknown("lorawan_class u8", _CLASS)),
        "ff cc": row(_unknown("power_status u8", _POWER)),
    },
    "ws101": {"ff 2e": row(field("press u8", {1: "short", 2: "long", 3: "double"}, otherwise="unsupported"))},
    "ws202": {
        "03 00": row(*_two("pir", "normal", "trigger")),
        "04 00": row(*_two("daylight", "dark", "illumination")),
    },
    "ws203": {
        "05 00": row(*_OCCUPANCY),
        "83 67": row("temperature i16 /10 Cel", *_two("temperature_abnormal", "normal", "abnormal")),
        "20 ce": history(
            named("report_type u8 0:3", _ROOM_REPORTS), *_OCCUPANCY, "temperature i16 /10 Cel", "humidity u8 /2 %"
        ),
    },
    "ws301": {"03 00": row(*_two("state", "close", "open")), "04 00": row(*_two("install", "yes", "no"))},
    "ws302": {
        "05 5b": (*row(field("weighting u8", makes=_weighting)), *_LOUDNESS),
        "ff 0f": row(named("class_type u8", {0: "class-a", 1: "class-b", 2: "class-c"})),
    },
    "wt102": {**milesight_heating.FIRST, "01": row(field("temperature i16 Cel", convert=_tenths))},
}
"""Model to the channels of its `-v1`; the others are as in the model's own table."""
ALIASED: Final[dict[str, Channels]] = {
    "em500-swl": {"03 77": row(*(guarded(line, "depth_error", _FAILED) for line in ("depth u16 cm", "distance = cm")))},
}
"""The same of `-v2`: the catalogue's second decoder, which gives the old name beside the new one."""
