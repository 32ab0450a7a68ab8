r"""Where single drivers of wmbusmeters take a value from, when its name does not say it, and by which name it is here.

By driver: a regular expression for its names, and one for the field here; `\1` is what the first group found (0 when
nothing). A number behind it says what the value is multiplied by, where the unit is the manufacturer's own and not
known here. Read off the telegrams beside each driver.
"""

import re
from typing import Final

_LANSEN: Final = {"a_counter": "dimensionless", "b_counter": "dimensionless_subunit_1"}
_KAMSTRUP_WATER: Final = {"flow_temperature_c": r"flow_temperature_min_storage_\d"}
_PHASES: Final = {
    r"current_l(\d)_a": r"current_manufacturer_0\1",
    r"voltage_l(\d)_n_v": r"voltage_manufacturer_0\1",
}
_AVERAGES: Final = {
    r"average_temperature_1h_c": "external_temperature_storage_1",
    r"average_temperature_24h_c": "external_temperature_storage_2",
    r"(?:average_)?relative_humidity_1h_rh": "relative_humidity_storage_1",
    r"(?:average_)?relative_humidity_24h_rh": "relative_humidity_storage_2",
}
_KAMSTRUP_HEAT: Final = {
    "forward_energy_m3c": "manufacturer_specific_07", "return_energy_m3c": "manufacturer_specific_08",
    "va_counter": "heat_cost_allocator_manufacturer_07", "vb_counter": "heat_cost_allocator_manufacturer_08",
}  # fmt: skip

_OWN: Final = "manufacturer_specific_"
_IME: Final[dict[str, str]] = {}
_IME.update(
    (f"{way}_{part}{kind}_energy_{unit}", f"{_OWN}{code}_04_{flow}_tariff_{tariff} 0.01")
    for way, flow in (("positive", "3b"), ("negative", "3c"))
    for part, tariff in (("total_", 5), ("tariff1_", 1), ("tariff2_", 2))
    for kind, unit, code in (("active", "kwh", "00"), ("reactive", "kvarh", "01"))
)
_IME.update(
    (f"partial_{way}_{kind}_energy_{unit}", f"{_OWN}{code}_04_{flow}_tariff_6 0.01")
    for way, flow in (("positive", "3b"), ("negative", "3c"))
    for kind, unit, code in (("active", "kwh", "00"), ("reactive", "kvarh", "01"))
)
_IME.update(
    (f"{kind}_power_l{phase}_{unit}", f"{_OWN}{code}_2b_tariff_{7 + phase} 0.001")
    for kind, unit, code in (("active", "kw", "04"), ("reactive", "kvar", "05"), ("apparent", "kva", "06"))
    for phase in (1, 2, 3)
)
_IME.update(
    (f"three_phase_total_{kind}_power_{unit}", f"{_OWN}{code}_2b_tariff_7 0.001")
    for kind, unit, code in (("active", "kw", "04"), ("reactive", "kvar", "05"), ("apparent", "kva", "06"))
)
_IME.update(
    (name, f"{_OWN}{code}_tariff_{7 + phase} {factor}")
    for phase, following in ((1, 2), (2, 3), (3, 1))
    for name, code, factor in (
        (f"voltage_{phase}_n_v", "07_48", 0.1),
        (f"voltage_{phase}_{following}_v", "08_48", 0.1),
        (f"current_l{phase}_a", "09_59", 0.001),
    )
)
_IME.update({
    "frequency_hz": f"{_OWN}0a_48 0.1",
    "three_phase_power_factor": f"{_OWN}0b_28_tariff_7 0.001",
    "total_active_power_requirement_kw": f"{_OWN}0d_2b_tariff_1 0.001",
    r"max_total_active_power_tariff(\d)_kw": _OWN + r"0e_2b_tariff_\1 0.001",
    "run_meter_total_h": f"{_OWN}0f_21_tariff_7 {1 / 60}",
    r"run_meter_tariff(\d)_h": _OWN + rf"0f_21_tariff_\1 {1 / 60}",
    "pulse_input_counter": f"{_OWN}10_29",
})  # fmt: skip

_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip

