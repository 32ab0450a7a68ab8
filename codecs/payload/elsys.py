"""Elsys sensors (ERS, ERS2, ERS CO2, ERS Eye, Sound, VOC, Eco, ELT-2, EMS, EIAQ …): one payload structure for all.

Sources: Elektroniksystem i Umeå AB, Elsys-LoRa-payload.pdf (v1.11: types 0x01 to 0x1B, 0x3D, 0x3E and the offset) and
the vendor's payload decoder (0x1C, byte order of the position). 0x1D to 0x24, 0x3B, 0x3C as newer decoders read them.

    a payload is a row of values:  oo tttttt | data | offset
    tttttt type, which fixes the size of the data; oo bytes of offset behind it (a sample from the queue; its unit is
    not documented). Big-endian, but for the GPS position.

Names and values are those of the vendor's decoder:
- `vdd` and the analog inputs in mV, acceleration `x`, `y`, `z` in 63 steps a g, distance in mm. Counters, digital
  inputs, `occupancy` (0 free, 1 waiting, 2 occupied) and `waterleak` (0 to 255) are as sent.
- Probes on input 2 are `external_temperature2`, or `external_temperature2_0`, `_1` and so on when there are several.
- Another value that comes again replaces the one before, as in the vendor's decoder; but one with an offset (an older
  sample) gets `_2`, `_3` and so on, and its offset is `<name>_offset`.
- `settings_length`: type 0x3E, sent after start on FPort + 1, may hold the device's root keys by format: its content is
  not shown (the frame keeps it encrypted).
"""

from collections.abc import Callable
from struct import Struct
from typing import Any, Final

from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value

MAX_PAYLOAD: Final = 255
"""Longest payload taken, in bytes: LoRaWAN has at most 242."""

_PROBES: Final = "external_temperature2"
_PROBE: Final = 0x19
_SETTINGS: Final = 0x3E
_COUNTED: Final = {0x3B: "bytes", 0x3E: "settings_length"}  # a length byte, then that many bytes

Part = tuple[str, int, str | None]  # name, divisor, unit
Reader = Callable[[bytes, int], tuple[Any, ...]]


def _hex4(data: bytes, pos: int) -> tuple[Any, ...]:
    return (data[pos : pos + 4].hex(),)


def _position(data: bytes, pos: int) -> tuple[Any, ...]:
    """Latitude and longitude, 24 bits each, least significant byte first, in 0.0001 degrees."""
    latitude = int.from_bytes(data[pos : pos + 3], "little", signed=True)
    longitude = int.from_bytes(data[pos + 3 : pos + 6], "little", signed=True)
    return latitude, longitude


def _grid(data: bytes, pos: int) -> tuple[Any, ...]:
    """Reference temperature in degrees, then 64 pixels in tenths above it; all in tenths."""
    reference = data[pos] * 10
    return tuple(reference + n for n in data[pos + 1 : pos + 65])


_GRID: Final[tuple[Part, ...]] = (*((f"grideye_{n}", 10, "Cel") for n in range(64)),)

_TYPES: Final[dict[int, tuple[str | tuple[int, Reader], tuple[Part, ...]]]] = {
    # type: struct format, or size and reader; then the parts
    0x01: ("h", (("temperature", 10, "Cel"),)),
    0x02: ("B", (("humidity", 1, "%"),)),
    0x03: ("bbb", (("x", 1, None), ("y", 1, None), ("z", 1, None))),
    0x04: ("H", (("light", 1, "lx"),)),
    0x05: ("B", (("motion", 1, None),)),
    0x06: ("H", (("co2", 1, "[ppm]"),)),
    0x07: ("H", (("vdd", 1, "mV"),)),
    0x08: ("H", (("analog1", 1, "mV"),)),
    0x09: ((6, _position), (("lat", 10000, "deg"), ("long", 10000, "deg"))),
    0x0A: ("H", (("pulse1", 1, None),)),
    0x0B: ("I", (("pulse_abs", 1, None),)),
    0x0C: ("h", (("external_temperature", 10, "Cel"),)),
    0x0D: ("B", (("digital", 1, None),)),
    0x0E: ("H", (("distance", 1, "mm"),)),
    0x0F: ("B", (("acc_motion", 1, None),)),
    0x10: ("hh", (("ir_internal_temperature", 10, "Cel"), ("ir_external_temperature", 10, "Cel"))),
    0x11: ("B", (("occupancy", 1, None),)),
    0x12: ("B", (("waterleak", 1, None),)),
    0x13: ((65, _grid), _GRID),
    0x14: ("I", (("pressure", 1000, "hPa"),)),
    0x15: ("BB", (("sound_peak", 1, "dB[SPL]"), ("sound_avg", 1, "dB[SPL]"))),
    0x16: ("H", (("pulse2", 1, None),)),
    0x17: ("I", (("pulse_abs2", 1, None),)),
    0x18: ("H", (("analog2", 1, "mV"),)),
    0x19: ("h", (("external_temperature2", 10, "Cel"),)),
    0x1A: ("B", (("digital2", 1, None),)),
    0x1B: ("i", (("analog_uv", 1, "uV"),)),
    0x1C: ("H", (("tvoc", 1, "[ppb]"),)),
    0x1D: ("B", (("iaq", 1, None),)),
    0x1E: ("B", (("generic_flag", 1, None),)),
    0x1F: ("b", (("generic_int8", 1, None),)),
    0x20: ("h", (("generic_int16", 1, None),)),
    0x21: ("B", (("display_view", 1, None),)),
    0x22: ("h", (("setpoint", 10, "Cel"),)),
    0x23: ("B", (("fan_speed", 1, None),)),
    0x24: ("B", (("external_humidity", 1, "%"),)),
    0x3C: ("I", (("crc", 1, None),)),
    0x3D: ((4, _hex4), (("debug", 1, None),)),
}


