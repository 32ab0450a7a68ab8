"""Milesight: devices of the newer form (WT303, WT304, GS601): one byte says what the value is.

    type | value …   least significant byte first

Source: as milesight.py, and the names of the decoders in actility/device-catalog (53ef3f3), vendors/milesight-iot.
Of what the thermostats and the GS601 say of their settings only their way of work is read; the rest ends decoding.
"""

from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.layout.compact import field
from torhaus.codecs.layout.field import Step, run
from torhaus.codecs.layout.tags import Special
from torhaus.codecs.model import Fields, Value
from torhaus.codecs.payload import milesight_heating
from torhaus.codecs.payload.milesight_channels import ENABLE, OFF_ON, Channels, dotted, named, released, row


def _version(raw: bytes) -> dict[str, str]:
    return {"version_hardware_version": dotted(raw), "version_firmware_version": released(raw[2:])}


_ABOUT: Final[Channels] = {
    "c8": row(named("device_status u8", OFF_ON)),
    "d8": row("product_frequency_band text16"),
    "d9": row("oem_id hex2"),
    "da": row(field("version hex8", makes=_version)),
    "db": row("product_sn hex8"),
    "df": row(field("tsl_version hex2", convert=lambda raw: f"v{raw[0]}.{raw[1]}")),
}


_NO_VALUE: Final = {0: "collection error", 1: "lower range error", 2: "over range error", 3: "no data"}
_WARNINGS: Final = {
    0x10: "below threshold temperature alarm",
    0x12: "above threshold temperature alarm",
    0x14: "between threshold temperature alarm",
    0x16: "outside threshold temperature alarm",
    0x20: "continuous low temperature alarm",
    0x22: "continuous high temperature alarm",
    0x30: "freeze alarm",
    0x32: "window open alarm",
}
"""The number of each alarm's end; its begin has the next."""


def _alarm(data: bytes, pos: int, out: Fields) -> int:
    """Why the temperature is told, and the temperature where the alarm has one."""
    cursor = Cursor(data)
    cursor.pos = pos
    kind = cursor.u8()
    warning = _WARNINGS.get(kind & 0xFE)
    if warning is None:
        out["temperature_alarm_type"] = Value(_NO_VALUE.get(kind, "unknown"))
        return cursor.pos
    out["temperature_alarm_type"] = Value(warning if kind & 1 else f"{warning} release")
    return run(_ALARMED, data, cursor.pos, out)


_ALARMED: Final = row("temperature i16 /100 Cel", "temperature_alarm_temperature = /100 Cel")
_SPEEDS: Final = {1: "low", 2: "medium", 3: "high"}
_FAN_MODES: Final = {0: "auto", **_SPEEDS}
_PLANS: Final = {n: f"plan_{n + 1}" for n in range(16)} | {0xFF: "no_plan"}
_MODES: Final = {0: "fan", 1: "heating", 2: "cooling"}
_RELAYS: Final = ("gl_status", "gm_status", "gh_status", "valve_1_status", "valve_2_status")


def _range(what: str) -> tuple[Step, ...]:
    name = f"{what}_target_temperature_range"
    return row(f"{name}_min i16 /100 Cel", f"{name}_max i16 /100 Cel")


def _thermostat(valve: tuple[Step, ...]) -> Channels:
    return {
        **_ABOUT,
        "01": row("temperature i16 /100 Cel"),
        "02": row("humidity u16 /10 %"),
        "03": row("target_temperature i16 /100 Cel"),
        "04": row(named("temperature_data_source u8", {0: "internal", 1: "ntc", 2: "lorawan", 3: "d2d"})),
        "05": row(
            named("temperature_control_status u8 0:4", {0: "standby", 1: "heating", 2: "cooling"}),
            named("temperature_control_mode = 4:4", _MODES),
        ),
        "06": valve,
        "07": row(named("fan_status u8 0:4", {0: "off", **_SPEEDS}), named("fan_mode = 4:4", _FAN_MODES)),
        "08": row(named("plan_id u8", _PLANS)),
        "09": _alarm,
        "0a": row(named("humidity_alarm u8", _NO_VALUE)),
        "0b": row(named("target_temperature_alarm u8", {3: "no data"})),
        "10": row(
            *(named(f"relay_status_{name} {'=' if n else 'u32'} {n}:1", ENABLE) for n, name in enumerate(_RELAYS))
        ),
        "63": row(named("temperature_unit u8", {0: "celsius", 1: "fahrenheit"})),
        "65": row(named("intelligent_display_enable u8", ENABLE)),
        "67": row(named("system_status u8", OFF_ON)),
        "68": row(named("temperature_control_mode u8", _MODES)),
        "69": row(field("target_temperature_resolution u8 Cel", {0: 0.5, 1: 1}, otherwise="unknown")),
        "6a": row("target_temperature_tolerance i16 /100 K"),
        "6b": row("heating_target_temperature i16 /100 Cel"),
        "6c": row("cooling_target_temperature i16 /100 Cel"),
        "6d": _range("heating"),
        "6e": _range("cooling"),
        "6f": row(named("dehumidify_config_enable u8", ENABLE), "dehumidify_config_temperature_tolerance i16 /100 K"),
        "70": row("target_humidity_range_min u16 /10 %", "target_humidity_range_max u16 /10 %"),
        "72": row(named("fan_mode u8", _FAN_MODES)),
        "73": row("fan_speed_config_delta_1 i16 /100 K", "fan_speed_config_delta_2 i16 /100 K"),
        "74": row(named("fan_delay_config_enable u8", ENABLE), "fan_delay_config_delay_time u16"),
    }


