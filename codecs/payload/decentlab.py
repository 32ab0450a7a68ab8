"""Decentlab sensors (DL-…), protocol version 2: one declarative description for each sensor.

Source: the descriptions in the published decoders (decentlab/decentlab-decoders ae766f0, MIT; where they differ,
TheThingsNetwork/lorawan-devices of 2022-09-03).

    version 2 | device id (2) | flags (2) | 16-bit words      all big-endian
    each flag set says that its group of words follows; the lowest flag is the first group

The codec's name carries the sensor: `decentlab:dl-trs12`. Sensors with values of their own (pressure range,
calibration) take them behind it: `decentlab:dl-pr26;pmin=0;pmax=1.6`. Without them those of the vendor's example hold.

A group of the description is `words: name source operations unit | …`. The source is a word (w0), two words (d0: low
word first), the quotient (q0) or the difference (s0) of what stands at 0 and behind it; operations apply from left to
right.
"""

import re
from collections.abc import Callable
from math import isfinite, log
from struct import unpack
from typing import Final, NamedTuple

from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value
from torhaus.codecs.payload import decentlab_a_to_i, decentlab_k_to_z
from torhaus.codecs.registry import Decode

VERSION: Final = 2
MAX_PAYLOAD: Final = 255
_HEADER: Final = 5

SENSORS: Final = decentlab_a_to_i.SENSORS | decentlab_k_to_z.SENSORS
MODELS: Final = frozenset(SENSORS)
PARAMETERS: Final[dict[str, dict[str, float]]] = {
    # values of a sensor's own, with those of the vendor's example
    "dl-ac": {
        "no2_we_0": 256, "no2_s": 0.256, "no2_aux_0": 227, "no_we_0": 320, "no_s": 0.512, "no_aux_0": 288,
        "ox_we_0": 235, "ox_s": 0.345, "ox_aux_0": 200, "co_we_0": 544, "co_s": 0.424, "co_aux_0": 301,
    },
    "dl-dlr2-004": {"r": 10},
    "dl-dlr2-008": {"r": 2000},
    "dl-dlr2-009": {"r": 2000},
    "dl-dws": {"f02": 232263168, "s": 0.000302459, "m0": 1370},
    "dl-kl66": {"f0": 15383.72, "k": 46.4859},
    "dl-pr21": {"pmin": -1, "pmax": 10},
    "dl-pr26": {"pmin": 0, "pmax": 1},
    "dl-pr36": {"kp": 8192},
    "dl-pr36ctd": {"kp": 8192},
    "dl-tbrg": {"resolution": 0.1},
}  # fmt: skip
_VERSION: Final = re.compile(r"-00[1-9](-v\d)?\Z")
"""Of the probe, or of its plug: `dl-zn1-002`."""
SPELLED: Final[dict[str, str]] = {
    # how device repositories write sensors with their values
    "dl-dlr2-004-10": "dl-dlr2-004",
    "dl-dlr2-008-2000": "dl-dlr2-008",
    "dl-dws-232263168-0000302459-1370": "dl-dws",
    "dl-kl66-1538372-464859": "dl-kl66",
    "dl-pr21-1-10": "dl-pr21",
    "dl-pr26-0-1": "dl-pr26",
    "dl-pr36-8192": "dl-pr36",
    "dl-pr36ctd-8192": "dl-pr36ctd",
    "dl-tbrg-01": "dl-tbrg",
}


def _polynomial(*factors: float) -> Callable[[float], float]:
    """The sum of factors[n] times x to the power of n."""

    def value(x: float) -> float:
        return sum(factor * x**power for power, factor in enumerate(factors))

    return value


def _steinhart_hart(ohm: float) -> float:
    """Temperature of the BLG's thermistor, in degrees Celsius."""
    return 1 / (0.0008271111 + 0.000208802 * log(ohm) + 0.000000080592 * log(ohm) ** 3) - 273.15


FUNCTIONS: Final[dict[str, Callable[[float], float]]] = {
    "square": lambda x: x * x,
    "bridge": lambda x: x / (1 - x),
    "half_bridge": lambda x: 1000 / x - 41000,
    "steinhart_hart": _steinhart_hart,
    "topp": _polynomial(-0.053, 0.0292, -0.00055, 0.0000043),
    "topp_gs3": _polynomial(-0.0753, 0.0367, -0.000762, 0.00000589),
    "vwc_10hs": _polynomial(-1.92, 6.69e-3, -7.37e-6, 2.97e-9),
    "permittivity": lambda x: _polynomial(-43.39, 0.05276, -0.0000208, 0.000000002887)(x) ** 2,
    "pt1000": _polynomial(-244.83, 2.3419, 0.0010664),
    "pt1000_fine": _polynomial(-245.18, 0.23469, 0.0000104876),
}
Words = tuple[int, ...]


def _both(words: Words, at: int) -> float:
    return words[at] + words[at + 1] * 65536


