"""Milesight: the fan coil thermostats WT303 and WT304 as their newest decoder names them. Source: milesight.py.

Shape: milesight_settings.py. Numbers stay numbers as in that decoder, which names their meaning in comments only; the
words of the decoder before have `milesight:wt303` and `milesight:wt304`.
"""

from typing import Final

from torhaus.codecs.payload.milesight_channels import Channels, row
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

_ALARMS: Final = {
    0x10: "lower_range_alarm", 0x12: "over_range_alarm", 0x14: "within_range_alarm", 0x16: "exceed_range_alarm",
    0x20: "persistent_low_temperature_alarm", 0x22: "persistent_high_alarm", 0x30: "anti_freeze_protection",
    0x32: "window_status_detection",
}  # fmt: skip
"""The number of each alarm's end; its begin has the next."""
ALARMS: Final = {
    number + begun: f"{alarm}_{'trigger' if begun else 'deactivation'}"
    for number, alarm in _ALARMS.items()
    for begun in (0, 1)
}
_DEGREES: Final = ("temperature i16 /100 Cel", "^temperature = /100 Cel")
_CYCLE: Final = (
    "enable u8",
    "execution_time_point u16 min",
    *bits("u8", *(f"execution_day_{day}" for day in ("sun", "mon", "tues", "wed", "thu", "fri", "sat"))),
)
_BOTH: Final[Channels] = {
    **ABOUT,
    "01": row("temperature i16 /100 Cel"),
    "02": row("humidity u16 /10 %"),
    "09": cases("temperature_alarm", "type", {number: (alarm, _DEGREES) for number, alarm in ALARMS.items()}),
    "0a": row("humidity_alarm_type u8"),
    "0b": row("target_temperature_alarm_type u8"),
    "5b": row("send_temperature_temperature i16 /100 Cel"),
    "5c": row("send_humidity_humidity u16 /10 %"),
    "5d": row("update_open_windows_state_type u8"),
    "5e": row("insert_schedule_type u8"),
    "5f": row("delete_schedule_type u8"),
    "b6": done("reconnect"),
    "be": done("reboot"),
    "c5": STORAGE,
    "c6": SUMMER_TIME,
    "cf": under("lorawan_configuration_settings", chosen({0: ("mode u8",)})),
    "ef": answer,
    "03": row("target_temperature i16 /100 Cel"),
    "04": row("data_source u8"),
    "05": under("temperature_control_info", "mode u8 4:4", "status = 0:4"),
    "06": row("temperature_control_valve_status u8 %"),
    "07": under("fan_control_info", "mode u8 4:4", "status = 0:4"),
    "08": row("execution_plan_id u8"),
    "10": under(
        "relay_status", *bits("u32", "low_status", "mid_status", "high_status", "valve_1_status", "valve_2_status")
    ),
    "60": timed("collection_interval"),
    "62": timed("reporting_interval"),
    "c4": row("auto_p_enable u8"),
    "90": row("relay_changes_report_enable u8"),
    "63": row("temperature_unit u8"),
    "85": under(
        "temperature_source",
        chosen(
            {
                0: (),
                1: (),
                2: ("lorawan_reception_timeout u8", "lorawan_reception_timeout_response u8"),
                3: ("d2d_reception_timeout u8", "d2d_reception_timeout_response u8"),
            },
            kind="type",
        ),
    ),
    "67": row("system_status u8"),
    "64": row("mode_enable u8"),
    "68": row("temperature_control_mode u8"),
    "69": row("target_temperature_resolution u8"),
    "6b": row("heating_target_temperature i16 /100 Cel"),
    "6c": row("cooling_target_temperature i16 /100 Cel"),
    "6a": row("target_temperature_tolerance i16 /100 K"),
    "6d": under("heating_target_temperature_range", "min i16 /100 Cel", "max i16 /100 Cel"),
    "6e": under("cooling_target_temperature_range", "min i16 /100 Cel", "max i16 /100 Cel"),
    "70": under("target_humidity_range", "min u16 /10 %", "max u16 /10 %"),
    "6f": under("temperature_control_dehumidification", "enable u8", "temperature_tolerance i16 /100 K"),
    "72": row("fan_control_mode u8"),
    "74": under("fan_delay_close", "enable u8", "time u16"),
    "73": under("fan_auto_mode_temperature_range", "speed_range_1 i16 /100 K", "speed_range_2 i16 /100 K"),
    "8c": under(
        "timed_system_control",
        chosen(
            {
                0: ("enable u8",),
                1: (
                    listed(
                        "start_cycle_settings",
                        "id",
                        *_CYCLE,
                    ),
                ),
                2: (
                    listed(
                        "end_cycle_settings",
                        "id",
                        *_CYCLE,
                    ),
                ),
            }
        ),
    ),
    "65": row("intelligent_display_enable u8"),
    "66": under(
        "screen_object_settings",
        "enable u8",
        *bits("u8", "environmental_temperature", "environmental_humidity", "target_temperature", "schedule_name"),
    ),
    "75": under(
        "child_lock",
        "enable u8",
        *bits(
            "u8",
            "system_button",
            "temperature_button",
            "fan_button",
            "temperature_control_button",
            "reboot_reset_button",
        ),
    ),
    "8d": under(
        "temporary_unlock_settings",
        "enable u8",
        *bits("u8", "system", "temperature_up", "temperature_down", "fan", "temperature_control"),
        "unlocking_duration u16",
    ),
    "79": under("temperature_calibration_settings", "enable u8", "calibration_value i16 /100 K"),
    "7a": under("humidity_calibration_settings", "enable u8", "calibration_value i16 /10 %"),
    "76": under(
        "temperature_alarm_settings",
        "enable u8",
        "threshold_condition u8",
        "threshold_min i16 /100 Cel",
        "threshold_max i16 /100 Cel",
    ),
    "77": under("high_temperature_alarm_settings", "enable u8", "difference_in_temperature i16 /100 K", "duration u8"),
    "78": under("low_temperature_alarm_settings", "enable u8", "difference_in_temperature i16 /100 K", "duration u8"),
    "7b": listed(
        "schedule_settings",
        "id",
        chosen(
            {
                0: ("enable u8",),
                1: ("name_first text6",),
                2: ("name_last text4",),
                3: (
                    "content_fan_mode u8",
                    "content_heat_target_temperature_enable u16 0:1",
                    "content_heat_target_temperature = 1:15 /100 Cel",
                    "content_cool_target_temperature_enable u16 0:1",
                    "content_cool_target_temperature = 1:15 /100 Cel",
                    "content_temperature_tolerance_enable u16 0:1",
                    "content_temperature_tolerance = 1:15 /100 K",
                ),
                4: (
                    listed(
                        "cycle_settings",
                        "id",
                        *_CYCLE,
                    ),
                ),
            }
        ),
    ),
    "7c": under(
        "interface_settings",
        chosen(
            {
                0: ("valve_4_pipe_2_wire_cooling u8", "valve_4_pipe_2_wire_heating u8"),
                1: ("valve_2_pipe_2_wire_control u8",),
                2: ("valve_2_pipe_3_wire_no u8", "valve_2_pipe_3_wire_nc u8"),
            },
            kind="object",
        ),
    ),
    "8e": row("fan_stop_enable u8"),
    "80": row("di_enable u8"),
    "81": under(
        "di_settings",
        chosen(
            {
                0: (
                    chosen(
                        {
                            0: ("card_control_system_control_trigger_by_insertion u8",),
                            1: (
                                "card_control_insertion_plan_trigger_by_insertion u8",
                                "card_control_insertion_plan_trigger_by_extraction u8",
                            ),
                        },
                        kind="card_control_type",
                    ),
                ),
                1: ("magnet_detection_magnet_type u8",),
            },
            kind="object",
        ),
    ),
    "82": row("window_opening_detection_enable u8"),
    "83": under(
        "window_opening_detection_settings",
        chosen(
            {
                0: ("temperature_detection_difference_in_temperature i16 /100 K", "temperature_detection_stop_time u8"),
                1: ("magnet_detection_duration u8",),
            },
            kind="type",
        ),
    ),
    "84": under("freeze_protection_settings", "enable u8", "target_temperature i16 /100 Cel"),
    "86": row("d2d_pairing_enable u8"),
    "87": listed(
        "d2d_pairing_settings",
        "index",
        chosen({0: ("enable u8",), 1: ("deveui hex8",), 2: ("name_first text8",), 3: ("name_last text8",)}),
    ),
    "88": row("d2d_master_enable u8"),
    "89": listed(
        "d2d_master_settings",
        "trigger_condition",
        "enable u8",
        "command hex2",
        "uplink u8",
        "control_time_enable u8",
        "control_time u16",
    ),
    "8a": row("d2d_slave_enable u8"),
    "8b": listed("d2d_slave_settings", "index", "enable u8", "command hex2", "value u8"),
}
_VALVES: Final[Channels] = {
    "7c": under(
        "interface_settings",
        chosen(
            {
                0: ("valve_4_pipe_10_v_cooling u8", "valve_4_pipe_10_v_heating u8"),
                1: ("valve_2_pipe_10_v_control u8",),
                2: (
                    "valve_2_pipe_10_v_fan_ec_control u8",
                    "valve_2_pipe_10_v_fan_ec_fan u8",
                    "valve_2_pipe_10_v_fan_ec_fan_power u8",
                ),
                3: (
                    "valve_4_pipe_2_wire_fan_ec_cooling u8",
                    "valve_4_pipe_2_wire_fan_ec_heating u8",
                    "valve_4_pipe_2_wire_fan_ec_fan u8",
                    "valve_4_pipe_2_wire_fan_ec_fan_power u8",
                ),
                4: (
                    "valve_2_pipe_2_wire_fan_ec_control u8",
                    "valve_2_pipe_2_wire_fan_ec_fan u8",
                    "valve_2_pipe_2_wire_fan_ec_fan_power u8",
                ),
                5: (
                    "valve_2_pipe_3_wire_fan_ec_no u8",
                    "valve_2_pipe_3_wire_fan_ec_nc u8",
                    "valve_2_pipe_3_wire_fan_ec_fan u8",
                    "valve_2_pipe_3_wire_fan_ec_fan_power u8",
                ),
            },
            kind="object",
        ),
    ),
    "7d": under(
        "valve_control_settings",
        chosen(
            {
                2: ("control_interval u8",),
                0: ("control_adjustment_range i16 /100 K",),
                1: ("opening_range_min u8 %", "opening_range_max u8 %"),
            }
        ),
    ),
    "7e": under(
        "fan_ec_control_settings",
        chosen({0: ("low_threshold u8",), 1: ("mid_threshold u8",), 2: ("high_threshold u8",)}),
    ),
    "8f": row("valve_output_0v_enable u8"),
}
MODELS: Final[dict[str, Channels]] = {"wt303-v2": _BOTH, "wt304-v2": {**_BOTH, **_VALVES}}
"""Keys of one byte."""
