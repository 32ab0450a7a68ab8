"""What a value is and in which unit: value information of M-Bus as tables.

After EN 13757-3:2018, clause on value information blocks: tables of primary VIFs, of the extensions FD (and its own
extension, FD FD) and FB. Codes of FB that were in use until 2004 (gallons, degrees Fahrenheit) are still there.
A row spans `count` codes; each code is ten times the one before, or the next of s, min, h, d (`TIME`).
"""

from typing import Final

import msgspec


class Vif(msgspec.Struct, frozen=True, gc=False):
    """One code: the value is what is sent times `factor` times 10 to the power of `exponent`, divided by `divisor`.

    `kind`: "number"; "date" for a point in time; "season" for the rule of summer time; "bits" for flags and numbers
    that are names. `is_known` False: the standard has no meaning for it, and the name says its code.
    """

    quantity: str
    unit: str | None = None
    exponent: int = 0
    factor: int = 1
    kind: str = "number"
    divisor: int = 1
    is_known: bool = True


Row = tuple[int, int, str, str | None, int]
_SECONDS: Final = (1, 60, 3600, 86400)


def _table(rows: tuple[Row, ...], times: dict[int, str], others: dict[int, Vif]) -> dict[int, Vif]:
    table = {
        first + i: Vif(quantity, unit, exponent + i)
        for first, count, quantity, unit, exponent in rows
        for i in range(count)
    }
    table |= {first + i: Vif(name, "s", factor=s) for first, name in times.items() for i, s in enumerate(_SECONDS)}
    return table | others


PRIMARY: Final = _table(
    (
        (0x00, 8, "energy", "W.h", -3),
        (0x08, 8, "energy", "J", 0),
        (0x10, 8, "volume", "m3", -6),
        (0x18, 8, "mass", "kg", -3),
        (0x28, 8, "power", "W", -3),
        (0x30, 8, "power", "J/h", 0),
        (0x38, 8, "volume_flow", "m3/h", -6),
        (0x40, 8, "volume_flow", "m3/min", -7),
        (0x48, 8, "volume_flow", "m3/s", -9),
        (0x50, 8, "mass_flow", "kg/h", -3),
        (0x58, 4, "flow_temperature", "Cel", -3),
        (0x5C, 4, "return_temperature", "Cel", -3),
        (0x60, 4, "temperature_difference", "K", -3),
        (0x64, 4, "external_temperature", "Cel", -3),
        (0x68, 4, "pressure", "bar", -3),
    ),
    {0x20: "on_time", 0x24: "operating_time", 0x70: "averaging_duration", 0x74: "actuality_duration"},
    {
        0x6C: Vif("date", kind="date"),
        0x6D: Vif("time", kind="date"),
        0x6E: Vif("heat_cost_allocator"),
        0x78: Vif("fabrication_number", kind="bits"),
        0x79: Vif("identification", kind="bits"),
        0x7A: Vif("bus_address", kind="bits"),
        0x7E: Vif("any"),
        0x7F: Vif("manufacturer_specific", kind="bits"),
    },
)

_NAMED_FD: Final = (
    "access_number",
    "medium",
    "manufacturer",
    "parameter_set",
    "model_version",
    "hardware_version",
    "firmware_version",
    "software_version",
    "customer_location",
    "customer",
    "access_code_user",
    "access_code_operator",
    "access_code_system_operator",
    "access_code_developer",
    "password",
    "error_flags",
    "error_mask",
    "security_key",
    "digital_output",
    "digital_input",
)