def _albedo(words: Words, at: int) -> float:
    incoming, reflected = words[at] - 32768, words[at + 1] - 32768
    return reflected / incoming if incoming > 0 and reflected > 0 else 0


SOURCES: Final[dict[str, Callable[[Words, int], float]]] = {
    "w": lambda words, at: words[at],
    "d": _both,
    "q": lambda words, at: words[at] / words[at + 1],
    "s": lambda words, at: _both(words, at) - _both(words, at + 2),
    "a": _albedo,
    # illuminance from two photodiodes, visible with infrared and infrared
    "l": lambda words, at: max(words[at] - 1.64 * words[at + 1], 0.59 * words[at] - 0.86 * words[at + 1], 0) * 1.5504,
}


class _Quantity(NamedTuple):
    name: str
    unit: str | None
    source: Callable[[Words, int], float]
    at: int
    operations: tuple[tuple[str, float | Callable[[float], float]], ...]


def _quantity(text: str, parameters: dict[str, float]) -> _Quantity:
    name, source, *rest = text.split()
    operations: list[tuple[str, float | Callable[[float], float]]] = []
    unit = None
    for part in rest:
        mark, word = part[0], part[1:]
        if mark == "@":
            operations.append((mark, FUNCTIONS[word]))
        elif mark in "+-*/" and part != "/cm3":
            operations.append((mark, parameters[word] if word in parameters else float(word)))
        else:
            unit = part
    return _Quantity(name, unit, SOURCES[source[0]], int(source[1:]), tuple(operations))


def _compute(quantity: _Quantity, words: Words) -> float | None:
    """None where the words have no value: a division by zero, or beyond a floating point number."""
    try:
        value = quantity.source(words, quantity.at)
        for mark, operand in quantity.operations:
            if callable(operand):
                value = operand(value)
            elif mark == "-":
                value -= operand
            elif mark == "/":
                value /= operand
            elif mark == "*":
                value *= operand
            else:
                value += operand
    except (ArithmeticError, ValueError):
        return None
    return value if isfinite(value) else None


def variant(model: str) -> str | None:
    """The sensor's name for a model as device repositories write it."""
    name = model.lower().replace("_", "-")
    name = SPELLED.get(name, name)
    if not name.startswith("dl-"):
        name = f"dl-{name}"
    if name not in SENSORS:
        name = _VERSION.sub("", name)
    return name if name in SENSORS else None


def decoder(model: str) -> Decode:
    """The codec of a sensor, `dl-pr26` or `dl-pr26;pmin=0;pmax=1.6`. KeyError when there is none of that name."""
    name, *settings = model.split(";")
    parameters = dict(PARAMETERS.get(name, {}))
    for setting in settings:
        key, _, text = setting.partition("=")
        if key not in parameters:
            raise KeyError(f"{name} has no value {key!r}")
        try:
            parameters[key] = float(text)
        except ValueError:
            raise KeyError(f"{key} of {name} is {text!r}, must be a number") from None
    if "pmin" in parameters:
        parameters["span"] = parameters["pmax"] - parameters["pmin"]
    if "f0" in parameters:
        parameters["f0_squared"] = parameters["f0"] ** 2
    groups = []
    for text in SENSORS[name]:
        length, quantities = text.split(": ", 1)
        groups.append((int(length), tuple(_quantity(q, parameters) for q in quantities.split(" | "))))
    return _Codec(tuple(groups))


class _Codec:
    """One sensor's codec."""

    __slots__ = ("_groups",)

    def __init__(self, groups: tuple[tuple[int, tuple[_Quantity, ...]], ...]) -> None:
        self._groups = groups

    def __call__(self, data: bytes, fport: int | None = None) -> Fields:  # the structure is the same on every port
        """Fields of one uplink. Raises DecodeError SHORT, LONG or UNKNOWN_TYPE."""
        del fport
        if not _HEADER <= len(data) <= MAX_PAYLOAD:
            raise DecodeError(RejectReason.SHORT if len(data) < _HEADER else RejectReason.LONG, f"{len(data)} bytes")
        if data[0] != VERSION:
            raise DecodeError(RejectReason.UNKNOWN_TYPE, f"protocol version {data[0]}, known is {VERSION}")
        fields: Fields = {
            "protocol_version": Value(VERSION),
            "device_id": Value(int.from_bytes(data[1:3], "big")),
        }
        flags = int.from_bytes(data[3:5], "big")
        pos = _HEADER
        for length, quantities in self._groups:
            if flags & 1:
                behind = pos + 2 * length
                if behind > len(data):
                    raise DecodeError(RejectReason.SHORT, f"{quantities[0].name} at offset {pos} is cut off")
                words = unpack(f">{length}H", data[pos:behind])
                for quantity in quantities:
                    fields[quantity.name] = Value(_compute(quantity, words), quantity.unit)
                pos = behind
            flags >>= 1
        return fields