PLACES: Final[dict[str, dict[str, str]]] = {
    "apatorna1": {"historic_age_h": "age_storage_1"},
    "aquastream": {"total_backwards_m3": "volume_tariff_1"},
    "caltose": {
        "consumption_1": "date_storage_1",
        r"consumption_(\d)_hca": r"heat_cost_allocator_inverse_compact_profile_storage_8_value_\1",
    },
    "ei6500": {
        "last_alarm_date": "date_tariff_1_subunit_1", "alarm_counter": "cumulation_counter_tariff_1_subunit_1",
        "last_remove_date": "date_tariff_2_subunit_1", "removed_counter": "cumulation_counter_tariff_2_subunit_1",
        "duration_removed_h": "tariff_duration_tariff_2_subunit_1",
        "test_button_last_date": "date_tariff_3_subunit_1",
        "test_button_counter": "cumulation_counter_tariff_3_subunit_1",
        "installation_date": "date_tariff_2", "last_sound_check_date": "date_storage_1",
    },
    "elf2": {
        r"input(\d)_volume_m3": r"volume_tariff_\1", "total_energy_cooling_kwh": "energy_subunit_1",
        "total_energy_cooling_period_kwh": "energy_storage_1_subunit_1", "total_volume_cooling_m3": "volume_subunit_1",
    },
    "eltako": {
        **_PHASES,
        r"(?:active_)?power_(?:l(\d)|overall)_kw": r"power_manufacturer_0\1",
        r"reactive_power_(?:l(\d)|overall)_kw": r"power_manufacturer_0\1_subunit_1",
        "total_kwh": "energy_tariff_1", "active_tariff_counter": "manufacturer_specific_13",
        "ct_numerator_counter": "manufacturer_specific_68",
    },
    "esyswm": {r"current_power_consumption_phase(\d)_kw": r"power_manufacturer_0\1"},
    "evo868": {"max_flow_datetime": "time_storage_3", "max_flow_since_datetime_m3h": "volume_flow_max_storage_3"},
    "flowiq2200": _KAMSTRUP_WATER,
    "hydrocalm3": {"total_cooling_kwh": "energy_2", "total_cooling_m3": "volume_2"},
    "hydrocalm4": {
        "total_cooling_kwh": "energy_tariff_1", "total_cooling_m3": "volume_tariff_1",
        r"c(\d)_volume_m3": r"volume_subunit_\1",
    },
    "hydrodigit": {
        "backflow_m3": "volume_backward", "voltage_v": "battery_voltage", "leak_date": "leakage_date",
        **{f"{month}_total_m3": f"volume_end_of_month_storage_{n}" for n, month in enumerate(_MONTHS, 1)},
    },
    "iem3000": {
        **_PHASES,
        "frequency_hz": f"{_OWN}0b 1", "nominal_frequency_hz": f"{_OWN}24 1",
        "total_reactive_energy_consumption_kvarh": "energy_subunit_1 0.001",
        "total_reactive_energy_production_kvarh": "energy_manufacturer_09_subunit_1 0.001",
        "partial_reactive_energy_consumption_kvarh": "energy_manufacturer_0d_subunit_1 0.001",
        "last_input_metering_reset_datetime": "time_manufacturer_0e",
        "last_partial_energy_reset_datetime": "time_manufacturer_0c",
        "active_consumption_kw": "power", r"active_consumption_l(\d)_kw": r"power_manufacturer_0\1",
        "reactive_consumption_kw": "power_subunit_1", "apparent_consumption_kw": "power_subunit_2",
        "current_average_a": "current_manufacturer_00", "voltage_average_ll_v": "voltage_manufacturer_08",
        "voltage_average_ln_v": "voltage_manufacturer_04", "voltage_l1_l2_v": "voltage_manufacturer_05",
        "voltage_l2_l3_v": "voltage_manufacturer_06", "voltage_l3_l1_v": "voltage_manufacturer_07",
        "power_factor": "manufacturer_specific_0a", "partial_energy_consumption_kwh": "energy_manufacturer_0d",
        r"total_energy_consumption_l(\d)_kwh": r"energy_manufacturer_0\1",
        "total_energy_production_kwh": "energy_manufacturer_09", "phases_counter": "manufacturer_specific_21",
        "wires_nr": "manufacturer_specific_22", "pulse_constant_counter": "manufacturer_specific_2f",
        "pickup_setpoint_counter": "manufacturer_specific_35", "last_alarm_datetime": "time_manufacturer_39",
        "ct_primary_nr": "manufacturer_specific_29", "ct_secondary_nr": "manufacturer_specific_2a",
        "cts_counter": "manufacturer_specific_28",
    },
    "ime": _IME,
    "iperl": {"max_flow_m3h": "volume_flow"},
    "kaden": {
        "no_measurement_duration_h": "actuality_duration", "tampering_duration_h": "actuality_duration_2",
        "no_measurement_duration_last_year_h": "actuality_duration_storage_1",
    },
    "kadenwater": {"duration_b_s": "actuality_duration_2", "volume_b_m3": "volume_2"},
    "kamheat": _KAMSTRUP_HEAT,
    "kamwater": _KAMSTRUP_WATER,
    "kampress": {"alfa_counter": "manufacturer_specific_09", "beta_counter": "manufacturer_specific_0a"},
    "lansendw": _LANSEN,
    "lansenpu": _LANSEN,
    "lansenrp": {
        "total_routed_messages_counter": "dimensionless", "used_router_slots_counter": "dimensionless_subunit_1",
        "seconds_to_mode_change_counter": "dimensionless_subunit_3",
        "listen_timer_value_counter": "dimensionless_storage_1",
        "pause_timer_value_counter": "dimensionless_storage_2", "start_time_value_counter": "dimensionless_storage_4",
    },
    "lansensm": {
        "async_msg_id_counter": "access_number_2", "minutes_since_last_manual_test_counter": "dimensionless",
    },
    "lansenth": _AVERAGES,
    "mkradio3a": {"target_m3": "volume_of_month", "target_date": "date"},
    "multical21": _KAMSTRUP_WATER,
    "multical803": _KAMSTRUP_HEAT,
    "nemo": {
        "total_active_positive_3phase_kwh": "energy_tariff_1_subunit_1",
        "total_active_partial_3phase_kwh": "energy_tariff_2_subunit_1",
        "total_reactive_positive_3phase_kwh": "energy_tariff_1_subunit_2",
        "total_reactive_partial_3phase_kwh": "energy_tariff_2_subunit_2",
        "active_positive_3phase_kw": "power_tariff_1_subunit_1",
        "active_negative_3phase_kw": "power_tariff_2_subunit_1",
        "reactive_positive_3phase_kw": "power_tariff_1_subunit_2",
        "reactive_negative_3phase_kw": "power_tariff_2_subunit_2",
        r"current_at_phase_(\d)_a": r"current_manufacturer_0\1",
        r"voltage_at_phase_(\d)_v": r"voltage_manufacturer_0\1",
        r"active_power_at_phase_(\d)_kw": r"power_manufacturer_0\1_subunit_1",
        r"reactive_power_at_phase_(\d)_kw": r"power_manufacturer_0\1_subunit_2",
        r"at_phase_(\d)_power_factor": r"dimensionless_manufacturer_0\1", "power_factor": "dimensionless",
        "frequency_hz": f"{_OWN}5a 0.1",
        "voltage_l1_l2_v": "voltage_manufacturer_04", "voltage_l2_l3_v": "voltage_manufacturer_05",
        "voltage_l3_l1_v": "voltage_manufacturer_06", "current_in_neutral_a": "current_manufacturer_04",
    },
    "nzr": {
        "current_power_consumption_1_kw": "power_storage_2", "current_power_consumption_2_kw": "power_storage_4",
        "current_power_consumption_3_kw": "power_storage_6", "total_energy_consumption_kwh": "energy_tariff_1",
    },
    "piigth": _AVERAGES,
    "qheat_55_us": {"time_without_measurement_h": "on_time_error"},
    "sharky774": {
        "operating_time_in_error_h": r"operating_time(?:_2)?", "total_cooling_consumption_kwh": "energy_tariff_1",
        "total_cooling_volume_m3": "volume_tariff_2", "cooling_at_set_date_kwh": "energy_storage_1_tariff_1",
    },
    "topaseskr": {
        "access_counter": "access_number_2", "reverse_volume_year_period_m3": "volume_storage_1_tariff_1",
        "volume_year_period_m3": "volume_storage_1", "volume_month_period_m3": "volume_storage_3",
        "meter_year_period_end_date": "date_storage_1", "meter_month_period_end_datetime": "time_storage_3",
    },
    "werhlemodwm": {"next_target_date": "date_future_storage_1"},
    "zenner0b": {"target_m3": "volume_of_month"},
}  # fmt: skip

