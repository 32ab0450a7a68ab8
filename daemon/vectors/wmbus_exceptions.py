"""Where torhaus deliberately says something else than wmbusmeters: by its driver, or by a line's id.

The reasons are in docs/reference/wmbus-coverage.md; a test keeps the two in step.
"""

from typing import Final

_UNSUPPORTED: Final = "unsupported"

REFUSED: Final[dict[str, str]] = {
    "actislink": _UNSUPPORTED,
    "0377d67397af": "long",
    "13ae57a39fa9": "long",
    "c1286d13d2a1": "short",
    "f57016f60d00": "crc",
}
"""Telegrams that are refused, and with which reason."""

DIFFERENT: Final[dict[str, str]] = {
    "c5isf": "^max_power_last_month_kw",
    "caltose": r"^consumption_\d+$",
    "ei6500": "^dust_level_counter",
    "em24": "apparent_energy",
    "evo868": r"^history_\d+_date",
    "fhkvdataiv": r"^consumption_at_set_date_\d+$",
    "gwfwater": "^battery_y",
    "iem3000": "^operating_time_y",
    "microclima": r"^set_date_\d+_date",
    "q400": "^battery_pct",
    "qheatv2": "^energy_delta",
    "qwater": "^volume_flow_m3h",
    "qwaterv2": "^volume_flow_m3h",
    "waterstarm": r"^history_\d+_date|^meter_datetime",
    "18c98ff67175": "^total_m3",
    "4946cd595bce": "^operating_time_y|datetime$",
    "971752afec5a": "^(June|July)_total_m3",
    "9a895142be97": "reactive_energy|apparent_energy",
    "a96c2d1e48ef": "_kwh$",
    "bc58ebc0c293": "datetime$",
}
"""Names whose values are not compared, as a regular expression."""


def refused(driver: str, line: str) -> str | None:
    """With which reason a line is refused, if that is right."""
    return REFUSED.get(line) or REFUSED.get(driver)


def different(driver: str, line: str) -> str | None:
    """Which names of a line are not compared, as a regular expression."""
    return DIFFERENT.get(line) or DIFFERENT.get(driver)
