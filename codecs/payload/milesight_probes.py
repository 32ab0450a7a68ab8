"""Milesight: probes of the second version (TS201, TS301, TS302). Source and shape: milesight.py.

What is plugged in says what comes: a thermometer, one with humidity, or a contact.
"""

from collections.abc import Callable
from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.layout.compact import field
from torhaus.codecs.layout.field import Step, run
from torhaus.codecs.layout.tags import Special
from torhaus.codecs.model import Fields, Scalar, Value
from torhaus.codecs.payload.milesight_channels import BATTERY, HUMIDITY, TEMPERATURE, Channels, named, row, said

_MAGNET: Final = {0: "close", 1: "open"}
_ALARMS: Final = (
    "above_threshold_alarm",
    "above_threshold_alarm_release",
    "below_threshold_alarm",
    "below_threshold_alarm_release",
    "between_threshold_alarm",
    "between_threshold_alarm_release",
    "outside_threshold_alarm",
    "outside_threshold_alarm_release",
    "mutation_alarm",
)
_ALARM: Final = dict(enumerate(_ALARMS))
_STORED_FOR: Final = dict(
    enumerate(("none", *_ALARMS, "period_report", "magnet_alarm", "abnormal_alarm", "button_trigger"))
)
_NO_VALUE: Final = {0: "collection_failed", 1: "over_range", 2: "under_range"}
_STORED_MAGNET: Final = {-1000: "close", -1001: "open"}
_NOTHING: Final = -999
_BEYOND: Final = -1002
_SENSORS: Final = {1: "PT100", 2: "SHT4X", 3: "DS18B20", 4: "MAGNET"}
_UNITS: Final = {"temperature": "Cel", "humidity": "%"}


def _value(quantity: str, tail: str) -> Channels:
    """A quantity of one input: its value, its alarms, why there is none."""
    channel = 4 if tail.endswith("2") else 3
    kind = "67" if quantity == "temperature" else "9a"
    unit = _UNITS[quantity]
    difference = "K" if quantity == "temperature" else "%"
    name = f"{quantity}{tail}"
    value, alarm, mutation = f"{name} i16 /10 {unit}", f"{name}_alarm", f"{name}_mutation"
    status = f"{name}_sensor_status"
    return {
        f"{channel:02x} {kind}": row(value),
        f"{0x80 + channel:02x} {kind}": row(
            value,
            f"event_#_{name} = /10 {unit}",
            named(f"{alarm} u8", _ALARM),
            named(f"event_#_{alarm} =", _ALARM),
        ),
        f"{0x90 + channel:02x} {kind}": row(
            value,
            f"event_#_{name} = /10 {unit}",
            f"{mutation} i16 /10 {difference}",
            f"event_#_{mutation} = /10 {difference}",
            field(f"{alarm} u8", otherwise=_ALARM[8]),
            field(f"event_#_{alarm} =", otherwise=_ALARM[8]),
        ),
        f"{0xB0 + channel:02x} {kind}": row(named(f"event_#_{status} u8" if tail else f"{status} u8", _NO_VALUE)),
    }


def _stored(tail: str) -> Special:
    """A stored reading of one input: time, why it was stored, humidity, temperature; either may be a contact."""

    def read(data: bytes, pos: int, out: Fields) -> int:
        cursor = Cursor(data)
        cursor.pos = pos
        at, reasons = cursor.ule(4), cursor.u8()
        humidity, temperature = (int.from_bytes(cursor.take(2), "little", signed=True) for _ in range(2))
        n = sum(name.startswith("history_") and name.endswith("_timestamp") for name in out)
        prefix = f"history_{n}_"
        out[f"{prefix}timestamp"] = Value(at, "s")
        for quantity, raw, reason in (
            ("temperature", temperature, reasons >> 4), ("humidity", humidity, reasons & 0x0F),
        ):  # fmt: skip
            if raw == _NOTHING:
                continue
            why = Value(_STORED_FOR.get(reason, "unknown"))
            if raw in _STORED_MAGNET:
                out[f"{prefix}magnet{tail}"] = Value(_STORED_MAGNET[raw])
                out[f"{prefix}{tail.lstrip('_')}_event" if tail else f"{prefix}event"] = why
                continue
            value = Value("over_range") if raw == _BEYOND else Value(raw / 10, _UNITS[quantity])
            out[f"{prefix}{quantity}{tail}"] = value
            out[f"{prefix}{quantity}{tail}_event"] = why
        return cursor.pos

    return read


