"""Combinable VIFEs: what changes a value's meaning.

After EN 13757-3:2018, tables of combinable (orthogonal) VIFEs, of their extension (FC), and of record errors. A code
that is not in them costs nothing but its meaning: the name says the code, and `is_known` is False. So it is with the
additive constants (78 to 7B), too, of which nobody says what is added to what: the value is as it was sent.
"""

from typing import Final

import msgspec

from torhaus.codecs.meter.mbus.vif import Vif

FAULTS: Final = {
    0x01: "too many DIFEs",
    0x02: "storage number not implemented",
    0x03: "unit number not implemented",
    0x04: "tariff number not implemented",
    0x05: "function not implemented",
    0x06: "data class not implemented",
    0x07: "data size not implemented",
    0x0B: "too many VIFEs",
    0x0C: "illegal VIF group",
    0x0D: "illegal VIF exponent",
    0x0E: "VIF and DIF do not match",
    0x0F: "unimplemented action",
    0x15: "no data available",
    0x16: "data overflow",
    0x17: "data underflow",
    0x18: "data error",
    0x1C: "premature end of record",
}
PER: Final = {
    0x20: "s", 0x21: "min", 0x22: "h", 0x23: "d", 0x24: "wk", 0x25: "mo", 0x26: "a", 0x27: "{revolution}",
    0x2C: "L", 0x2D: "m3", 0x2E: "kg", 0x2F: "K", 0x30: "kW.h", 0x31: "GJ", 0x32: "kW", 0x33: "(K.L)",
    0x34: "V", 0x35: "A",
}  # fmt: skip
TIMES: Final = {0x36: "s", 0x37: "s/V", 0x38: "s/A"}
NAMES: Final = {
    0x12: "average", 0x13: "inverse_compact_profile", 0x14: "relative_deviation",
    0x1D: "standard_content", 0x1E: "compact_profile_register",
    0x1F: "compact_profile", 0x28: "per_input_pulse_0", 0x29: "per_input_pulse_1", 0x2A: "per_output_pulse_0",
    0x2B: "per_output_pulse_1", 0x3A: "uncorrected", 0x3B: "forward", 0x3C: "backward", 0x3D: "non_metric",
    0x3E: "base_conditions", 0x3F: "obis_declaration", 0x40: "lower_limit", 0x48: "upper_limit",
    0x68: "below_lower_limit", 0x69: "leakage", 0x6C: "above_upper_limit", 0x6D: "overflow", 0x7E: "future",
}  # fmt: skip
EXTENSION: Final = {
    0x01: "l1", 0x02: "l2", 0x03: "l3", 0x04: "neutral", 0x05: "l1_l2", 0x06: "l2_l3", 0x07: "l3_l1",
    0x08: "quadrant_1", 0x09: "quadrant_2", 0x0A: "quadrant_3", 0x0B: "quadrant_4", 0x0C: "import_export_delta",
    0x10: "absolute", 0x11: "", 0x12: "",
}  # fmt: skip
"""What stands behind FC; 11 and 12 say that the data are unsigned (types C and D)."""
_EXTEND: Final = 0x7C
_MANUFACTURER: Final = 0x7F
_UNSIGNED: Final = frozenset({0x11, 0x12})
_SECONDS: Final = (1, 60, 3600, 86400)
_INT64: Final = 2**63


class Changed(msgspec.Struct, gc=False):
    """A VIF after its VIFEs: as `Vif`. `fault`: what the meter says is wrong with this record."""

    quantity: str
    unit: str | None
    exponent: int
    factor: int
    kind: str
    divisor: int = 1
    is_known: bool = True
    fault: str | None = None

    def scaled(self, number: float) -> float | int:
        """The value. Divided where the exponent is negative, so that decimals are exact."""
        if self.exponent < 0 or self.divisor != 1:
            size = int(10 ** max(self.exponent, 0)), self.divisor * int(10 ** max(-self.exponent, 0))
            return number * self.factor * size[0] / size[1]
        scaled = number * self.factor * int(10**self.exponent)
        if isinstance(number, int):
            return scaled if -_INT64 <= scaled < _INT64 else float(scaled)
        return float(f"{scaled:.15g}")


def apply(vif: Vif, vifes: list[int]) -> Changed:
    """The meaning of a value."""
    out = Changed(vif.quantity, vif.unit, vif.exponent, vif.factor, vif.kind, vif.divisor, vif.is_known)
    codes = iter(vifes)
    for code in codes:
        if code == _MANUFACTURER:
            out.quantity += "_manufacturer_" + ("".join(f"{c:02x}" for c in codes) or "specific")
        elif vif.quantity == "manufacturer_specific":
            out.quantity += f"_{code:02x}"
        elif code == _EXTEND:
            _extended(out, next(codes, None))
        else:
            _one(out, code)
    return out


def _extended(out: Changed, code: int | None) -> None:
    if code in EXTENSION:
        out.quantity += "_" + EXTENSION[code] if EXTENSION[code] else ""
        out.kind = "bits" if code in _UNSIGNED else out.kind
    else:
        out.quantity += "_extension" + (f"_{code:02x}" if code is not None else "")
        out.is_known = False


def _one(out: Changed, code: int) -> None:
    if code in FAULTS:
        out.fault = FAULTS[code]
    elif code in NAMES:
        out.quantity += "_" + NAMES[code]
    elif code in PER:
        out.unit = f"{out.unit or '1'}/{PER[code]}"
    elif code in TIMES:
        out.unit = f"{out.unit}.{TIMES[code]}" if out.unit else TIMES[code]
    elif code == 0x39:
        _date(out, "start")
    elif 0x70 <= code <= 0x77:
        out.exponent += code - 0x76
    elif code == 0x7D:
        out.exponent += 3
    elif code in {0x41, 0x49}:
        out.quantity += f"_{_limit(code & 8)}_exceeds"
        out.unit, out.exponent, out.factor, out.divisor = None, 0, 1, 1
    elif 0x40 <= code <= 0x4F and code & 2:
        edge = ("first" if not code & 4 else "last", "begin" if not code & 1 else "end")
        _date(out, f"{_limit(code & 8)}_exceed_{'_'.join(edge)}")
    elif 0x50 <= code <= 0x5F:
        _duration(out, f"{_limit(code & 8)}_exceed_{'last' if code & 4 else 'first'}", code)
    elif 0x60 <= code <= 0x67:
        _duration(out, "last" if code & 4 else "first", code)
    elif code in {0x6A, 0x6B, 0x6E, 0x6F}:
        _date(out, f"{'last' if code & 4 else 'first'}_{'end' if code & 1 else 'begin'}")
    elif code:
        out.quantity += f"_vife_{code:02x}"
        out.is_known = False


def _limit(is_upper: int) -> str:
    return "upper_limit" if is_upper else "lower_limit"


def _date(out: Changed, name: str) -> None:
    out.quantity += f"_{name}_time"
    out.unit, out.kind, out.divisor = None, "date", 1


def _duration(out: Changed, name: str, code: int) -> None:
    out.quantity += f"_{name}_duration"
    out.unit, out.exponent, out.factor, out.divisor = "s", 0, _SECONDS[code & 3], 1
