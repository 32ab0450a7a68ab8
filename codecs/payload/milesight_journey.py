"""Milesight: TS601 and TS602, which travel with what they watch; the panel WT401. Shape: milesight_rooms.py.

Source: as milesight.py. Numbers stay numbers as in the vendor's decoder, which names their meaning in comments only.
Settings that are not in the table (times of summer, the airplane mode's times, the cellular network's) end decoding.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.layout.field import Step, run
from torhaus.codecs.layout.tags import Special
from torhaus.codecs.model import Fields
from torhaus.codecs.payload import milesight_panel
from torhaus.codecs.payload.milesight_channels import CLASS, Channels, named, row
from torhaus.codecs.payload.milesight_packets import ABOUT, done, interval
from torhaus.codecs.payload.milesight_settings import PLAIN, cases

_FAULTS: Final = {0: "collection_error", 1: "lower_range_error", 2: "over_range_error", 3: "no_data"}
_LIMITS: Final = ("lower_range", "over_range", "within_range", "exceed_range")


def _both(value: str) -> tuple[str, str]:
    name, _, rest = value.split(" ", 2)
    return value, f"{PLAIN}{name} = {rest}"


def _limits(value: str) -> Mapping[int, tuple[str, Iterable[str]]]:
    """What became of a limit, and the value where there is one; it is the device's value at that time, too."""
    both = _both(value)
    out: dict[int, tuple[str, Iterable[str]]] = {number: (word, ()) for number, word in _FAULTS.items()}
    for n, limit in enumerate(_LIMITS):
        out[0x10 + 2 * n] = (f"{limit}_alarm_deactivation", both)
        out[0x11 + 2 * n] = (f"{limit}_alarm_trigger", both)
    return out


def _jumps(value: str, change: str) -> Mapping[int, tuple[str, Iterable[str]]]:
    return {
        **_limits(value),
        0x20: ("mutation_alarm_trigger", (*_both(value), change)),
        0x30: ("mutation_alarm_trigger_no_mutation", _both(value)),
    }


def _typed(name: str, known: Mapping[int, tuple[str, Iterable[str]]]) -> Special:
    """An alarm; its kind also stands apart."""
    alarm = cases(name, "type", known)

    def read(data: bytes, pos: int, out: Fields) -> int:
        behind = alarm(data, pos, out)
        out[f"{name}_types"] = out[f"{name}_type"]
        return behind

    return read


def _battery(data: bytes, pos: int, out: Fields) -> int:
    """Why the battery is told, and what is left when it is low."""
    cursor = Cursor(data)
    cursor.pos = pos
    is_low = cursor.u8() == _IS_LOW
    return run(_LOW, data, cursor.pos, out) if is_low else cursor.pos


_IS_LOW: Final = 0x10
_LOW: Final = row("battery_alarm_lower_battery_alarm_battery u8 %")


def _settings(name: str, *lines: str) -> tuple[Step, ...]:
    return row(*(f"{name}_settings_{line}" for line in lines))


