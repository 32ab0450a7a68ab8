"""Milesight: settings of the panel WT401. Shape: milesight_settings.py, source: milesight.py.

Numbers stay numbers as in the vendor's decoder, which names their meaning in comments only.
"""

from typing import Final

from torhaus.codecs.payload.milesight_channels import Channels, row
from torhaus.codecs.payload.milesight_packets import done
from torhaus.codecs.payload.milesight_settings import (
    SUMMER_TIME,
    answer,
    bits,
    chosen,
    counted_text,
    listed,
    timed,
    under,
)

SETTINGS: Final[Channels] = {
    "b6": done("reconnect"),
    "be": done("reboot"),
    "c6": SUMMER_TIME,
    "ef": answer,
    "cf": under("lorawan_configuration_settings", chosen({0: ("mode u8",)})),
    "d5": counted_text("ble_phone_name"),
    "60": timed("collection_interval"),
    "8d": row("communication_mode u8"),
    "61": under(
        "reporting_interval",
        chosen({0: (timed("ble"),), 1: (timed("lora"),), 2: (timed("ble_lora"),), 3: (timed("power_lora"),)}),
    ),
    "6c": under(
        "communicate_interval",
        chosen({0: (timed("ble"),), 1: (timed("lora"),), 2: (timed("ble_lora"),), 3: (timed("power_bus"),)}),
    ),
    "63": row("temperature_unit u8"),
    "7d": row("data_sync_to_peer u8"),
    "7e": row("data_sync_timeout u8"),
    "85": row("ble_enable u8"),
    "8b": row("ble_name text32"),
    "67": row("system_status u8"),
    "64": under("mode_enable", "heat u8 0:1", "em_heat = 1:1", "cool = 2:1", "auto = 3:1", "reserved = 6:2"),
    "88": under("fan_enable", *bits("u8", "auto", "circul", "on", "low", "medium", "high")),
    "68": under("temperature_control_mode", chosen({0: ("mode u8",), 1: ("plan_mode_enable u8",)})),
    "65": row("target_temperature_mode u8"),
    "66": row("target_temperature_resolution u8"),
    "69": under(
        "target_temperature_settings",
        chosen(
            {
                0: ("heat i16 /100 Cel",),
                1: ("em_heat i16 /100 Cel",),
                2: ("cool i16 /100 Cel",),
                3: ("auto i16 /100 Cel",),
                4: ("auto_heat i16 /100 Cel",),
                5: ("auto_cool i16 /100 Cel",),
            }
        ),
    ),
    "6a": row("minimum_dead_zone u16 /100 K"),
    "6b": under(
        "target_temperature_range",
        chosen(
            {
                0: ("heat_min i16 /100 Cel", "heat_max i16 /100 Cel"),
                1: ("em_heat_min i16 /100 Cel", "em_heat_max i16 /100 Cel"),
                2: ("cool_min i16 /100 Cel", "cool_max i16 /100 Cel"),
                3: ("auto_min i16 /100 Cel", "auto_max i16 /100 Cel"),
            }
        ),
    ),
    "74": row("fan_control_mode u8"),
    "82": under(
        "pir_common",
        chosen({1: ("enable u8",), 2: ("release_time u16",), 3: ("mode u8",), 4: ("check_period u8", "check_rate u8")}),
    ),
    "83": under("pir_energy", chosen({1: ("enable u8",), 2: ("plan_occupied u8", "plan_unoccupied u8")})),
    "84": under(
        "pir_night",
        chosen(
            {
                1: ("enable u8",),
                4: ("night_time_start u16", "night_time_stop u16"),
                5: ("occupied u8",),
                2: ("mode u8",),
                3: ("check_period u8", "check_rate u8"),
            }
        ),
    ),
    "75": under("screen_display_settings", *bits("u8", "plan_name", "ambient_temp", "ambient_humi", "target_temp")),
    "71": under(
        "button_custom_function", chosen({0: ("enable i8",), 1: ("mode1 u8",), 2: ("mode2 u8",), 3: ("mode3 u8",)})
    ),
    "72": under(
        "children_lock_settings",
        "enable u8",
        *bits(
            "u16",
            "temp_up",
            "temp_down",
            "system_on_off",
            "fan_mode",
            "temperature_control_mode",
            "reboot_reset",
            "power_on_off",
            "cancel_pair",
            "plan_switch",
            "status_report",
            "filter_clean_alarm_release",
            "button1_event",
            "button2_event",
            "button3_event",
            "temperature_unit_switch",
        ),
    ),
    "81": under("unlock_button", "enable u8", "timeout u16"),
    "80": under(
        "unlock_combination_button_settings", *bits("u8", "button1", "button2", "button3", "button4", "button5")
    ),
    "62": row("intelligent_display_enable u8"),
    "76": under("temperature_calibration_settings", "enable u8", "calibration_value i16 /100 K"),
    "77": under("humidity_calibration_settings", "enable u8", "calibration_value i16 /10 %"),
    "7b": listed(
        "schedule_settings",
        "id",
        chosen(
            {
                0: ("enable u8",),
                1: ("name_first text6",),
                2: ("name_last text4",),
                3: (
                    "content1_tstat_mode u8",
                    "content1_heat_target_temperature i16 /100 Cel",
                    "content1_em_heat_target_temperature i16 /100 Cel",
                    "content1_cool_target_temperature i16 /100 Cel",
                ),
                4: (
                    "content2_fan_mode u8",
                    "content2_auto_target_temperature i16 /100 Cel",
                    "content2_auto_heat_target_temperature i16 /100 Cel",
                    "content2_auto_cool_target_temperature i16 /100 Cel",
                ),
            }
        ),
    ),
    "59": under(
        "system_status_control", "on_off u8", "mode u8", "temperature1 i16 /100 Cel", "temperature2 i16 /100 Cel"
    ),
    "86": row("origin_temperature i16 /100 Cel"),
    "87": row("origin_humidity u16 /10 %"),
    "5c": under("insert_temporary_plan", "id u8"),
    "55": under("fan_error_alarm", "mode u8"),
    "5b": under("filter_clean_alarm", "mode u8"),
    "57": under("frost_protection_alarm", "mode u8"),
    "5a": under("open_window_alarm", "mode u8"),
    "58": under("not_wired_alarm", "mode u8"),
    "5f": under("delete_task_plan", "type u8"),
}
"""By type."""