_NO_NUMBER: Final = {0: "collection error", 1: "lower range error", 2: "over range error"}
_LIMIT: Final = {**_NO_NUMBER, 0x10: "alarm deactivation", 0x11: "alarm trigger"}
_RAW: Final = (
    ("rmox_0", "rmox_1"), ("rmox_2", "rmox_3"), ("rmox_4", "rmox_5"), ("rmox_6", "rmox_7"), ("rmox_8", "rmox_9"),
    ("rmox_10", "rmox_11"), ("rmox_12", "zmod4510_rmox_3"), ("log_rcda", "rhtr"), ("temperature", "iaq"),
    ("tvoc", "etoh"), ("eco2", "rel_iaq"),
)  # fmt: skip
"""What the sensor of organic compounds measures, in pairs."""


def _limit(name: str, value: str, more: dict[int, str] | None = None) -> Special:
    """A limit of a value: what became of it, and the value where there is one."""
    words = _LIMIT | (more or {})
    steps = row(f"{name} {value}", f"{name}_alarm_{name} = {value.partition(' ')[2]}")

    def read(data: bytes, pos: int, out: Fields) -> int:
        cursor = Cursor(data)
        cursor.pos = pos
        kind = cursor.u8()
        out[f"{name}_alarm_type"] = Value(words.get(kind, "unknown"))
        return run(steps, data, cursor.pos, out) if kind in {0x10, 0x11} else cursor.pos

    return read


_GS601: Final[Channels] = {
    **_ABOUT,
    "00": row("battery u8 %"),
    "01": row("vaping_index u8"),
    "02": _limit("vaping_index", "u8", {0x20: "interference alarm deactivation", 0x21: "interference alarm trigger"}),
    "03": row("pm1_0 u16 ug/m3"),
    "04": _limit("pm1_0", "u16 ug/m3"),
    "05": row("pm2_5 u16 ug/m3"),
    "06": _limit("pm2_5", "u16 ug/m3"),
    "07": row("pm10 u16 ug/m3"),
    "08": _limit("pm10", "u16 ug/m3"),
    "09": row("temperature i16 /10 Cel"),
    "0a": _limit("temperature", "i16 /10 Cel", {0x20: "burning alarm deactivation", 0x21: "burning alarm trigger"}),
    "0b": row("humidity u16 /10 %"),
    "0c": row(named("humidity_alarm_type u8", _NO_NUMBER)),
    "0d": row("tvoc u16"),
    "0e": _limit("tvoc", "u16"),
    "0f": row(named("tamper_status u8", {0: "normal", 1: "triggered"})),
    "10": row(named("tamper_status_alarm_type u8", {0x20: "alarm deactivation", 0x21: "alarm trigger"})),
    "11": row(named("buzzer u8", {0: "normal", 1: "triggered"})),
    "12": row(named("occupancy_status u8", {0: "vacant", 1: "occupied"})),
    **{
        f"{0x20 + n:02x}": row(*(f"tvoc_raw_data_{n + 1}_{name} f32 .3" for name in pair))
        for n, pair in enumerate(_RAW)
    },
    "2b": row("pm_sensor_working_time u32 s"),
}

MODELS: Final[dict[str, Channels]] = {
    "gs601": _GS601,
    "wt102": milesight_heating.WT102,
    "wt303": _thermostat(row(named("valve_status u8", {0: "off", 100: "on"}))),
    "wt304": _thermostat(row("valve_status u8 %")),
}
"""Keys of one byte."""
