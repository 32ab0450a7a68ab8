"""Milesight: the radiator valve WT102. Shape: milesight_settings.py, source: milesight.py.

Numbers stay numbers as in the vendor's decoder, which names their meaning in comments only.
"""

from typing import Final

from torhaus.codecs.payload.milesight_channels import CLASS, Channels, named, row
from torhaus.codecs.payload.milesight_packets import ABOUT, done
from torhaus.codecs.payload.milesight_settings import (
    STORAGE,
    SUMMER_TIME,
    answer,
    bits,
    cases,
    chosen,
    listed,
    timed,
    under,
)

SETTINGS: Final[Channels] = {
    "60": row("temperature_unit u8"),
    "c4": row("auto_p_enable u8"),
    "c5": STORAGE,
    "c6": SUMMER_TIME,
    "ef": answer,
    "61": under(
        "temperature_source_settings",
        chosen(
            {
                0: (),
                1: ("external_ntc_reception_timeout u16", "external_ntc_reception_timeout_response u8"),
                2: ("lorawan_reception_timeout u16", "lorawan_reception_timeout_response u8"),
            },
            kind="type",
        ),
    ),
    "62": row("environment_temperature_display_enable u8"),
    "63": under(
        "heating_period_settings",
        chosen(
            {
                0: (
                    "heating_date_settings_start_mon u8",
                    "heating_date_settings_start_day u8",
                    "heating_date_settings_end_mon u8",
                    "heating_date_settings_end_day u8",
                ),
                1: (timed("heating_period_reporting_interval"),),
                2: (timed("non_heating_period_reporting_interval"),),
                3: ("valve_status_control u8",),
            }
        ),
    ),
    "65": under(
        "temp_control",
        chosen(
            {
                0: ("enable u8",),
                1: ("target_temperature_resolution u8",),
                2: ("under_temperature_side_deadband i16 /100 K",),
                3: ("over_temperature_side_deadband i16 /100 K",),
                4: ("target_temperature_adjustment_range_min i16 /100 Cel",),
                5: ("target_temperature_adjustment_range_max i16 /100 Cel",),
                6: (
                    chosen(
                        {
                            0: ("mode_settings_auto_control_target_temperature i16 /100 Cel",),
                            1: ("mode_settings_valve_control_target_valve_status u8 %",),
                            2: ("mode_settings_intergrated_control_target_temp i16 /100 Cel",),
                        },
                        kind="mode_settings_mode",
                    ),
                ),
            }
        ),
    ),
    "66": under(
        "window_opening_detection_settings",
        "enable u8",
        "cooling_rate i16 /100 K",
        "valve_status u8",
        "stop_temperature_control_time u16 min",
    ),
    "67": under(
        "auto_away_settings",
        "enable u8",
        "start_time u16",
        "end_time u16",
        *bits(
            "u8",
            "cycle_time_sun",
            "cycle_time_mon",
            "cycle_time_tues",
            "cycle_time_wed",
            "cycle_time_thur",
            "cycle_time_fri",
            "cycle_time_sat",
        ),
        chosen(
            {
                0: ("energy_saving_settings_energy_saving_temperature i16 /100 Cel",),
                1: ("energy_saving_settings_energy_saving_valve_opening_degree u8 %",),
            },
            kind="energy_saving_settings_mode",
        ),
    ),
    "68": under("anti_freeze_protection_setting", "enable u8", "temperature_value i16 /100 Cel"),
    "69": row("mandatory_heating_enable u8"),
    "6a": under("child_lock", "enable u8", *bits("u8", "system_button", "func_button")),
    "6b": row("motor_stroke_limit u8 %"),
    "6c": under("temperature_calibration_settings", "enable u8", "calibration_value i16 /100 K"),
    "6d": under(
        "temperature_alarm_settings",
        "enable u8",
        "threshold_condition u8",
        "threshold_min i16 /100 Cel",
        "threshold_max i16 /100 Cel",
    ),
    "6e": listed(
        "schedule_settings",
        "id",
        chosen(
            {
                0: ("enable u8",),
                1: ("start_time u16",),
                2: (
                    *bits(
                        "u8",
                        "cycle_settings_execution_day_sun",
                        "cycle_settings_execution_day_mon",
                        "cycle_settings_execution_day_tues",
                        "cycle_settings_execution_day_wed",
                        "cycle_settings_execution_day_thur",
                        "cycle_settings_execution_day_fri",
                        "cycle_settings_execution_day_sat",
                        rest="cycle_settings_reserved",
                    ),
                ),
                3: ("temperature_control_mode u8",),
                4: ("target_temperature i16 /100 Cel",),
                5: ("target_valve_status u8 %",),
                6: ("pre_heating_enable u8",),
                7: ("pre_heating_mode u8",),
                8: ("pre_heating_manual_time u16",),
                9: ("report_cycle u16",),
            }
        ),
    ),
    "6f": row("change_report_enable u8"),
    "70": under("motor_controllable_range", "enable u8", "distance u16 /100 mm"),
    "57": done("query_motor_stroke_position"),
    "58": done("calibrate_motor"),
    "59": under("set_target_valve_opening_degree", "value u8 %"),
    "5a": under("set_target_temperature", "value i16 /100 Cel"),
    "5b": under("set_temperature", "value i16 /100 Cel"),
    "5c": under("set_occupancy_state", "state u8"),
    "5d": under("set_opening_window", "state u8"),
    "5e": under("delete_schedule", "type u8"),
}
"""By type."""


