"""Milesight: TS601 and TS602, which travel with what they watch; the panel WT401. Shape: milesight_rooms.py.

Source: as milesight.py. Numbers stay numbers as in the vendor's decoder, which names their meaning in comments only.
Settings and stored packets end decoding.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.layout.compact import field
from torhaus.codecs.layout.field import run
from torhaus.codecs.model import Fields
from torhaus.codecs.payload.milesight_channels import Channels, dotted, released, row
from torhaus.codecs.payload.milesight_rooms import cases

_ABOUT: Final[Channels] = {
    "c8": row("device_status u8"),
    "d8": row("product_frequency_band text16"),
    "d9": row("oem_id hex2"),
    "da": row(
        field("version_hardware_version hex2", convert=dotted),
        field("version_firmware_version hex6", convert=released),
    ),
    "db": row("product_sn hex8"),
    "df": row(field("tsl_version hex2", convert=dotted)),
}
_FAULTS: Final = {0: "collection_error", 1: "lower_range_error", 2: "over_range_error", 3: "no_data"}
_LIMITS: Final = ("lower_range", "over_range", "within_range", "exceed_range")


def _limits(value: str) -> Mapping[int, tuple[str, Iterable[str]]]:
    """What became of a limit, and the value where there is one."""
    out: dict[int, tuple[str, Iterable[str]]] = {number: (word, ()) for number, word in _FAULTS.items()}
    for n, limit in enumerate(_LIMITS):
        out[0x10 + 2 * n] = (f"{limit}_alarm_deactivation", (value,))
        out[0x11 + 2 * n] = (f"{limit}_alarm_trigger", (value,))
    return out


def _jumps(value: str, change: str) -> Mapping[int, tuple[str, Iterable[str]]]:
    return {
        **_limits(value),
        0x20: ("mutation_alarm_trigger", (value, change)),
        0x30: ("mutation_alarm_trigger_no_mutation", (value,)),
    }


def _battery(data: bytes, pos: int, out: Fields) -> int:
    """Why the battery is told, and what is left when it is low."""
    cursor = Cursor(data)
    cursor.pos = pos
    is_low = cursor.u8() == _IS_LOW
    return run(_LOW, data, cursor.pos, out) if is_low else cursor.pos


_IS_LOW: Final = 0x10
_LOW: Final = row("battery_alarm_lower_battery_alarm_battery u8 %")
_TRAVELLER: Final[Channels] = {
    **_ABOUT,
    "01": row("battery u8 %"),
    "03": row("sensor_id_type u8", "sensor_id_id hex8"),
    "04": row("temperature i32 /100 Cel"),
    "05": row("humidity u16 /10 %"),
    "06": row("base_station_position_latitude i32 /1000000 deg", "base_station_position_longitude i32 /1000000 deg"),
    "07": row("airplane_mode_state u8"),
    "08": cases("temperature_alarm", "type", _jumps("temperature i32 /100 Cel", "saltation i32 /100 K")),
    "09": cases("humidity_alarm", "type", _jumps("humidity u16 /10 %", "saltation u16 /10 %")),
    "0a": row("tilt_alarm_type u8"),
    "0b": row("light_alarm_type u8"),
    "0c": row("probe_connect_status u8"),
    "0d": row(*(f"relative_surface_info_angle_{axis} i16 /100 deg" for axis in "xyz")),
    "0e": row("report_package_type u8"),
    "11": _battery,
    "1a": row("temperature_alarm_types u8"),
    "1b": row("humidity_alarm_types u8"),
    "1c": row("tilt_alarm_types u8"),
    "1d": row("light_alarm_types u8"),
}
_PANEL: Final[Channels] = {
    **_ABOUT,
    "00": row("battery u8 %"),
    "01": row("temperature i16 /100 Cel"),
    "02": row("humidity u16 /10 %"),
    "03": row("temperature_mode u8"),
    "04": row("fan_mode u8"),
    "05": row("execution_plan_id u8"),
    "06": row("target_temperature1 i16 /100 Cel"),
    "07": row("target_temperature2 i16 /100 Cel"),
    "08": row("pir_status u8"),
    "09": row("ble_event_type u8"),
    "0a": row("power_bus_event_type u8"),
    "0b": row("temperature_alarm_type u8"),
    "0c": row("humidity_alarm_type u8"),
    "0d": row("key_event_type u8"),
    "0f": row("battery_event_type u8"),
}

MODELS: Final[dict[str, Channels]] = {"ts601": _TRAVELLER, "ts602": _TRAVELLER, "wt401": _PANEL}
"""Keys of one byte."""
