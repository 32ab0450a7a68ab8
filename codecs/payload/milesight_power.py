"""Milesight: currents (CT), switches and sockets (WS50x, WS51x, WS52x, WS558). Source and shape: milesight.py."""

from typing import Any, Final

from torhaus.codecs.layout.compact import field
from torhaus.codecs.payload.milesight_channels import ENABLE, NO_YES, OFF_ON, Channels, guarded, named, row, said
from torhaus.codecs.payload.milesight_walls import wall_answers

_SENSOR: Final = {0xFFFD: "over range alarm", 0xFFFF: "read failed"}
_FAILED: Final = {0xFFFF: "read failed"}
_TEMPERATURE: Final[Channels] = {
    "09 67": row(guarded("temperature i16 /10 Cel", "temperature_sensor_status", _SENSOR)),
    "89 67": row(
        "temperature i16 /10 Cel",
        named("temperature_alarm u8", {0: "temperature threshold alarm release", 1: "temperature threshold alarm"}),
    ),
}
_ALARMS: Final = ("threshold_alarm", "threshold_alarm_release", "over_range_alarm", "over_range_alarm_release")


def _alarms(prefix: str) -> tuple[Any, ...]:
    """A bit for each alarm."""
    return tuple(
        named(f"{prefix}_current_{word} {'u8' if bit == 0 else '='} {bit}:1", NO_YES)
        for bit, word in enumerate(_ALARMS)
    )


_LOW_VOLTAGE: Final = row(named("low_voltage_alarm_alarm_type u8", {1: "low voltage alarm"}))
_CT1: Final[Channels] = {
    "03 97": row("total_current u32 /100 A.h"),
    "04 98": row(guarded("current u16 /100 A", "current_sensor_status", _FAILED)),
    "10 63": row("ch1_sumkwh u32 /100 kW.h"),
    "13 75": _LOW_VOLTAGE,
    "84 98": row("current_max u16 /100 A", "current_min u16 /100 A", "current u16 /100 A", *_alarms("current_alarm")),
    **_TEMPERATURE,
}


def _phases() -> Channels:
    out: dict[str, Any] = {}
    for n in range(3):
        name = f"current_chn{n + 1}"
        out[f"{3 + 2 * n:02x} 97"] = row(f"{name}_total u32 /100 A.h")
        out[f"{4 + 2 * n:02x} 99"] = row(guarded(f"{name} u16 /10 A", f"{name}_sensor_status", _FAILED))
        out[f"{0x84 + 2 * n:02x} 99"] = row(
            f"{name}_max u16 /10 A", f"{name}_min u16 /10 A", f"{name} u16 /10 A", *_alarms(f"{name}_alarm")
        )
        out[f"{0x10 + n:02x} 63"] = row(f"ch{n + 1}_sumkwh u32 /100 kW.h")
    return out


_CT3: Final[Channels] = {**_phases(), "13 75": _LOW_VOLTAGE, **_TEMPERATURE}


def _switches(count: int) -> Channels:
    lines: list[Any] = []
    for n in range(count):
        kind = "u8" if n == 0 else "="
        lines += [named(f"switch_{n + 1} {kind} {n}:1", OFF_ON), named(f"switch_{n + 1}_change = {n + 4}:1", NO_YES)]
    return {"08 29": row(*lines)}


_METER: Final[Channels] = {
    "03 74": row("voltage u16 /10 V"),
    "04 80": row("active_power u32 W"),
    "05 81": row("power_factor u8 %"),
    "06 83": row("power_consumption u32 W.h"),
    "07 c9": row("current u16 mA"),
}
_HOT: Final = {
    0: "threshold alarm release", 1: "threshold alarm", 2: "overheat alarm", 3: "mutation alarm",
}  # fmt: skip
_SOCKET: Final[Channels] = {
    **_METER,
    "08 70": row(named("socket_status u8 0:1", OFF_ON)),
    "89 67": row("temperature i16 /10 Cel", named("temperature_alarm u8", _HOT)),
    "99 67": row("temperature i16 /10 Cel", "temperature_mutation i16 /10 K", said("temperature_alarm u8", _HOT[3])),
}
_COLLECTED: Final = (
    ("b3 74", "voltage"), ("b4 80", "electric_power"), ("b5 81", "power_factor"), ("b6 83", "power_consumption"),
    ("b7 c9", "current"),
)  # fmt: skip
_SOCKET_V3: Final[Channels] = {
    "03 74": row("voltage u16 dV"),
    "04 80": row("electric_power u32 W"),
    "05 81": row("power_factor u8 %"),
    "06 83": row("power_consumption u32 /100000"),  # as the vendor's decoder scales it; it names no unit
    "07 c9": row("current_rating u16 /1000 A"),
    "08 70": row("socket_status_switch_status_1 u8 0:1"),
    "09 67": row(guarded("temperature i16 /10 Cel", "temperature_error", _SENSOR)),
    "87 c9": row("overcurrent_alarm_current u16 /1000 A", "overcurrent_alarm_status u8"),
    "88 29": row("device_abnormal_alarm_status u8"),
    "89 67": row("temperature_alarm_temperature i16 /10 Cel", "temperature_alarm_alarm_type u8"),
    **{key: row(f"{name}_collection_error_report_type u8") for key, name in _COLLECTED},
}
_ERRORS: Final = {1: "collection error"}
_WALL_METER: Final[Channels] = {
    "03 74": row("voltage u16 dV"),
    "04 80": row("electric_power u32 W"),
    "05 81": row("power_factor u8 %"),
    "06 83": row("power_consumption u32 W.h"),
    "07 c9": row("current_rating u16 mA"),
    "87 c9": row("overcurrent_alarm_current u16 mA", named("overcurrent_alarm_status u8", {1: "overcurrent"})),
    "88 29": row(named("device_abnormal_alarm_status u8", {1: "abnormal"})),
    "89 df": row(named("temperature_alarm_status u8", {1: "overtemperature"})),
    **{key: row(named(f"{name}_collect_error_type u8", _ERRORS)) for key, name in _COLLECTED},
}
"""Wall switches of version 4; as sent: the vendor's decoder does not scale."""


