"""Milesight: WT211, and WT201 as its newest decoder names it. Source and shape: milesight.py, milesight_answers.py.

The newest decoders of both have the same names; that of the WT201 gives numbers where this one has words. A WT201 whose
dashboards have the names of the decoder before has `milesight:wt201`, and a WT211 of such `milesight:wt211-v1`.
"""

from collections.abc import Mapping
from typing import Final

from torhaus.codecs.layout.compact import Special as Line
from torhaus.codecs.layout.compact import field
from torhaus.codecs.model import Scalar
from torhaus.codecs.payload import milesight_setpoints
from torhaus.codecs.payload.milesight_answers import answers, enable, joined, made, masked, more_answers
from torhaus.codecs.payload.milesight_channels import (
    CLASS,
    ENABLE,
    HUMIDITY,
    NO_YES,
    OFF_ON,
    Channels,
    named,
    row,
    said,
)
from torhaus.codecs.payload.milesight_control import ALARMS, DAYS, EXECUTED, SENSOR, STAGES, stored_room, wired
from torhaus.codecs.payload.milesight_setpoints import FAN_MODES, HEAT_COOL, MODES, PLANS, ZONES

_FOUR: Final = {n: MODES[n] for n in range(4)}
_FAN_SETTING: Final = {0: "auto", 1: "always on", 2: "circulate", 3: "disable"}
_FAN: Final = {0: "standby", 1: "high speed", 2: "low speed", 3: "on"}
_SOURCES: Final = {1: "embedded", 2: "loRa", 3: "d2d"}


def _signed(raw: bytes) -> int:
    return int.from_bytes(raw, "little", signed=True)


def _alarm_setting(raw: bytes) -> Mapping[str, Scalar]:
    """A limit that is watched; the values that its condition does not have are left out."""
    name, condition = "temperature_alarm_config_", raw[0] & 7
    kinds = ("temperature threshold", "continuous low temperature", "continuous high temperature")
    conditions = ("disable", "below", "above", "between", "outside")
    out: dict[str, Scalar] = {
        f"{name}condition": conditions[condition] if condition < len(conditions) else "unknown",
        f"{name}alarm_type": kinds[raw[0] >> 3 & 7] if raw[0] >> 3 & 7 < len(kinds) else "unknown",
    }
    if condition in {1, 3, 4}:
        out[f"{name}threshold_min"] = _signed(raw[1:3]) / 10
    if condition in {2, 3, 4}:
        out[f"{name}threshold_max"] = _signed(raw[3:5]) / 10
    return out | {f"{name}lock_time": _signed(raw[5:7]), f"{name}continue_time": _signed(raw[7:9])}


def _resent(raw: bytes) -> Mapping[str, Scalar]:
    name = {0: "retransmit_interval", 1: "resend_interval"}.get(raw[0])
    return {name: int.from_bytes(raw[1:], "little")} if name else {}


def _summer_time(raw: bytes) -> Mapping[str, Scalar]:
    """When summer time begins and ends; nothing but that it is off where it is."""
    out: dict[str, Scalar] = {"dst_config_enable": ENABLE.get(raw[0], "unknown")}
    if raw[0]:
        out["dst_config_offset"] = raw[1]
        for when, at in (("start", 2), ("end", 6)):
            out[f"dst_config_{when}_month"] = raw[at]
            out[f"dst_config_{when}_week_num"] = raw[at + 1] >> 4
            out[f"dst_config_{when}_week_day"] = raw[at + 1] & 0x0F
            out[f"dst_config_{when}_time"] = int.from_bytes(raw[at + 2 : at + 4], "little")
    return out


def _card(raw: bytes) -> Mapping[str, Scalar]:
    actions = {0: "power", 1: "plan"}
    out: dict[str, Scalar] = {
        "card_config_enable": ENABLE.get(raw[0], "unknown"),
        "card_config_action_type": actions.get(raw[1], "unknown"),
    }
    if raw[1] == 1:
        out["card_config_in_plan_type"] = PLANS.get(raw[2] >> 4, "unknown")
        out["card_config_out_plan_type"] = PLANS.get(raw[2] & 0x0F, "unknown")
    return {**out, "card_config_invert": NO_YES.get(raw[3], "unknown")}


