"""Milesight: what WT201 and WT211 answer on f8 and f9. Shape: milesight_answers.py, source: milesight.py."""

from collections.abc import Mapping
from typing import Final

from torhaus.codecs.layout.compact import field
from torhaus.codecs.layout.field import Step
from torhaus.codecs.model import Scalar
from torhaus.codecs.payload.milesight_answers import enable, joined, made, masked, unless
from torhaus.codecs.payload.milesight_channels import ENABLE, OFF_ON, Channels, named, row

PLANS: Final = {0: "wake", 1: "away", 2: "home", 3: "sleep", 4: "occupied", 5: "vacant", 6: "eco"}
MODES: Final = {0: "heat", 1: "em heat", 2: "cool", 3: "auto", 4: "auto heat", 5: "auto cool"}
FAN_MODES: Final = {0: "auto", 1: "on", 2: "circulate", 3: "disable"}
HEAT_COOL: Final = {0: "heat", 1: "cool"}
_WIRES: Final = ("Y1", "Y2", "W1", "W2(AUX)", "E")
_BUTTONS: Final = ("System On/Off", "Temperature +", "Temperature -", "Fan Mode", "Temperature Control Mode")
_LOCKS: Final = (
    "power_button", "temperature_up_button", "temperature_down_button", "fan_mode_button",
    "temperature_control_mode_button",
)  # fmt: skip
_MINUTES: Final = {
    -720: "-12", -660: "-11", -600: "-10", -570: "-9:30", -540: "-9", -480: "-8", -420: "-7", -360: "-6", -300: "-5",
    -240: "-4", -210: "-3:30", -180: "-3", -120: "-2", -60: "-1", 0: "", 60: "+1", 120: "+2", 180: "+3", 210: "+3:30",
    240: "+4", 270: "+4:30", 300: "+5", 330: "+5:30", 345: "+5:45", 360: "+6", 390: "+6:30", 420: "+7", 480: "+8",
    540: "+9", 570: "+9:30", 600: "+10", 630: "+10:30", 660: "+11", 720: "+12", 765: "+12:45", 780: "+13", 840: "+14",
}  # fmt: skip
ZONES: Final = {minutes: f"UTC{hours}" for minutes, hours in _MINUTES.items()}
"""Minutes to Greenwich, and the zone's name."""
_NEVER: Final = 0xFF
_STAGES: Final = (
    *(f"heating_stage{n}" for n in range(1, 6)),
    "emergency_heating",
    *(f"cooling_stage{n}" for n in range(1, 4)),
)
_SETPOINTS: Final = (
    "occupied_cooling_setpoint", "occupied_heating_setpoint", "unoccupied_cooling_setpoint",
    "unoccupied_heating_setpoint", "cooling_setpoint", "heating_setpoint",
)  # fmt: skip
_SCREEN: Final = ("display", "time", "target", "temp", "humi", "plan", "target_others")


def _dehumidify(raw: bytes) -> Mapping[str, Scalar]:
    out: dict[str, Scalar] = {"fan_dehumidify_enable": ENABLE.get(raw[0], "unknown")}
    return {**out, "fan_dehumidify_execute_time": raw[1]} if raw[0] else out


def _plan(name: str) -> tuple[Step, ...]:
    """What both kinds of plan begin with: the kind is `type` of one and `plan_type` of the other."""
    return row(
        named(f"{name} u8", PLANS),
        *(
            named(f"{name.rpartition('#_')[0]}#_{what} u8", words)
            for what, words in (("temperature_control_mode", MODES), ("fan_mode", FAN_MODES))
        ),
    )


