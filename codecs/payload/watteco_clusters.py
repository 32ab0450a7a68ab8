"""nke Watteco: what stands in the attributes of each cluster. Source and shape: watteco.py."""

from collections.abc import Mapping
from struct import Struct
from typing import Final

from torhaus.codecs.layout.compact import Special, field, row
from torhaus.codecs.layout.field import Step
from torhaus.codecs.model import DecodeError, RejectReason, Scalar

TEXT: Final = 0x42
SIZES: Final[dict[int, int]] = {
    **{0x08 + n: n + 1 for n in range(8)},  # general data of 8 to 64 bits
    0x10: 1,  # boolean
    0x16: 1,  # undocumented, as the Smart Plug sends its output
    **{0x18 + n: n + 1 for n in range(8)},  # bitmaps
    **{0x20 + n: n + 1 for n in range(8)},  # unsigned
    **{0x28 + n: n + 1 for n in range(8)},  # signed
    0x30: 1,
    0x31: 2,
    0x39: 4,  # single precision
    0x3A: 8,
}
"""Bytes of an attribute by its type (ZigBee Cluster Library, table of data types)."""
COUNTED: Final = {0x41: 1, TEXT: 1, 0x43: 2, 0x44: 2, 0x4C: 2}
"""Types with a length before them: bytes of the length."""
_SIGNED: Final = range(0x28, 0x30)
_REAL: Final = {0x39: Struct(">f"), 0x3A: Struct(">d")}


def _flag(name: str) -> tuple[Step, ...]:
    return row(field(f"{name} u8", convert=bool))


def _pins(raw: int) -> Mapping[str, Scalar]:
    return {f"pin_state_{n + 1}": bool(raw >> n & 1) for n in range(10)}


def _dotted(raw: bytes) -> str:
    return ".".join(map(str, raw))


def _firmware(raw: bytes) -> str:
    return f"{raw[0]}.{raw[1]}.{raw[2]}.{int.from_bytes(raw[3:], 'big')}"


def _sensor(raw: bytes) -> Mapping[str, Scalar]:
    if raw[1] == 0x05:
        return {"type": "ppm"}
    return {"type": {0: "mA", 1: "mV"}.get(raw[3], raw.hex())} if raw[1] == 0xFF else {"type": raw.hex()}


_EDGES: Final = {
    0: "none", 1: "falling edge", 2: "rising edge", 3: "both edges",
    5: "polling and falling edge", 6: "polling and rising edge", 7: "polling and both edges",
}  # fmt: skip
_SHOCK_MODES: Final = {0: "idle", 1: "chock", 2: "click"}
_SHOCK_RATES: Final = {0: "idle"} | dict(
    enumerate((f"{hz}Hz" for hz in (1, 10, 25, 50, 100, 200, 400, 1620, 5376)), start=1)
)
_SHOCK_RANGES: Final = ((2, 16), (4, 32), (8, 64), (16, 128))


def _shock(raw: int) -> Mapping[str, Scalar]:
    """Mode, sampling rate, range and threshold (in steps of 1/128 of the range, as mg) of the Inclino."""
    mode, rate, (within, step) = raw >> 14, raw >> 10 & 15, _SHOCK_RANGES[raw >> 8 & 3]
    return {
        "mode": _SHOCK_MODES.get(mode, str(mode)),
        "frequency": _SHOCK_RATES.get(rate, str(rate)),
        "range_g": within,
        "threshold_mg": (raw & 0xFF) * step,
    }


def _both_ways(what: str, real: str, reactive: str) -> tuple[str, ...]:
    return tuple(
        f"{sign}_{kind}_{what} i32 {unit}"
        for kind, unit in (("active", real), ("reactive", reactive))
        for sign in ("positive", "negative")
    )


def _by_phase(what: str, real: str, reactive: str) -> tuple[str, ...]:
    return tuple(
        f"{kind}_{what}_{phase} i32 {unit}"
        for phase in ("a", "b", "c", "abc")
        for kind, unit in (("active", real), ("reactive", reactive))
    )


def _wave(tail: str) -> tuple[str, ...]:
    return f"vrms{tail} i16 /10 V", f"irms{tail} i16 /10 A", f"angle{tail} i16 deg"


def _shocks(axis: str) -> tuple[Step, ...]:
    parts = [
        f"stats_{axis}_{which}_{what}"
        for which in ("min", "mean", "max")
        for what in ("mean_g u16 /100 [g]", "max_g u16 /100 [g]", "dt u16 ms")
    ]
    return row(f"stats_{axis}_nb_acq u16", *parts)


_FREQUENCY_FROM: Final = 22232
"""Millihertz that are added to a frequency of the Smart Plug."""
_QUALITY: Final[tuple[str | Special, ...]] = (
    *(
        field(f"frequency{tail} i16 Hz", convert=lambda raw: (raw + _FREQUENCY_FROM) / 1000)
        for tail in ("", "_min", "_max")
    ),
    *(f"{what}{tail} i16 /10 V" for what in ("vrms", "vpeak") for tail in ("", "_min", "_max")),
    "over_voltage i16",
    "sag_voltage i16",
)