def _action(raw: int) -> Mapping[str, Scalar]:
    name, kind, what = "d2d_slave_config_#_action_", raw >> 4, raw & 0x0F
    said_kind = {f"{name}action_type": {0: "power", 1: "plan"}.get(kind, "unknown")}
    if kind == 0:
        return {**said_kind, f"{name}system_status": OFF_ON.get(what, "unknown")}
    return {**said_kind, f"{name}plan_type": PLANS.get(what, "unknown")}


def _supported(raw: bytes) -> dict[str, Scalar]:
    """What the thermostat can do: modes, then stages of heating and cooling."""
    mode, status = "temperature_control_support_mode_", "temperature_control_support_status_"
    bits = {mode + name: raw[0] >> n & 1 for n, name in enumerate(("heat", "em_heat", "cool", "auto"))}
    bits |= {f"{status}stage_{n + 1}_heat": raw[1] >> n & 1 for n in range(5)}
    bits |= {f"{status}stage_{n + 1}_cool": raw[2] >> n & 1 for n in range(3)}
    return {name: ENABLE[bit] for name, bit in bits.items()}


def _wires(raw: bytes) -> dict[str, Scalar]:
    return {name: word for name, word in wired(raw).items() if name != "ob_mode"}


def _on_off(prefix: str, *names: str, size: int) -> Line:
    return masked(prefix, *names, size=size, words=OFF_ON)


