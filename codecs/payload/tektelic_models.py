"""Tektelic: the channels of each model. Source and shape: tektelic.py."""

from collections.abc import Mapping
from typing import Final

from torhaus.codecs.layout.compact import field, row
from torhaus.codecs.layout.field import Step
from torhaus.codecs.payload.tektelic_current import AGRO, TUNDRA

Channels = Mapping[str, tuple[Step, ...]]


def _axes(prefix: str, tail: str = "") -> tuple[Step, ...]:
    return row(*(f"{prefix}_{axis}{tail} i16 /1000 .3 [g]" for axis in "xyz"))


def _cell(prefix: str, level: str) -> tuple[Step, ...]:
    """A battery's voltage in steps of 10 mV above 2.5 V, and whether its end is near."""
    return row(f"{prefix}_{level} u8 0:7 /100 +2.5 .2 V", f"{prefix}_eos_alert = 7:1")


_TEMPERATURE: Final = row("ambient_temperature i16 /10 Cel")
_MCU: Final = row("mcu_temperature i16 /10 Cel")
_HUMIDITY: Final = row("relative_humidity u8 /2 %")
_BATTERY: Final = row("battery_voltage i16 /100 V")
_SMART_ROOM: Final[Channels] = {
    "00 ff": _BATTERY,
    "01 00": row("reed_state u8"),
    "02 00": row("light_detected u8"),
    "03 67": _TEMPERATURE,
    "04 68": _HUMIDITY,
    "05 02": row("acceleration_magnitude i16 /1000 [g]"),
    "07 71": _axes("acceleration"),
    "08 04": row("reed_count u16"),
    "09 00": row("moisture u8"),
    "0a 00": row("motion_event_state u8"),
    "0b 67": _MCU,
    "0c 00": row("impact_alarm u8"),
    "0d 04": row("motion_event_count u16"),
    "0e 00": row("external_connector_state u8"),
    "0f 04": row("external_connector_count u16"),
    "10 02": row("light_intensity u8"),
    "11 02": row("external_connector_analog_mv i16 /1000 V"),
}
_TRACKER: Final[Channels] = {
    "00 ba": _cell("battery_status", "battery_life"),
    "00 00": row("accel_alarm_status u8"),
    "00 67": row("temperature i16 /10 Cel"),
    "04 68": _HUMIDITY,
    "00 71": _axes("acceleration"),
}
_POSITION: Final = row(
    "sensor_data_coordinates_latitude i24 *0.0000125 .6 deg", "sensor_data_coordinates_longitude i32 /10000000 .7 deg",
    "sensor_data_coordinates_altitude i16 /2 m",
)  # fmt: skip
_CLOCK: Final = row(
    "sensor_data_utc_year u16", *(f"sensor_data_utc_{part} u8" for part in ("month", "day", "hour", "minute", "second"))
)
_FENCES: Final = row(
    "sensor_data_geofence_status_num0 u8 0:2", *(f"sensor_data_geofence_status_num{n} = {2 * n}:2" for n in (1, 2, 3))
)
_TRANSCEIVER: Final[Channels] = {
    "00 ff": _BATTERY,
    "01 01": row("change_output_states_output1 u8"),
    "02 01": row("change_output_states_output2 u8"),
    "03 67": row("temperature i16 /10 Cel"),
    "04 68": _HUMIDITY,
    "05 00": row("input_1 u8"),
    "06 02": row("input_2 u16 /1000000 A"),
    "07 02": row("input_3 u16 /1000 V"),
    "08 04": row("input_1_count u16"),
    "09 67": _MCU,
}
TABLES: Final[dict[str, Channels]] = {
    "agro": AGRO,
    "tundra": TUNDRA,
    "smart-room-sensor": _SMART_ROOM,
    "smart-room-sensor-pir-base": {
        **_SMART_ROOM,
        "05 02": row("impact_magnitude u16 /1000 [g]"),
        "07 71": _axes("acceleration", "axis"),
        "0e 00": row("extconnector_state u8"),
        "0f 04": row("extconnector_count u16"),
        "11 02": row("extconnector_analog u16 /1000 V"),
    },
    "smart-room-sensor-co2": {
        "00 ba": row("battery_voltage u16 /1000 V"),
        "00 d3": row("remaining_battery_capacity u8 %"),
        "11 d3": row("remaining_display_battery_capacity u8 %"),
        "0b e4": row("co2_concentration_filtered u16 [ppm]"),
        "0e e4": row("co2_concentration_raw u16 [ppm]"),
        "0c 73": row("atmospheric_pressure u16 /10 hPa"),
        "0a 00": row("motion_event_state u8"),
        "0d 04": row("motion_event_count u16"),
        "03 67": _TEMPERATURE,
        "04 68": _HUMIDITY,
    },
    "agriculture-sensor": {
        "00 ba": _cell("battery_status", "level"),
        "01 04": row("input1_frequency u16 Hz"),
        **{f"0{n} 02": row(f"input{n}_voltage u16 mV") for n in (2, 3, 4)},
        **{f"0{n} 04": row(f"input{n}_frequency u16 Hz") for n in (5, 6)},
        "09 65": row("light_intensity u16 lx"),
        "09 00": row("light_alarm u8"),
        "0a 71": _axes("accelerometer_data"),
        "0a 00": row("orientation_alarm i8"),
        "0b 67": _TEMPERATURE,
        "0b 68": _HUMIDITY,
        "0c 67": _MCU,
    },
    "tundra-sensor": {
        "00 ff": row("battery i16 /100 V"),
        "0b 67": _MCU,
        "03 67": _TEMPERATURE,
        "04 68": _HUMIDITY,
        "0e 00": row("external_probe_reed_switch_state u8"),
        "0f 04": row("external_probe_reed_switch_count u16"),
        "11 02": row("external_probe_thermistor_analog_input i16 /1000 V"),
    },
    "industrial-trans": {
        **_TRANSCEIVER,
        "01 01": row("output1 u8"),
        "02 01": row("output2 u8"),
        "05 00": row(field("input_1 u8", {0: "False", 1: "True"}, otherwise="Invalid")),
    },
    "industrial-transceiver": _TRANSCEIVER,
    "orca-industrial-gps-asset-tracker": {
        "01 ba": _cell("sensor_data_battery1_status", "voltage"),
        "02 ba": _cell("sensor_data_battery2_status", "voltage"),
        "00 85": _CLOCK,
        "00 88": _POSITION,
        "00 92": row("sensor_data_ground_speed u16 /10 km/h"),
        "00 04": row("sensor_data_fsm_state u8"),
        "00 95": row("sensor_data_fix_status_utc u8 0:1", "sensor_data_fix_status_position = 1:1"),
        "01 95": _FENCES,
        "00 00": row("sensor_data_acceleration_alarm u8"),
        "00 71": row(*(f"sensor_data_acceleration_vector_{axis}axis i16 /1000 [g]" for axis in "zyx")),
        "00 67": row("sensor_data_temperature i16 /10 Cel"),
    },
    "sparrow-enterprise-asset-tracker": _TRACKER,
    "stork": {
        "00 d3": row("rem_battery_capacity u8 %"),
        "00 bd": row("rem_batt_days u16 d"),
        "00 95": row(
            "geolocation_cycle_failed_gnss u8 0:2", "geolocation_cycle_failed_wi_fi = 2:1",
            "geolocation_cycle_failed_ble = 3:1", "geolocation_cycle_failed_duty_cycle_drop = 4:1",
        ),
        "00 71": _axes("acceleration_vector", "axis"),
        "00 00": row("acceleration_alarm u8"),
        "03 67": row("temperature i16 /10 Cel"),
        "04 68": _HUMIDITY,
    },
    "ac-outlet-switch": {
        "00 fe": row("energy_consumption_meter_elapsed_time u32 s", "energy_consumption_meter_energy_consumed i32 W.h"),
        "00 00": row("energy_consumption_meter_status u8"),
        "00 74": row("rms_voltage u16 /10 V"),
        "00 75": row("rms_current u16 /10 A"),
        "00 76": row("line_frequency u16 /10 Hz"),
        "00 80": row("real_power i16 /10 W"),
        "01 80": row("apparent_power u16 /10 VA"),
        "02 80": row("reactive_power u16 /10 var"),
        "00 81": row("power_factor u8 /100"),
        "00 01": row("sensor_state_relay_closed u8"),
    },
    "ebeat": {
        "00 ff": _BATTERY,
        "01 00": row("reed_state u8"),
        "08 04": row("reed_count u16"),
        "0c 00": row("impact_alarm u8"),
        "05 02": row("accel_magnitude i16 /1000 [g]"),
        "07 71": _axes("acceleration"),
        "11 02": row("thermistor_temperature i16 /1000 V"),
        "0b 67": _MCU,
        "03 67": row("onboard_temperature i16 /10 Cel"),
        "04 68": _HUMIDITY,
    },
}  # fmt: skip
CYCLE: Final[Channels] = {"20": row("seconds_per_core_tick u32 s"), "21": row("ticks_per_battery u16")}
"""Settings that all models share: how long a tick is, and after how many the battery is reported."""
