"""Common names: what every vendor calls by a name of its own gets one name and one unit. Pure.

Asked for by `common_names` in `[devices]`. A field is renamed when it is a number, its unit is the common one or can be
turned into it, and no other field of the reading has the common name. Everything else stays as the vendor calls it.
"""

from typing import Final

from torhaus.codecs.model import Fields, Value

COMMON: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    # common name: unit, vendors' names; the first that a reading has is taken
    "temperature": (
        "Cel",
        (
            "temp",
            "air_temperature",
            "temp_c_sht",
            "temp_c1",
            "temperature_1",
            "temperature_0",
            "temperature1",
            "ambient_temperature",
            "temp_report",
        ),
    ),
    "soil_temperature": ("Cel", ("temp_soil",)),
    "relative_humidity": ("%", ("humidity", "humi", "air_humidity", "hum_sht", "humidity_1", "humidity_report")),
    "soil_moisture": ("%", ("water_soil", "moisture")),
    "co2": ("[ppm]", ("co2_ppm", "co2_concentration", "concentration_1", "co2_concentration_filtered")),
    "pressure": ("hPa", ("air_pressure", "barometric_pressure", "atomsphere", "atmospheric_pressure", "pressure_1")),
    "illuminance": (
        "lx",
        ("light", "illumination", "illum", "ill_lx", "illuminance_1", "lux_report"),
    ),
    "distance": ("mm", ("depth", "distance_cm", "lidar_distance")),
    "battery_voltage": ("V", ("vdd", "volt", "bat", "bat_v", "voltage_1", "disposable_battery_voltage", "bat_voltage")),
    "battery_level": ("%", ("battery", "battery_report", "remaining_battery_capacity", "rem_battery_capacity")),
    "wind_speed": ("m/s", ()),
    "wind_direction": ("deg", ()),
    "precipitation": ("mm", ("rainfall_total", "cumulative_precipitation")),
    "energy": ("W.h", ("power_consumption", "ch1_sumkwh", "energy_1", "active_energy", "positive_active_energy_abc")),
    "power": ("W", ("active_power", "power_1", "positive_active_power_abc")),
    "sound_level": ("dB[SPL]", ("l_aeq", "sound_avg", "noise")),
}
_FACTORS: Final[dict[tuple[str, str], tuple[float, float]]] = {
    # from, to: multiply, divide
    ("mV", "V"): (1, 1000),
    ("cm", "mm"): (10, 1),
    ("m", "mm"): (1000, 1),
    ("Pa", "hPa"): (1, 100),
    ("kPa", "hPa"): (10, 1),
    ("mbar", "hPa"): (1, 1),
    ("kW.h", "W.h"): (1000, 1),
    ("kW", "W"): (1000, 1),
}


def to_common(fields: Fields) -> Fields:
    """The fields in their order, with common names and units where there are any."""
    renamed: dict[str, tuple[str, Value]] = {}
    for common, (unit, names) in COMMON.items():
        for name in (common, *names):
            found = fields.get(name)
            value = _in_unit(found, unit) if found is not None else None
            if value is not None and name not in renamed:
                renamed[name] = (common, value)
            if value is not None or (name == common and found is not None):
                break  # nothing else may take the name
    out: Fields = {}
    for name, value in fields.items():
        common, made = renamed.get(name, (name, value))
        out[common] = made
    return out


def _in_unit(value: Value, unit: str) -> Value | None:
    """The value in this unit; None when it is no number or has a unit that cannot be turned into it."""
    number = value.value
    if isinstance(number, bool | str) or number is None or value.unit is None:
        return None
    if value.unit == unit:
        return value
    factor = _FACTORS.get((value.unit, unit))
    return Value(number * factor[0] / factor[1], unit) if factor else None