_SETTINGS: Final[Channels] = {
    "50": done("clear_alarm_item"),
    "51": row("set_zero_calibration_operation u8"),
    "52": row("set_retrieval_initial_surface_operation u8"),
    "53": done("get_sensor_id"),
    "60": interval("reporting_interval"),
    "61": row("cumulative_times u8"),
    "62": interval("collection_interval"),
    "63": row("alarm_reporting_times u16"),
    "65": row("temperature_unit u8"),
    "71": row("base_station_position_enable u8"),
    "75": row("alarm_deactivation_enable u8"),
    "77": _settings(
        "temperature_alarm", "enable u8", "threshold_condition u8", "threshold_min i32 /100 Cel",
        "threshold_max i32 /100 Cel",
    ),
    "78": _settings("temperature_mutation_alarm", "enable u8", "mutation_max i32 /100 K"),
    "79": _settings(
        "humidity_alarm", "enable u8", "threshold_condition u8", "threshold_min u16 /10 %", "threshold_max u16 /10 %"
    ),
    "7a": _settings("humidity_mutation_alarm", "enable u8", "mutation_max u16 /10 %"),
    "7b": _settings("temperature_calibration", "enable u8", "calibration_value i32 /100 K"),
    "7c": _settings("humidity_calibration", "enable u8", "calibration_value i16 /10 %"),
    "7d": _settings("light_alarm", "enable u8", "threshold_condition u8", "threshold_max u16"),
    "7e": row("light_tolerance_value u8"),
    "7f": _settings("tilt_alarm", "enable u8", "threshold_condition u8", "threshold_max u8", "duration u8"),
    "80": _settings("falling_alarm", "enable u8"),
    "81": _settings("falling_threshold_alarm", "threshold_level u8", "time_level u8"),
    "82": row("probe_id_retransmit_count u8"),
    "c4": row("auto_p_enable u8"),
}  # fmt: skip
_TRAVELLER: Final[Channels] = {
    **ABOUT,
    **_SETTINGS,
    "01": row("battery u8 %"),
    "03": row("sensor_id_type u8", "sensor_id_id hex8"),
    "04": row("temperature i32 /100 Cel"),
    "05": row("humidity u16 /10 %"),
    "06": row("base_station_position_latitude i32 /1000000 deg", "base_station_position_longitude i32 /1000000 deg"),
    "07": row("airplane_mode_state u8"),
    "08": _typed("temperature_alarm", _jumps("temperature i32 /100 Cel", "saltation i32 /100 K")),
    "09": _typed("humidity_alarm", _jumps("humidity u16 /10 %", "saltation u16 /10 %")),
    "0a": row("tilt_alarm_type u8", "tilt_alarm_types ="),
    "0b": row("light_alarm_type u8", "light_alarm_types ="),
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
    **ABOUT,
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
_NO_VALUE: Final = {0: "collection_error", 1: "lower_range_error", 2: "over_range_error", 3: "no_data"}
_PANEL_FIRST: Final[Channels] = {
    **_PANEL,
    "03": row(
        named("temperature_control_mode u8", {0: "heat", 1: "em_heat", 2: "cool", 3: "auto", 10: "off", 11: "NA"})
    ),
    "04": row(
        named(
            "fan_mode u8",
            {0: "auto", 1: "circulate", 2: "on", 3: "low", 4: "medium", 5: "high", 10: "off", 11: "NA"},
        )
    ),
    "05": row(named("execution_plan u8", {n: f"plan_{n + 1}" for n in range(16)})),
    "06": row("target_temperature_1 i16 /100 Cel"),
    "07": row("target_temperature_2 i16 /100 Cel"),
    "08": row(named("pir_status u8", {0: "vacant", 1: "occupied", 2: "night_occupied"})),
    "09": row(named("ble_event u8", {0: "none", 1: "peer_cancel", 2: "disconnect"})),
    "0a": row(named("power_bus_event u8", {0: "none", 1: "communication_error"})),
    "0b": row(named("temperature_alarm u8", _NO_VALUE)),
    "0c": row(named("humidity_alarm u8", _NO_VALUE)),
    "0d": row(named("button_event u8", {0: "F1", 1: "F2", 2: "F3"})),
    "0f": row(named("battery_event u8", {0: "recover", 1: "low_voltage"})),
    "c8": row(named("device_status u8", {0: "off", 1: "on"})),
    "cf": row("none skip1", named("lorawan_class u8", CLASS)),
}
"""The names and words of the vendor's other published decoder."""

MODELS: Final[dict[str, Channels]] = {
    "ts601": _TRAVELLER,
    "ts602": _TRAVELLER,
    "wt401": {**_PANEL, **milesight_panel.SETTINGS},
    "wt401-v1": _PANEL_FIRST,
}
"""Keys of one byte."""