_SINGLE: Final = "single_temperature_plan_config_#_"
_DUAL: Final = "dual_temperature_plan_config_#_"
ANSWERS: Final[Channels] = {
    "05": row(enable("fan_delay_enable"), "fan_delay_time u8 min"),
    "06": row("fan_execute_time u8 min"),
    "07": row(made(2, _dehumidify)),
    "08": row(named("screen_display_mode u8", {0: "on", 1: "without plan show", 2: "disable all"})),
    "09": row("humidity_range_min u8 %", "humidity_range_max u8 %"),
    "0a": row(enable("temperature_dehumidify_enable"), "temperature_dehumidify_temperature_tolerance u8 ?255 /10 K"),
    "1b": row(masked("temperature_up_down_enable_", "forward_enable", "backward_enable")),
    "20": row(enable("fan_delay_config_enable")),
    "21": row("fan_delay_config_delay_time u16"),
    "22": row(joined("temporary_unlock_settings_settings", _BUTTONS, "&", "disable")),
    "23": row("temperature_control_delta1 u8 /10 K"),
    "24": row("temperature_control_delta2 u8 /10 K"),
    "27": row(named("occupancy_mode_mode u8", {1: "off", 2: "occupied", 3: "unoccupied"})),
    "28": row(unless("occupied_delay_time u8 min", _NEVER, "disable")),
    "29": row(unless("offline_timeout_time u8 min", _NEVER, "disable")),
    "2a": row("heartbeat u8"),
    "2b": row(enable("unilateral_tolerance")),
    "2c": row(named("time_format_mode u8", {1: "12 Hour (AM-PM)", 2: "24 Hour"})),
    "2d": row(named("wire_mode_mode u8", {1: "standard", 2: "custom"})),
    "2e": row(named("temperature_humidity_source_mode u8", {1: "embedded", 2: "lora", 3: "d2d"})),
    "2f": row(named("timezone_index_timezone u8", dict(enumerate(ZONES.values(), 1)))),
    "30": row("timezone_offset i16 min"),
    "31": row(enable("children_locks_enable")),
    "32": row("target_deadband u8 /10 K"),
    "33": row(enable("sharing_mode_enable")),
    "3a": row(enable("wires_relay_change_report_enable")),
    "3b": row(masked("aux_control_config_", "y2_enable", "w2_enable", size=0)),
    "3e": row("d2d_master_ids_#_id u8 +1", "d2d_master_ids_#_dev_eui hex8"),
    "41": row(field("target_temperature_resolution u8 K", {0: 0.5, 1: 1}, otherwise="unknown")),
    "42": row(
        named("target_temperature_range_config_temperature_control_mode u8", MODES),
        "target_temperature_range_config_min i16 /10 Cel",
        "target_temperature_range_config_max i16 /10 Cel",
    ),
    "43": row("none skip1", *(f"temperature_level_up_down_delta_delta_{n} u8 /10 K" for n in (1, 2))),
    "44": row(enable("fan_delay_config_enable"), "fan_delay_config_delay_time u16"),
    "45": row(
        named("system_status u8", OFF_ON), named("temperature_control_mode u8", MODES), "target_temperature i16 /10 Cel"
    ),
    "46": row(enable("compressor_aux_combine_enable")),
    "47": row(enable("system_protect_config_enable"), "system_protect_config_duration u8 min"),
    "58": row(enable("target_temperature_dual")),
    "59": (
        *_plan(f"{_DUAL}type"),
        *row(
            *(
                line
                for what in ("heat", "cool")
                for line in (
                    f"{_DUAL}{what}_target_temperature u16 ?65535 /10 Cel",
                    f"{_DUAL}{what}_temperature_tolerance u8 ?255 /10 K",
                )
            )
        ),
    ),
    "5a": row(
        named("double_point_target_tolerance_#_mode u8", HEAT_COOL),
        "double_point_target_tolerance_#_tolerance u8 /10 K",
    ),
    "5c": row(
        *(named(f"unlock_config_{name} {'=' if n else 'u8'} {n}:1", ENABLE) for n, name in enumerate(_LOCKS)),
        "unlock_config_time u16 s",
    ),
    "5d": row(joined("temperature_control_enable_setting_mode", ("heat", "em heat", "cool", "auto"), "/", "disable")),
    "5e": (
        *_plan(f"{_SINGLE}plan_type"),
        *row(
            f"{_SINGLE}target_temperature i16 /10 Cel",
            f"{_SINGLE}target_temperature_tolerance u8 /10 K",
            f"{_SINGLE}temperature_control_tolerance u8 /10 K",
        ),
    ),
    "62": row(named("fan_control_during_heating u8", {0: "furnace/boiler", 1: "thermostat"})),
    **{f"{n:02x}": row(f"{name} u16 /10 Cel") for n, name in enumerate(_SETPOINTS, 0x64)},
    **{f"{n:02x}": row(f"{name}_tolerance u8 /10 K") for n, name in enumerate(_SETPOINTS, 0x6A)},
    "72": row("center_cool_temp u16 /10 Cel"),
    "73": row("center_heat_temp u16 /10 Cel"),
    "74": row("cooling_adjust_tolerance i16 /10 K"),
    "75": row("heating_adjust_tolerance i16 /10 K"),
    "80": row(enable("custom_wiring_mode")),
    **{f"{n:02x}": row(joined(f"{name}_wire", _WIRES, "+", "disable")) for n, name in enumerate(_STAGES, 0x81)},
    "8b": row(masked("plan_schedule_enable_config_", *PLANS.values())),
    **{f"{n:02x}": row(enable(f"screen_{name}_enable")) for n, name in enumerate(_SCREEN, 0x90)},
}
"""By type."""