_SECOND: Final = (
    ("current_(.+)", r"\1"),
    ("(.+)_1(_hca|_m3|_kwh|_date)?", r"\1\2"),
    ("total_energy_consumption_last_month_kwh", "prev_1_month_kwh"),
    ("min_(flow_temperature_c)", r"\1"),
    ("target_hca", "consumption_at_set_date_1_hca"),
)
"""Names that stand beside another name for the same record: as a regular expression, and the other."""
_SECOND_OF: Final = {
    "eltako": (("total_kwh", "total_tariff_1_kwh"),),
    "mkradio3a": ((r"last_[a-z]{3}_m3", "target_m3"),),
}


def other_names(driver: str, name: str) -> list[str]:
    """What else the record of this name may be called."""
    pairs = (*_SECOND, *_SECOND_OF.get(driver, ()))
    return [re.sub(pattern, other, name) for pattern, other in pairs if re.fullmatch(pattern, name)]


def field_of(driver: str, name: str) -> tuple[str, float | None] | None:
    """A regular expression for the field that this driver's name stands for; None: its name says it.

    With it the factor where units are not compared.
    """
    for pattern, field in PLACES.get(driver, {}).items():
        if found := re.fullmatch(pattern, name):
            place, _, factor = (field.replace(r"\1", found[1] or "0") if found.groups() else field).partition(" ")
            return place, float(factor) if factor else None
    return None
