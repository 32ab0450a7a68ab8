"""Milesight: CTH01, a meter of twelve currents and three voltages. Shape: milesight_rooms.py, source: milesight.py.

    type | value(s)                       temperature, harmonics, current, voltage
    type | bit for each group | value(s)  power, energy: a group has one value, or with its bit three

All ones mean that it could not be measured: "error".
"""

from collections.abc import Mapping
from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.layout.compact import field
from torhaus.codecs.layout.field import Step, run
from torhaus.codecs.layout.tags import Special
from torhaus.codecs.model import Fields, Value
from torhaus.codecs.payload.milesight_channels import Channels, row
from torhaus.codecs.payload.milesight_packets import ABOUT, MAX_NAME, done, interval
from torhaus.codecs.payload.milesight_settings import (
    STORAGE,
    SUMMER_TIME,
    answer,
    bits,
    chosen,
    counted_text,
    listed,
    under,
)

_CHANNELS: Final = 12
_PHASES: Final = 3
_GROUP: Final = 3


def _one(name: str, kind: str, broken: int) -> tuple[Step, ...]:
    return row(field(f"{name} {kind}", {broken: "error"}))


def _list(name: str, count: int, kind: str, broken: int) -> tuple[Step, ...]:
    return tuple(step for n in range(count) for step in _one(f"{name}_{n}_value", kind, broken))


def _groups(name: str, count: int, kind: str, broken: int) -> Special:
    """A bit for each group, lowest first; then the groups."""
    masks = row(*(f"{name}_mask{n + 1} {'=' if n else 'u8'} {n}:1" for n in range(count)))
    whole, parts = [], []
    for n in range(count):
        group = f"{name}_group{n + 1}"
        whole.append(_one(f"{group}_value", kind, broken))
        parts.append(tuple(step for k in range(_GROUP) for step in _one(f"{group}_chan{k + 1}", kind, broken)))

    def read(data: bytes, pos: int, out: Fields) -> int:
        behind = run(masks, data, pos, out)
        for n in range(count):
            behind = run(parts[n] if data[pos] >> n & 1 else whole[n], data, behind, out)
        return behind

    return read


_POWERS: Final = (("active_power", "kW"), ("reactive_power", "kvar"), ("apparent_power", "kV.A"))
_ENERGIES: Final = (
    ("forward_active_energy", "kW.h"),
    ("reverse_active_energy", "kW.h"),
    ("forward_reactive_energy", "kvar.h"),
    ("reverse_reactive_energy", "kvar.h"),
    ("apparent_energy", "kV.A.h"),
)
_FIRST: Final = 0x08
_QUANTITIES: Final = (
    *((name, f"i32 /1000 {unit}", -1) for name, unit in _POWERS),
    *((name, f"u32 /1000 {unit}", 0xFFFFFFFF) for name, unit in _ENERGIES),
)
"""In the order of their types; each has two, for the groups 1 and 2, and 3 and 4."""
_FAULTS: Final[dict[int, str | None]] = dict.fromkeys(range(4))
_RANGES: Final[dict[int, str | None]] = {1: "lower_range_error", 2: "over_range_error", 4: "over_range_release"}
_OVER: Final[dict[int, str | None]] = {0x12: "over_range_alarm_deactivation", 0x13: "over_range_alarm_trigger"}
_LIMITS: Final[dict[int, str | None]] = {
    0x10 + 2 * n + begun: f"{limit}_range_alarm_{'trigger' if begun else 'deactivation'}"
    for n, limit in enumerate(("lower", "over", "within", "exceed"))
    for begun in (0, 1)
}


def _alarm(
    name: str,
    value: str,
    kinds: Mapping[int, str | None],
    *,
    broken: int | None = None,
    has_channel: bool | None = None,
) -> Special:
    """An alarm: channel, kind, and the value where the kind has one; it stands in the list of events, too."""
    is_numbered = broken is not None if has_channel is None else has_channel
    steps = row(value) if broken is None else row(field(value, {broken: "error"}))

    def read(data: bytes, pos: int, out: Fields) -> int:
        cursor = Cursor(data)
        cursor.pos = pos
        alarm: Fields = {}
        if is_numbered:
            alarm["channel"] = Value(cursor.u8())
        inner = "info_" if is_numbered else ""
        kind = cursor.u8()
        alarm[f"{inner}type"] = Value(kind)
        behind, case = cursor.pos, kinds.get(kind)
        if case is not None:
            found: Fields = {}
            behind = run(steps, data, behind, found)
            alarm |= {f"{inner}{case}_{what}": number for what, number in found.items()}
        n = sum(key.startswith("event_") and key.endswith("_type") for key in out)
        for key, number in alarm.items():
            out[f"{name}_{key}"[:MAX_NAME]] = out[f"event_{n}_{key}"] = number
        return behind

    return read


