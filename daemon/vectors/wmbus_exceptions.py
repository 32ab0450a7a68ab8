"""Where torhaus deliberately says something else than wmbusmeters, by its driver, which stands for a family of meters.

The reasons are in docs/reference/wmbus-coverage.md; a test keeps the two in step.
"""

from typing import Final

_UNSUPPORTED: Final = "unsupported"

REFUSED: Final[dict[str, str]] = {
    "actislink": _UNSUPPORTED,  # DES
    "apator08": _UNSUPPORTED,
    "apator172": _UNSUPPORTED,
    "apatorna1": _UNSUPPORTED,
    "bfw240radio": "short",
    "flowiq2200": "crc",
    "hydrus": _UNSUPPORTED,
    "izar": _UNSUPPORTED,
    "izarv2": _UNSUPPORTED,
    "kamwater": _UNSUPPORTED,
    "mkradio3": _UNSUPPORTED,
    "mkradio3a": _UNSUPPORTED,
    "mkradio4": _UNSUPPORTED,
    "qwater": "long",
    "sharky": _UNSUPPORTED,
    "tsd2": _UNSUPPORTED,
    "whe5x": "short",
}
"""Telegrams that are refused, and with which reason."""

DIFFERENT: Final[dict[str, str]] = {
    "apator162": "^total_m3",
    "c5isf": "^max_power_last_month_kw",
    "caltose": r"^consumption_\d+$",
    "ei6500": "^dust_level_counter",
    "em24": "reactive_energy|apparent_energy",
    "evo868": r"^history_\d+_date",
    "fhkvdataiv": r"^consumption_at_set_date_\d+$",
    "gwfwater": "^battery_y",
    "hydrodigit": r"^[A-Z]\w+_total_m3|^backflow_m3|^voltage_v|^leak_date",
    "iem3000": "frequency|reactive_energy|^operating_time_y|datetime$",
    "ime": ".",
    "microclima": r"^set_date_\d+_date",
    "nemo": "^frequency_hz",
    "q400": "^battery_pct",
    "qheat": ".",
    "qwater": "^volume_flow_m3h",
    "qwaterv2": "^volume_flow_m3h",
    "supercom587": "^total_m3",
    "waterstarm": r"^history_\d+_date|^meter_datetime",
    "zenner0b": "_m3$",
}
"""Names whose values are not compared, as a regular expression."""

CONTAINERS: Final = frozenset({"manufacturer_specific_5f"})
"""Fields with a manufacturer's own bytes from which a driver takes all of its values."""