def _plugged(*tails: str) -> Callable[[bytes], dict[str, Scalar]]:
    def makes(raw: bytes) -> dict[str, Scalar]:
        place = raw[0] >> 4 if len(tails) > 1 else 0
        if place >= len(tails):
            return {}
        name = f"sensor{tails[place]}"
        return {f"{name}_type": _SENSORS.get(raw[0] & 0x0F, "unknown"), f"{name}_sn": raw[1:].hex()}

    return makes


def _inputs(*tails: str) -> Channels:
    channels: dict[str, tuple[Step, ...] | Special] = {"01 75": BATTERY}
    for n, tail in enumerate(tails):
        channels |= {**_value("temperature", tail), **_value("humidity", tail)}
        channels[f"{3 + n:02x} 00"] = row(named(f"magnet{tail} u8", _MAGNET))
        channels[f"{0x20 + n:02x} ce"] = _stored(tail)
    channels["ff a0"] = row(field("sensor hex9", makes=_plugged(*tails)))
    return channels


_SPOKEN: Final = {0: "threshold alarm release", 1: "threshold alarm", 2: "mutation alarm"}
_UNREAD: Final = {0: "read error", 1: "out of range"}
_READ: Final = {0: "normal", 1: "read error", 2: "out of range"}
_EVENTS: Final = {
    1: "periodic",
    2: "temperature alarm (threshold or mutation)",
    3: "temperature alarm release",
    4: "humidity alarm (threshold or mutation)",
    5: "humidity alarm release",
    6: "immediate",
}
_WITH_HUMIDITY: Final = 2
_TS201_SENSORS: Final = {1: "DS18B20", 2: "SHT4X"}
_STORED: Final = row(
    "history_#_timestamp u32 s",
    named("history_#_sensor_type u8", _TS201_SENSORS),
    "history_#_temperature i16 /10 Cel",
    "rest skip1",
    named("history_#_event_event_type u8 0:4", _EVENTS),
    named("history_#_event_temperature_sensor_status = 6:2", _READ),
)
_STORED_HUMIDITY: Final = row(
    "history_#_humidity u8 @7 /2 %", named("history_#_event_humidity_sensor_status u8 4:2", _READ)
)


def _ts201_stored(data: bytes, pos: int, out: Fields) -> int:
    """A stored reading; humidity only of a sensor that has it."""
    n = str(sum(name.startswith("history_") and name.endswith("_timestamp") for name in out))
    end = run(_STORED, data, pos, out, n)
    if data[pos + 4] == _WITH_HUMIDITY:
        run(_STORED_HUMIDITY, data[pos:end], 0, out, n)
    return end


def _ts201_plugged(raw: bytes) -> dict[str, str]:
    name = f"sensor_{raw[0] >> 4}"
    return {f"{name}_type": _TS201_SENSORS.get(raw[0] & 0x0F, "unknown"), f"{name}_sn": raw[1:].hex()}


def _ts201(quantity: str, channel: int, kind: str, line: str, difference: str) -> Channels:
    unit = _UNITS[quantity]
    scale = line.split(" ", 1)[1]
    alarm = named(f"event_#_{quantity}_alarm u8", _SPOKEN)
    event = f"event_#_{quantity} = {scale} {unit}"
    value = f"{quantity} {line} {unit}"
    return {
        f"{0x80 + channel:02x} {kind}": row(value, event, alarm),
        f"{0x90 + channel:02x} {kind}": row(value, event, f"event_#_{quantity}_mutation {line} {difference}", alarm),
        f"{0xB0 + channel:02x} {kind}": row(named(f"event_#_{quantity}_sensor_status u8", _UNREAD)),
    }


_FETCHED: Final[Channels] = {
    "fd 6b": row("retrieval_historical_data_by_time_timestamp u32 s"),
    "fd 6c": row(
        "retrieval_historical_data_by_time_range_start_time u32 s",
        "retrieval_historical_data_by_time_range_end_time u32 s",
    ),
    "fd 6d": row(said("stop_historical_data_retrieval u8", "yes")),
}
"""The answer to a question for stored readings."""
MODELS: Final[dict[str, Channels]] = {
    "ts201-v2": {
        "01 75": BATTERY,
        "03 67": TEMPERATURE,
        "04 68": HUMIDITY,
        **_ts201("temperature", 3, "67", "i16 /10", "K"),
        **_ts201("humidity", 4, "68", "u8 /2", "%"),
        "20 ce": _ts201_stored,
        "ff a0": row(field("sensor hex9", makes=_ts201_plugged)),
        "ff eb": row(named("temperature_unit u8", {0: "celsius", 1: "fahrenheit"})),
    },
    "ts301-v2": {**_inputs(""), **_FETCHED},
    "ts302-v2": {**_inputs("_chn1", "_chn2"), **_FETCHED},
}