def _reader(layout: str | tuple[int, Reader]) -> tuple[int, Reader]:
    if isinstance(layout, tuple):
        return layout
    packed = Struct(">" + layout)
    return packed.size, packed.unpack_from


_LAYOUTS: Final = {kind: (*_reader(layout), parts) for kind, (layout, parts) in _TYPES.items()}


def decode(data: bytes, fport: int | None = None) -> Fields:  # noqa: ARG001 - the structure is the same on every port
    """Fields of one uplink; none of an empty one. Raises DecodeError SHORT, LONG or UNKNOWN_TYPE."""
    end = len(data)
    if end > MAX_PAYLOAD:
        raise DecodeError(RejectReason.LONG, f"{end} bytes")
    fields: Fields = {}
    pos = 0
    while pos < end:
        kind = data[pos]
        layout = _LAYOUTS.get(kind & 0x3F)
        if layout is None:
            pos = _counted(data, pos, fields)
            continue
        size, read, parts = layout
        behind = pos + 1 + size
        if behind + (kind >> 6) > end:
            raise DecodeError(RejectReason.SHORT, f"type 0x{kind:02x} at offset {pos} is cut off")
        numbers = read(data, pos + 1)
        if kind <= 0x3F and kind != _PROBE:  # nearly always
            if len(parts) == 1:
                name, divisor, unit = parts[0]
                fields[name] = Value(numbers[0] if divisor == 1 else numbers[0] / divisor, unit)
            else:
                for (name, divisor, unit), n in zip(parts, numbers, strict=True):
                    fields[name] = Value(n if divisor == 1 else n / divisor, unit)
            pos = behind
            continue
        for (name, divisor, unit), n in zip(parts, numbers, strict=True):
            free = name if name not in fields else _free(fields, name)
            fields[free] = Value(n if divisor == 1 else n / divisor, unit)
            if kind > 0x3F:
                fields[f"{free}_offset"] = Value(int.from_bytes(data[behind : behind + (kind >> 6)], "big"))
        pos = behind + (kind >> 6)
    if f"{_PROBES}_2" in fields:
        _list_probes(fields)
    return fields


def _list_probes(fields: Fields) -> None:
    """Several probes on input 2 are a list: their numbers begin at 0."""
    fields[f"{_PROBES}_0"] = fields.pop(_PROBES)
    n = 2
    while f"{_PROBES}_{n}" in fields:
        fields[f"{_PROBES}_{n - 1}"] = fields.pop(f"{_PROBES}_{n}")
        n += 1


def _counted(data: bytes, pos: int, fields: Fields) -> int:
    """A type whose size is in the payload, as hex; the offset behind it."""
    kind = data[pos]
    name = _COUNTED.get(kind & 0x3F)
    if name is None:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"type 0x{kind:02x} at offset {pos}")
    begin = pos + 2
    behind = begin + data[pos + 1] if begin <= len(data) else begin
    if behind + (kind >> 6) > len(data):
        raise DecodeError(RejectReason.SHORT, f"type 0x{kind:02x} at offset {pos} is cut off")
    free = name if name not in fields else _free(fields, name)
    secret = kind & 0x3F == _SETTINGS
    fields[free] = Value(behind - begin, "By") if secret else Value(data[begin:behind].hex())
    if kind > 0x3F:
        fields[f"{free}_offset"] = Value(int.from_bytes(data[behind : behind + (kind >> 6)], "big"))
    return behind + (kind >> 6)


def _free(fields: Fields, name: str) -> str:
    """The next free number behind a name that is taken."""
    n = 2
    while f"{name}_{n}" in fields:
        n += 1
    return f"{name}_{n}"
