"""Milesight: thermostats of which the published decoders give temperatures in Celsius and Fahrenheit as well.

Beside `target_temperature` stand `fahrenheit_target_temperature` and `celsius_target_temperature`, rounded as the
decoder rounds them; in a group the unit stands before the last part of the name. Source: as milesight.py. A difference
of temperatures is no temperature: 1 K is 1.8 degrees Fahrenheit, not 33.8 as some of the decoders have it.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from torhaus.codecs.layout.field import rounded
from torhaus.codecs.model import Fields, Value
from torhaus.codecs.payload.milesight_fan_coils import ALARMS
from torhaus.codecs.payload.milesight_packets import MAX_NAME


class Double(NamedTuple):
    """Names of the two beside a temperature, and their decimals. `zero`: 32 of a temperature, 0 of a difference."""

    fahrenheit: str
    celsius: str
    decimals: int
    zero: int


def _double(path: str, decimals: int, zero: int) -> tuple[str, Double]:
    group, _, name = path.rpartition(".")
    prefix = f"{group}." if group else ""
    flat = [f"{prefix}{unit}{name}".replace(".", "_")[:MAX_NAME] for unit in ("", "fahrenheit_", "celsius_")]
    return flat[0], Double(flat[1], flat[2], decimals, zero)


def _doubles(zero: int, decimals: int, *paths: str) -> dict[str, Double]:
    return dict(_double(path, decimals, zero) for path in paths)


def add_doubles(doubles: Mapping[str, Double], fields: Fields) -> None:
    """Puts both units beside each temperature that has them."""
    for name in [name for name in fields if name in doubles]:
        fahrenheit, celsius, decimals, zero = doubles[name]
        value = fields[name].value
        if isinstance(value, int | float):
            fields[fahrenheit] = Value(rounded(value * 1.8 + zero, decimals), "[degF]")
            fields[celsius] = Value(rounded(value, decimals), "Cel" if zero else "K")


_SETPOINTS: Final = ("occupied_cooling", "occupied_heating", "unoccupied_cooling", "unoccupied_heating", "cooling", "heating")  # fmt: skip  # noqa: E501
_MODES: Final = ("heat", "em_heat", "cool", "auto", "auto_heat", "auto_cool")
_WT211: Final = {
    **_doubles(32, 1, "ambient_temperature", "center_cool_temp", "center_heat_temp"),
    **_doubles(32, 1, *(f"{which}_setpoint" for which in _SETPOINTS)),
    **_doubles(0, 1, *(f"{which}_setpoint_tolerance" for which in _SETPOINTS)),
    **_doubles(0, 1, "temperature_control_delta1", "temperature_control_delta2", "target_deadband"),
    **_doubles(0, 1, "cooling_adjust_tolerance", "heating_adjust_tolerance"),
}
_WT102: Final = {
    **_doubles(32, 2, "temperature"),
    **_doubles(
        32,
        1,
        "target_temperature",
        *(
            f"temperature_alarm.{limit}_range_alarm_{what}.temperature"
            for limit in ("lower", "over")
            for what in ("deactivation", "trigger")
        ),
        *(f"anti_freeze_protection_alarm.{what}.environment_temperature" for what in ("lifted", "trigger")),
        *(f"mandatory_heating_alarm.{what}.environment_temperature" for what in ("exit", "enter")),
        *(f"window_opening_alarm.{what}.environment_temperature" for what in ("release", "trigger")),
        *(
            f"auto_away_report.{is_on}active_by_target_{what}"
            for is_on in ("", "in")
            for what in (
                "temperature.environment_temperature",
                "temperature.target_temperature",
                "valve_opening.environment_temperature",
            )
        ),
        *(
            f"periodic_reporting.{what}_for_heating.environment_temperature"
            for what in ("target_temperature", "target_valve_opening", "integrated_control")
        ),
        "periodic_reporting.target_temperature_for_heating.target_temperature",
        "periodic_reporting.integrated_control_for_heating.target_temperature",
        "temp_control.target_temperature_adjustment_range_min",
        "temp_control.target_temperature_adjustment_range_max",
        "temp_control.mode_settings.auto_control.target_temperature",
        "temp_control.mode_settings.intergrated_control.target_temp",
        "auto_away_settings.energy_saving_settings.energy_saving_temperature",
        "anti_freeze_protection_setting.temperature_value",
        "temperature_alarm_settings.threshold_min",
        "temperature_alarm_settings.threshold_max",
        *(f"schedule_settings.{n}.target_temperature" for n in range(16)),
        "set_target_temperature.value",
        "set_temperature.value",
    ),
    **_doubles(
        0,
        1,
        "temp_control.under_temperature_side_deadband",
        "temp_control.over_temperature_side_deadband",
        "window_opening_detection_settings.cooling_rate",
        "temperature_calibration_settings.calibration_value",
    ),
}
_WT401: Final = {
    **_doubles(32, 1, "temperature", "target_temperature1", "target_temperature2", "origin_temperature"),
    **_doubles(
        32,
        1,
        *(f"target_temperature_range.{mode}.{end}" for mode in _MODES[:4] for end in ("min", "max")),
        *(
            f"schedule_settings.{n}.content{1 if k < 3 else 2}.{mode}_target_temperature"
            for n in range(16)
            for k, mode in enumerate(_MODES)
        ),
    ),
    **_doubles(32, 0, *(f"target_temperature_settings.{mode}" for mode in _MODES)),
    **_doubles(0, 1, "minimum_dead_zone"),
    **_doubles(0, 2, "temperature_calibration_settings.calibration_value"),
}
_FAN_COILS: Final = {
    **_doubles(
        32,
        2,
        "temperature",
        "target_temperature",
        *(f"temperature_alarm.{alarm}.temperature" for alarm in ALARMS.values()),
        *(f"{which}_target_temperature" for which in ("heating", "cooling")),
        *(f"{which}_target_temperature_range.{end}" for which in ("heating", "cooling") for end in ("min", "max")),
        "temperature_alarm_settings.threshold_min",
        "temperature_alarm_settings.threshold_max",
        *(f"schedule_settings.{n}.content.{which}_target_temperature" for n in range(16) for which in ("heat", "cool")),
        "freeze_protection_settings.target_temperature",
        "send_temperature.temperature",
    ),
    **_doubles(
        0,
        2,
        "target_temperature_tolerance",
        "temperature_control_dehumidification.temperature_tolerance",
        "fan_auto_mode_temperature_range.speed_range_1",
        "fan_auto_mode_temperature_range.speed_range_2",
        "temperature_calibration_settings.calibration_value",
        "high_temperature_alarm_settings.difference_in_temperature",
        "low_temperature_alarm_settings.difference_in_temperature",
        *(f"schedule_settings.{n}.content.temperature_tolerance" for n in range(16)),
        "window_opening_detection_settings.temperature_detection.difference_in_temperature",
    ),
}
DOUBLES: Final[dict[str, Mapping[str, Double]]] = {
    **dict.fromkeys(("wt211", "wt201-v3"), _WT211),
    "wt102": _WT102,
    "wt303-v2": _FAN_COILS,
    "wt304-v2": {**_FAN_COILS, **_doubles(0, 2, "valve_control_settings.control_adjustment_range")},
    "wt401": _WT401,
}
"""Model to the names of its temperatures that are given in both units."""