ATTRIBUTES: Final[dict[tuple[int, int], tuple[Step, ...]]] = {
    (0x0000, 0x0002): row(field("firmware hex6", convert=_firmware)),
    (0x0000, 0x0003): row("kernel text"),
    (0x0000, 0x0004): row("manufacturer text"),
    (0x0000, 0x0005): row("model text"),
    (0x0000, 0x0006): row("date text"),
    (0x0000, 0x0010): row("position text"),
    (0x0000, 0x8001): row("application_name text"),
    (0x0006, 0x0000): row(field("output u8", {1: "ON"}, otherwise="OFF")),
    (0x000C, 0x0055): row("analog f32"),
    (0x000C, 0x0100): row(field("type hex4", makes=_sensor)),
    (0x000C, 0x8003): row("power_duration u16"),
    (0x000C, 0x8004): row(field("chock u16", makes=_shock)),
    (0x000F, 0x0054): row(field("polarity u8", {0: "normal", 1: "reverse"})),
    (0x000F, 0x0055): _flag("pin_state"),
    (0x000F, 0x0400): row(field("edge_selection u8", _EDGES)),
    (0x000F, 0x0401): row("debounce_period u8"),
    (0x000F, 0x0402): row("index u32"),
    (0x000F, 0x0403): row("poll_period u8"),
    (0x000F, 0x0404): row("force_notify u8"),
    (0x0013, 0x0055): row("output_value u8"),
    (0x0052, 0x0000): row(
        "active_energy i24 W.h", "reactive_energy i24 var.h", "nb_samples u16", "active_power i16 W",
        "reactive_power i16 var",
    ),
    (0x0400, 0x0000): row("illuminance u16 lx"),
    (0x0402, 0x0000): row("temperature i16 /100 Cel"),
    (0x0402, 0x0001): row("min_temperature i16 /100 Cel"),
    (0x0402, 0x0002): row("max_temperature i16 /100 Cel"),
    (0x0403, 0x0000): row("pressure i16 hPa"),
    (0x0405, 0x0000): row("humidity u16 /100 %"),
    (0x0405, 0x0001): row("min_humidity u16 /100 %"),
    (0x0405, 0x0002): row("max_humidity u16 /100 %"),
    (0x0406, 0x0000): _flag("occupancy"),
    (0x8004, 0x0000): row(field("message_type u8", {0: "unconfirmed", 1: "confirmed"})),
    (0x8004, 0x0001): row("nb_retry u8"),
    (0x8004, 0x0002): row("automatic_association_period_in_minutes u16 min", "automatic_association_nb_err_frames u16"),
    (0x8004, 0x0003): row("data_rate u8 @1"),
    (0x8004, 0x0004): row(field("abp_dev_address hex4", convert=_dotted)),
    (0x8004, 0x0005): row("ota_app_eui hex8"),
    (0x8005, 0x0000): row(field("pin_state u16", makes=_pins)),
    (0x8006, 0x0000): row("speed u24 bit/s"),
    (0x8006, 0x0001): row("data_bit u8"),
    (0x8006, 0x0002): row("parity u8"),
    (0x8006, 0x0003): row("stop_bit u8"),
    (0x8008, 0x0000): row("differential_pressure i16 Pa"),
    (0x800A, 0x0000): row(*_both_ways("energy", "W.h", "var.h"), *_both_ways("power", "W", "var")),
    (0x800B, 0x0000): row(*_wave("")),
    (0x800C, 0x0000): row("concentration u16"),
    (0x800C, 0x0001): row("analog u8"),
    (0x800C, 0x0002): row("analog u8"),
    (0x800D, 0x0000): row(*_wave("_a"), *_wave("_b"), *_wave("_c")),
    (0x800F, 0x0000): row(
        "last_nb_trigged_acq u32",
        *(
            f"last_{line}"
            for axis in "xyz"
            for line in (f"mean_{axis}_g u16 /100 [g]", f"max_{axis}_g u16 /100 [g]", f"dt_{axis}_ms u16 ms")
        ),
    ),
    (0x800F, 0x0001): _shocks("x"),
    (0x800F, 0x0002): _shocks("y"),
    (0x800F, 0x0003): _shocks("z"),
    (0x8010, 0x0000): row(*_by_phase("energy", "W.h", "var.h")),
    (0x8010, 0x0001): row(*_by_phase("power", "W", "var")),
    (0x8052, 0x0000): row(*_QUALITY),
}  # fmt: skip
LONGER: Final = {(0x8052, 0x0000): (24, row(*_QUALITY, "brownout_number i16"))}
"""Attributes that newer firmware has made longer: from which length on, and how."""
POWER: Final = tuple(
    row(f"{name}_voltage u16 /1000 V")
    for name in ("main_or_external", "rechargeable_battery", "disposable_battery", "solar_harvesting", "tic_harvesting")
)
"""Cluster 0x0050, attribute 6: by bit of its second byte, which sources have their voltage in it."""


def plain(kind: int, raw: bytes) -> Scalar:
    """The value of an attribute that no table knows, by its type. DecodeError RANGE."""
    if kind == 0x10:
        return bool(raw[0])
    if kind in _REAL:
        number: float = _REAL[kind].unpack(raw)[0]
        if number - number != 0:
            raise DecodeError(RejectReason.RANGE, "a floating point number that is none")
        return number
    if kind == TEXT:
        return raw.rstrip(b"\0").decode("ascii", "replace")
    if kind in COUNTED or len(raw) > 8:
        return raw.hex()
    return int.from_bytes(raw, "big", signed=kind in _SIGNED)