_LIMITED: Final = ("enable u8", "threshold_condition u8", "threshold_min i16", "threshold_max i16")
_HISTORY: Final = "type u8"


def _interface(n: int) -> Special:
    """Which way its three coils are put on, and what they are made for."""
    coils = (part for k in range(_GROUP) for part in (f"config_{k}_direction u8", f"config_{k}_range u16 A"))
    return under(f"current_interface{n}", "type u8", *coils)


_SETTINGS: Final[Channels] = {
    "5b": under("retrieve_historical_data_by_time", _HISTORY, "time u32 s"),
    "5c": under("retrieve_historical_data_by_time_range", _HISTORY, "start_time u32 s", "end_time u32 s"),
    "5d": under("stop_historical_data_retrieval", _HISTORY),
    "5e": under("clear_data", _HISTORY),
    "5f": row("reset_energy_channel u8"),
    "63": row("temperature_unit u8"),
    "64": counted_text("bluetooth_name", "content"),
    "66": row("voltage_interface u8"),
    **{f"{n + 0x66:02x}": _interface(n) for n in range(1, 5)},
    "6b": under("temperature_calibration_settings", "enable u8", "calibration_value i16 /100 K"),
    "6c": under(
        "report_enable",
        *bits(
            "u16", "temperature", "current", "voltage", "power_factor", "active_power", "reactive_power",
            "apparent_power", *(name for name, _ in _ENERGIES), "thdi", "thdv", "voltage_unbalance", rest="",
        ),
    ),
    "6d": under("month_statistics_settings", "day u8", "hour u8 h", "minute u8 min"),
    "76": under(
        "temperature_alarm_settings",
        "enable u8",
        "threshold_condition u8",
        "threshold_min i16 /100 Cel",
        "threshold_max i16 /100 Cel",
    ),
    **{
        f"{n:02x}": listed(f"{name}_alarm_settings", "channel", *_LIMITED)
        for n, name in enumerate(("current", "voltage", "thdi", "thdv"), 0x77)
    },
    "7b": under("voltage_unbalance_alarm_settings", *_LIMITED),
    "7c": under("alarm_global_settings", "interval u16", "times u16", "release_enable u8"),
    "b6": done("reconnect"),
    "be": done("reboot"),
    "c5": STORAGE,
    "c6": SUMMER_TIME,
    "cf": under("lorawan_configuration_settings", chosen({0xD8: ("version u8",)})),
    "ef": answer,
}  # fmt: skip
MODELS: Final[dict[str, Channels]] = {
    "cth01": {
        **ABOUT,
        **_SETTINGS,
        "30": _alarm("temperature_alarm", "temperature i16 /100 Cel", _FAULTS | _LIMITS),
        "31": _alarm("current_alarm", "current u24 /100 A", _FAULTS | _RANGES | _LIMITS, broken=0xFFFFFF),
        "32": _alarm("voltage_alarm", "voltage u16 /100 V", _FAULTS | _RANGES | _LIMITS, broken=0xFFFF),
        "33": _alarm("thdi_alarm", "thdi u16 /100 %", _FAULTS | _OVER, broken=0xFFFF),
        "34": _alarm("thdv_alarm", "thdv u16 /100 %", _FAULTS | _OVER, broken=0xFFFF),
        "35": _alarm(
            "voltage_unbalance_alarm", "voltage_unbalance u16 /100 %", _FAULTS | _OVER, broken=0xFFFF, has_channel=False
        ),
        "36": done("power_loss_alarm"),
        "40": row("history_type_type u8"),
        "60": interval("collection_interval"),
        "61": interval("reporting_interval"),
        "01": row("temperature i16 /100 Cel"),
        "02": _one("voltage_three_phase_imbalcance", "u16 /100 %", 0xFFFF),
        "03": _list("thdi", _CHANNELS, "u16 /100 %", 0xFFFF),
        "04": _list("thdv", _PHASES, "u16 /100 %", 0xFFFF),
        "05": _list("current", _CHANNELS, "u24 /100 A", 0xFFFFFF),
        "06": _list("voltage", _PHASES, "u16 /100 V", 0xFFFF),
        "07": _groups("power_factor", 4, "u8 /100", 0xFF),
        **{
            f"{_FIRST + 2 * n + half:02x}": _groups(f"{name}{half + 1}", 2, kind, broken)
            for n, (name, kind, broken) in enumerate(_QUANTITIES)
            for half in (0, 1)
        },
    }
}
"""Keys of one byte."""