FD: Final = _table(
    (
        (0x00, 4, "credit", None, -3),
        (0x04, 4, "debit", None, -3),
        (0x40, 16, "voltage", "V", -9),
        (0x50, 16, "current", "A", -12),
    ),
    {
        0x24: "storage_interval",
        0x2C: "duration_since_readout",
        0x34: "tariff_period",
        0x3C: "transmission_period",
    },
    {0x08 + i: Vif(name, kind="bits") for i, name in enumerate(_NAMED_FD)}
    | {
        0x1C: Vif("baud_rate", "Bd"),
        0x1D: Vif("response_delay"),
        0x1E: Vif("retry"),
        0x1F: Vif("remote_control", kind="bits"),
        0x20: Vif("first_storage"),
        0x21: Vif("last_storage"),
        0x22: Vif("storage_block_size"),
        0x23: Vif("tariff_descriptor", kind="bits"),
        0x28: Vif("storage_interval", "mo"),
        0x29: Vif("storage_interval", "a"),
        0x2A: Vif("operator_data", kind="bits"),
        0x2B: Vif("time_second", "s"),
        0x30: Vif("tariff_start", kind="date"),
        0x31: Vif("tariff_duration", "s", factor=60),
        0x32: Vif("tariff_duration", "s", factor=3600),
        0x33: Vif("tariff_duration", "s", factor=86400),
        0x38: Vif("tariff_period", "mo"),
        0x39: Vif("tariff_period", "a"),
        0x3A: Vif("dimensionless"),
        0x3B: Vif("wireless_container", kind="bits"),
        0x60: Vif("reset_counter"),
        0x61: Vif("cumulation_counter"),
        0x62: Vif("control_signal", kind="bits"),
        0x63: Vif("day_of_week"),
        0x64: Vif("week_number"),
        0x65: Vif("day_change", kind="date"),
        0x66: Vif("parameter_activation", kind="bits"),
        0x67: Vif("supplier_information", kind="bits"),
        0x68: Vif("duration_since_cumulation", "s", factor=3600),
        0x69: Vif("duration_since_cumulation", "s", factor=86400),
        0x6A: Vif("duration_since_cumulation", "mo"),
        0x6B: Vif("duration_since_cumulation", "a"),
        0x6C: Vif("battery_operating_time", "s", factor=3600),
        0x6D: Vif("battery_operating_time", "s", factor=86400),
        0x6E: Vif("battery_operating_time", "mo"),
        0x6F: Vif("battery_operating_time", "a"),
        0x70: Vif("battery_change", kind="date"),
        0x71: Vif("rf_level", "dB[mW]"),
        0x72: Vif("daylight_saving", kind="season"),
        0x73: Vif("listening_window", kind="bits"),
        0x74: Vif("battery_remaining", "s", factor=86400),
        0x75: Vif("stops"),
        0x76: Vif("manufacturer_container", kind="bits"),
    },
)

FD_FD: Final = {
    0x00: Vif("selected_application", kind="bits"),
    0x02: Vif("battery_remaining", "mo"),
    0x03: Vif("battery_remaining", "a"),
}

_RATING: Final = 4096
"""Rating factors of heat cost allocators (EN 834) are sent in parts of 2^12."""

FB: Final = _table(
    (
        (0x00, 2, "energy", "W.h", 5),
        (0x02, 2, "reactive_energy", "var.h", 3),
        (0x04, 2, "apparent_energy", "V.A.h", 3),
        (0x08, 2, "energy", "J", 8),
        (0x0C, 4, "energy", "cal", 5),
        (0x10, 2, "volume", "m3", 2),
        (0x14, 4, "reactive_power", "var", 0),
        (0x18, 2, "mass", "kg", 5),
        (0x1A, 2, "relative_humidity", "%", -1),
        (0x28, 2, "power", "W", 5),
        (0x2C, 4, "frequency", "Hz", -3),
        (0x30, 2, "power", "J/h", 8),
        (0x34, 4, "apparent_power", "V.A", 0),
        (0x58, 4, "flow_temperature", "[degF]", -3),
        (0x5C, 4, "return_temperature", "[degF]", -3),
        (0x60, 4, "temperature_difference", "[degF]", -3),
        (0x64, 4, "external_temperature", "[degF]", -3),
        (0x70, 4, "temperature_limit", "[degF]", -3),
        (0x74, 4, "temperature_limit", "Cel", -3),
        (0x78, 8, "power_maximum_count", "W", -3),
    ),
    {},
    {
        0x20: Vif("volume", "[cft_i]"),
        0x21: Vif("volume", "[cft_i]", -1),
        0x22: Vif("volume", "[gal_us]", -1),
        0x23: Vif("volume", "[gal_us]"),
        0x24: Vif("volume_flow", "[gal_us]/min", -3),
        0x25: Vif("volume_flow", "[gal_us]/min"),
        0x26: Vif("volume_flow", "[gal_us]/h"),
        0x2A: Vif("phase_voltage", "deg", -1),
        0x2B: Vif("phase_current", "deg", -1),
        0x68: Vif("rating_factor", divisor=_RATING),
        0x69: Vif("rating_factor_kq"),  # thermal output: programs differ in its size, so as it is sent
        0x6A: Vif("rating_factor_kc", divisor=_RATING),
        0x6B: Vif("rating_factor_kcr", divisor=_RATING),
        0x6C: Vif("rating_factor_kch", divisor=_RATING),
        0x6D: Vif("rating_factor_kt", divisor=_RATING),
        0x6E: Vif("rating_factor_kd", divisor=_RATING),
    },
)


def reserved(code: str) -> Vif:
    """For a code without a meaning, in hex: the value is kept as it is sent."""
    return Vif(f"reserved_{code}", kind="bits", is_known=False)