_D2D_COMMAND: Final = "d2d_cmd hex2"
_ANSWERS: Final[Channels] = {
    "03": row("outside_temperature i16 /10 Cel"),
    "06": row(made(9, _alarm_setting)),
    "25": row(
        masked(
            "child_lock_config_", "power_button", "up_button", "down_button", "fan_button", "mode_button",
            "reset_button",
        )
    ),
    "28": row(named("report_status u8", {0: "plan", 1: "periodic", 2: "target_temperature_range"})),
    "4a": row("synchronize_time u8"),
    "6a": row(made(3, _resent)),
    "82": row(masked("multicast_group_config_", *(f"group{n}_enable" for n in range(1, 5)), size=0)),
    "83": row(
        "d2d_slave_config_#_id u8 +1",
        enable("d2d_slave_config_#_enable"),
        field(f"d2d_slave_config_#_{_D2D_COMMAND}", convert=lambda raw: raw[::-1].hex()),
        field("d2d_slave_config_#_action u8", makes=_action),
    ),
    "8e": row("none skip1", "reporting_interval_settings_time u16 min"),
    "96": row(
        named("d2d_master_config_#_plan_type u8", PLANS),
        enable("d2d_master_config_#_enable"),
        enable("d2d_master_config_#_lora_uplink_enable"),
        field(f"d2d_master_config_#_{_D2D_COMMAND}", convert=lambda raw: raw[::-1].hex()),
        "d2d_master_config_#_time u16 min",
        enable("d2d_master_config_#_time_enable"),
    ),
    "ab": row(
        enable("temperature_calibration_settings_enable"),
        "temperature_calibration_settings_calibration_value i16 /10 K"
    ),
    "b0": row(enable("freeze_protection_config_enable"), "freeze_protection_config_temperature i16 /10 Cel"),
    "b5": row(named("reversing_valve_mode u8", {0: "energize on heat", 1: "energize on cool"})),
    "b6": row(named("fan_mode_setting_mode u8", {n: _FAN_SETTING[n] for n in range(3)})),
    "b7": row(
        named("temperature_control_mode u8", MODES),
        "temperature_control_target u8 0:7",
        named("temperature_control_unit = 7:1", {0: "celsius", 1: "fahrenheit"}),
    ),
    "b8": row(
        "temperature_tolerance_target_temperature_tolerance u8 /10 K",
        "temperature_tolerance_auto_temperature_tolerance u8 /10 K",
    ),
    "b9": row(
        named("level_switch_settings_#_type u8", HEAT_COOL),
        "level_switch_settings_#_time u8 min",
        "level_switch_settings_#_change_value u8 /10 K",
    ),
    "ba": row(made(10, _summer_time)),
    "bd": row(named("time_zone i16", ZONES)),
    "c1": row(made(4, _card)),
    "c2": row(named("plan_type u8", PLANS)),
    "c4": row(
        named("temperature_source_config_source u8", {0: "disable", 1: "lora", 2: "d2d"}),
        "temperature_source_config_timeout u8 min",
    ),
    "c5": row(enable("temperature_control_enable")),
    "c7": row(masked("d2d_", "master_enable", "slave_enable", size=0)),
    "c8": row(
        named("plan_cfg_#_plan_id u8", {n: PLANS[n] for n in range(4)}),
        named("plan_cfg_#_temp_mode u8", _FOUR),
        named("plan_cfg_#_fan_mode u8", {n: FAN_MODES[n] for n in range(3)}),
        "plan_cfg_#_target u8",
        "plan_cfg_#_error u8 /10",
    ),
    "c9": row(
        named("plan_schedule_#_plan_type u8", PLANS),
        "plan_schedule_#_id u8 +1",
        enable("plan_schedule_#_enable"),
        *(
            named(f"plan_schedule_#_week_recycle_{day} {'=' if n else 'u8'} {n + 1}:1", ENABLE)
            for n, day in enumerate(DAYS)
        ),
        "plan_schedule_#_time u16 min",
    ),
    "ca": row(field("wires hex3", makes=_wires)),
    "eb": row(named("temperature_unit_unit u8", {0: "celsius", 1: "fahrenheit"})),
    "f6": row(named("control_permission u8", {0: "thermostat", 1: "remote control"})),
    "f7": row(_on_off("wires_relay_config_", "y1", "y2_gl", "w1", "w2_aux", "e", "g", "ob", size=2)),
    "f8": row(named("offline_control_mode u8", {0: "keep", 1: "thermostat", 2: "off"})),
    "f9": row(
        enable("humidity_calibration_settings_enable"), "humidity_calibration_settings_calibration_value i16 /10 %"
    ),
    "fa": row(named("temperature_control_mode u8", MODES), "target_temperature i16 /10 Cel"),
    "fb": row(named("current_temperature_control_mode_mode u8", _FOUR)),
}  # fmt: skip
_ALARM: Final = row("temperature i16 /10 Cel", named("temperature_alarm u8", ALARMS))
_CHANNELS: Final[Channels] = {
    "ff 0b": row(said("device_status u8", "on")),
    "ff 0f": row(named("lorawan_class_type u8", CLASS)),
    "03 67": row("ambient_temperature i16 /10 Cel"),
    "04 67": row("target_temperature i16 /10 Cel"),
    "0b 67": row("target_temperature_2 i16 /10 Cel"),
    "05 e7": row(
        named("current_temperature_control_mode_mode u8 0:2", _FOUR),
        named("current_temperature_control_mode_status = 4:4", STAGES),
    ),
    "06 e8": row(named("fan_mode_setting_mode u8 0:2", _FAN_SETTING), named("fan_mode_setting_status = 2:3", _FAN)),
    "07 e9": row(named("curr_temperature_humidity_source u8", _SOURCES)),
    "87 e9": row(named("source_alarm_source u8", _SOURCES), named("source_alarm_alarm u8", {1: "source switch alarm"})),
    "07 bc": row(named("plan_type u8 0:4", EXECUTED)),
    "08 8e": row(named("system_status u8", OFF_ON)),
    "09 68": HUMIDITY,
    "0a 6e": row(joined("enabled_relay", ("Y1", "Y2", "W1", "W2", "EH", "G", "OB"), "&", "off")),
    "ff cb": row(field("support hex3", makes=_supported)),
    "83 67": _ALARM,
    "b3 67": row(named("temperature_sensor_status u8", SENSOR)),
    "b9 68": row(named("humidity_sensor_status u8", SENSOR)),
    "20 ce": stored_room,
}
_THERMOSTAT: Final[Channels] = {
    **answers(_ANSWERS),
    **more_answers(milesight_setpoints.ANSWERS),
    **_CHANNELS,
    "f9 40": row(
        named("target_temperature_range_alarm_#_temperature_control_mode u8", MODES),
        *(f"target_temperature_range_alarm_#_{what} i16 /10 Cel" for what in ("target_temperature", "min", "max")),
    ),
}
MODELS: Final[dict[str, Channels]] = dict.fromkeys(("wt211", "wt201-v3"), _THERMOSTAT)