_WALL_SETTINGS: Final[Channels] = {
    "03": row("reporting_interval u16"),
    "24": row(named("overcurrent_alarm_config_enable u8", ENABLE), "overcurrent_alarm_config_threshold u8 A"),
    "25": row(named("button_lock_config_enable u16 15:1", ENABLE)),
    "26": row(named("power_consumption_3w u8", ENABLE)),
    "27": row(named("power_consumption_clear u8", NO_YES)),
    "2c": row(said("report_attribute u8", "yes")),
    "30": row(named("overcurrent_protection_enable u8", ENABLE), "overcurrent_protection_threshold u8 A"),
    "4a": row(said("time_synchronize u8", "yes")),
    "5e": row(named("button_reset_config u8", ENABLE)),
    "67": row(named("power_switch_mode u8", {0: "off", 1: "on", 2: "keep"})),
    "8d": row(named("highcurrent_config u8", ENABLE)),
}


def _wall(count: int) -> Channels:
    """Their buttons: which are on; when one was pressed or switched also which of them changed."""

    def buttons(raw: int) -> dict[str, str]:
        if not raw >> 4 & 7:
            return {f"button_status_button{n + 1}": OFF_ON[raw >> n & 1] for n in range(count)}
        out: dict[str, str] = {}
        for n in range(count):
            name = f"button_status_control_button_status{n + 1}"
            out |= {name: OFF_ON[raw >> n & 1], f"{name}_change": NO_YES[raw >> n + 4 & 1]}
        return out

    return {
        **_WALL_METER,
        "ff 0f": row(named("lorawan_class u8", {2: "Class C"})),
        **{
            f"{key} {kind}": steps
            for key in ("fe", "ff")
            for kind, steps in {**_WALL_SETTINGS, "29": row(field("buttons u8", makes=buttons))}.items()
        },
        **wall_answers(count),
    }


_SOCKET_WARM: Final[Channels] = {**_SOCKET, "09 67": _TEMPERATURE["09 67"]}
MODELS: Final[dict[str, Channels]] = {
    **dict.fromkeys(("ct101", "ct103", "ct105"), _CT1),
    **dict.fromkeys(("ct303", "ct305", "ct310"), _CT3),
    "ws501-cn": _switches(1),
    "ws502-cn": _switches(2),
    "ws503-cn": _switches(3),
    "ws501-v4": _wall(1),
    "ws502-v4": _wall(2),
    "ws503-v4": _wall(3),
    "ws501-eu": {**_METER, **_switches(1)},
    "ws501-us": {**_METER, **_switches(1)},
    "ws502-eu": {**_METER, **_switches(2)},
    **dict.fromkeys(("ws523", "ws525"), _SOCKET),
    **dict.fromkeys(("ws51x", "ws513", "ws515"), _SOCKET_WARM),
    **dict.fromkeys(("ws513-v3", "ws515-v3"), _SOCKET_V3),
    "ws558": {
        **{key: steps for key, steps in _METER.items() if key != "07 c9"},
        "07 c9": row("total_current u16 mA"),
        "ff 26": row(named("power_consumption_enable u8", ENABLE)),
        "08 31": row(
            "mask skip1",
            *(named(f"switch_{n + 1} {'u8' if n == 0 else '='} {n}:1", OFF_ON) for n in range(8)),
        ),
    },
}
