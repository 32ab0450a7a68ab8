"""Milesight: thermostats of which the published decoders give temperatures in Celsius and Fahrenheit as well.

Beside `target_temperature` stand `fahrenheit_target_temperature` and `celsius_target_temperature`, rounded as the
decoder rounds them; in a group the unit stands before the last part of the name. Source: as milesight.py.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from torhaus.codecs.layout.field import rounded
from torhaus.codecs.model import Fields, Value
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
_WT211: Final = {
    **_doubles(32, 1, "ambient_temperature", "center_cool_temp", "center_heat_temp"),
    **_doubles(32, 1, *(f"{which}_setpoint" for which in _SETPOINTS)),
    **_doubles(0, 1, *(f"{which}_setpoint_tolerance" for which in _SETPOINTS)),
    **_doubles(0, 1, "temperature_control_delta1", "temperature_control_delta2", "target_deadband"),
    **_doubles(0, 1, "cooling_adjust_tolerance", "heating_adjust_tolerance"),
}
DOUBLES: Final[dict[str, Mapping[str, Double]]] = {
    **dict.fromkeys(("wt211", "wt201-v3"), _WT211),
}
"""Model to the names of its temperatures that are given in both units."""
