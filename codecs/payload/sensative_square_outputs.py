"""Sensative Squares and Pucks: what each application's outputs are. Source and shape: sensative_square.py."""

from collections.abc import Mapping
from typing import Final, NamedTuple


class Output(NamedTuple):
    """One output or setting: its value is the number divided by `divide`."""

    name: str
    divide: int
    unit: str | None


Outputs = Mapping[int, Output]


def _outputs(*lines: str) -> Outputs:
    """Lines of: number, name, divisor, unit if there is one."""
    found: dict[int, Output] = {}
    for line in lines:
        number, name, divide, *unit = line.split()
        found[int(number)] = Output(name, int(divide), unit[0] if unit else None)
    return found


_CLIMATE: Final = (
    "128 temp_alarm 1",
    "144 average_humidity 100 %",
    "161 battery_percent 1 %",
    "162 average_temp_interval_minutes 1 min",
    "163 temp_alarm_low_level 1 Cel",
    "164 temp_alarm_high_level 1 Cel",
    "165 average_humidity_interval_minutes 1 min",
    "176 temp 100 Cel",
    "177 average_temp 100 Cel",
    "178 temp_hysteresis 100 K",
    "179 humidity 100 %",
    "180 humidity_treshold 100 %",
)
_ROAMING: Final = "160 roam_network_count 1"
_LIGHT: Final = (
    "145 average_lux 1 lx",
    "166 average_lux_interval_minutes 1 min",
    "181 lux 1 lx",
    "182 lux_treshold_percent 1 %",
)
_TRACKER: Final = (
    "128 temp_alarm 1",
    "160 average_temp_interval_hours 1 h",
    "161 temp_alarm_low_level 1 Cel",
    "162 temp_alarm_high_level 1 Cel",
    "163 roam_network_count 1",
    "164 quarterly_scan_budget 1",
    "165 single_wifi_scan_again_minutes 1 min",
    "166 minimum_wifi_count 1",
    "167 minimum_gnss_count 1",
    "168 full_wifi_scan_minutes 1 min",
    "169 gps_scan_minutes 1 min",
    "170 motion_count_enabled 1",
    "171 motion_time_enabled 1",
    "172 gnss_mode 1",
    "173 back_upwifi_gnss_scan_minutes 1 min",
    "174 battery_percent 1 %",
    "176 temp 100 Cel",
    "177 average_temp 100 Cel",
    "178 temp_hysteresis 100 K",
    "179 still_motion_threshold_mm_s2 1 mm/s2",
    "180 moving_motion_threshold_mm_s2 1 mm/s2",
    "181 max_budget 1",
    "182 quick_rejoin_budget_max 1",
    "184 limited_scan_channels 1",
    "185 full_scan_channels 1",
    "186 motion_count 1",
    "187 motion_time_minutes 1 min",
    "188 moving_scan_interval_minutes 1 min",
    "189 stationary_scan_interval_minutes 1 min",
)
OUTPUTS: Final[dict[str, Outputs]] = {
    "puck-radar": _outputs(
        _ROAMING,
        "128 occupied 1",
        "129 average_distance_alarm 1",
        "144 amplitude 1",
        "145 distance 100 m",
        "146 distance_average 100 m",
        "152 nfc_contact_count 1",
        "161 distance_hysteresis 100 m",
        "176 amplitude_hysteresis 1",
        "177 average_distance_interval_minutes 1 min",
        "178 average_distance_low_alarm_level 100 m",
        "179 average_distance_high_alarm_level 100 m",
        "180 radar_voltage_v 1000 V",
    ),
    "square-air": _outputs(
        *_CLIMATE,
        *_LIGHT,
        _ROAMING,
        "129 air_iaq_alarm 1",
        "167 air_run_in_status 1",
        "168 air_stab_status 1",
        "169 air_iaq_accuracy 1",
        "170 air_interval_minutes 1 min",
        "184 air_iaq 1",
        "185 air_co2 1 [ppm]",
        "186 air_pressure 100 hPa",
        "187 air_breath_voc_equivalent 100 [ppm]",
        "188 air_static_iaq 1",
        "189 air_static_iaq_alarm_level 1",
        "190 air_iaq_alarm_level 1",
    ),
    "square-comfort": _outputs(*_CLIMATE, *_LIGHT, _ROAMING),
    "square-sound": _outputs(
        *_CLIMATE,
        _ROAMING,
        "129 sound_alarm 1",
        "166 sound_threshold 1 dB[SPL]",
        "167 sound_min_level 1 dB[SPL]",
        "168 sound_avg_minutes 1 min",
        "169 sound_alarm_timeout_minutes 1 min",
        "181 sound_level 10 dB[SPL]",
        "184 sound_avg_max 10 dB[SPL]",
    ),
    **dict.fromkeys(("square-tracker", "square-tracker-xtreme"), _outputs(*_TRACKER)),
}
APPLICATIONS: Final = {
    561898260: "Puck-radar",
    2029355788: "Tracker",
    2266505222: "Square-comfort",
    3241343967: "Square-air",
    3437792987: "Square-sound",
}
"""Checksum of an application's rules to its name."""