_ROOM: Final = "environment_temperature i16 /100 Cel"
_TARGET: Final = "target_temperature i16 /100 Cel"
_VALVE: Final = "current_valve_status u8 %"
_LEVEL: Final = "battery_level u8 %"
_OPENING: Final = "target_valve_opening u8 %"
_NOW: Final = "current_valve_opening u8 %"
_STATE: Final = "state u8"
_DEGREES: Final = "temperature i16 /100 Cel"
_TOO: Final = {
    _ROOM: "^temperature = /100 Cel",
    _DEGREES: "^temperature = /100 Cel",
    _TARGET: "^target_temperature = /100 Cel",
    _VALVE: "^valve_opening_degree = %",
    _NOW: "^valve_opening_degree = %",
    _OPENING: "^target_valve_opening_degree = %",
    _LEVEL: "^battery = %",
}
"""What the newest decoder gives as the device's own value as well."""


def _too(*lines: str, but: str = "") -> tuple[str, ...]:
    """The lines, each with the device's own value behind it; `but`: one that has none."""
    return tuple(part for line in lines for part in (line, "" if line == but else _TOO.get(line, "")) if part)


def _reports(is_newest: bool) -> Channels:
    """What it reports; the first decoder has the device's own values of few reports."""
    told = _too if is_newest else lambda *lines: lines
    frost, forced = told(_ROOM, _VALVE), told(_ROOM, _VALVE, _LEVEL)
    opened = told(_STATE, _ROOM)
    return {
        "08": row("low_battery_alarm_value u8 %", *(("battery = %",) if is_newest else ())),
        "09": cases(
            "temperature_alarm",
            "type",
            {
                0x10: ("lower_range_alarm_deactivation", told(_DEGREES)),
                0x11: ("lower_range_alarm_trigger", told(_DEGREES)),
                0x12: ("over_range_alarm_deactivation", told(_DEGREES)),
                0x13: ("over_range_alarm_trigger", told(_DEGREES)),
            },
        ),
        "0a": cases("anti_freeze_protection_alarm", "type", {0x20: ("lifted", frost), 0x21: ("trigger", frost)}),
        "0b": cases("mandatory_heating_alarm", "type", {0x20: ("exit", forced), 0x21: ("enter", forced)}),
        "0d": cases("window_opening_alarm", "type", {0x20: ("release", opened), 0x21: ("trigger", opened)}),
        "0e": cases(
            "periodic_reporting",
            "report_type",
            {
                0: ("non_heating_season", told(_OPENING, _LEVEL)),
                1: ("target_temperature_for_heating", told(_ROOM, _NOW, _TARGET, _LEVEL)),
                2: ("target_valve_opening_for_heating", told(_ROOM, _NOW, _OPENING, _LEVEL)),
                3: ("integrated_control_for_heating", told(_ROOM, _NOW, _TARGET, _OPENING, _LEVEL)),
            },
        ),
    }


FIRST: Final = _reports(is_newest=False)
"""With the names of the vendor's first decoder, as far as they differ."""
WT102: Final[Channels] = {
    **ABOUT,
    **SETTINGS,
    **_reports(is_newest=True),
    "b5": done("collect_data"),
    "b6": done("reconnect"),
    "be": done("reboot"),
    "cf": row("none skip1", named("lorawan_class u8", CLASS)),
    "00": row("battery u8 %"),
    "01": row("temperature i16 /100 Cel"),
    "02": row("motor_total_stroke u16"),
    "03": row("motor_position u16"),
    "04": row("valve_opening_degree u8 %"),
    "05": row("motor_calibration_result_report_status u8"),
    "06": row("target_temperature i16 /100 Cel"),
    "07": row("target_valve_opening_degree u8 %"),
    "0c": cases(
        "auto_away_report",
        "event_type",
        {
            0x20: ("inactive_by_target_temperature", _too(_STATE, _ROOM, _TARGET)),
            0x21: ("active_by_target_temperature", _too(_STATE, _ROOM, _TARGET, but=_TARGET)),
            0x22: ("inactive_by_target_valve_opening", _too(_STATE, _ROOM, _OPENING)),
            0x23: ("active_by_target_valve_opening", _too(_STATE, _ROOM, _OPENING, but=_OPENING)),
        },
    ),
}
