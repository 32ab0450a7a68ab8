"""Cayenne LPP (Low Power Payload): channel, type, value, over and over.

Sources: myDevices, Cayenne LPP documentation, table of data types (types 0 to 3, 101 to 104, 113, 115, 134, 136, after
the IPSO Smart Objects numbers less 3200); ElectronicCats CayenneLPP, table of data types, for those that were added
since (100, 116 to 118, 120, 121, 125, 128, 130 to 133, 135, 142). All values are big-endian. Any FPort: devices use
whatever they like, so the packed and GPS-only payloads that the document puts on ports 2 and 3 are not told apart.

Fields are `<quantity>_<channel>`; what has several parts gets one field each (`latitude_1`, `longitude_1`). When a
channel sends the same quantity again, the second is `<quantity>_<channel>_2` and so on. A type that is not known ends
decoding with UNKNOWN_TYPE: its length is not known either, so nothing behind it can be trusted.
"""

from struct import Struct
from typing import Final

from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value

MAX_PAYLOAD: Final = 255
"""Longest payload taken, in bytes: LoRaWAN has at most 242."""

Layout = tuple[str, int, tuple[tuple[str, str | None], ...]]

_LAYOUTS: Final[dict[int, Layout]] = {
    # type: format of the parts, divisor, (name, unit) of each part. 3-byte parts are read by hand: format "gps"
    0: (">B", 1, (("digital_input", None),)),
    1: (">B", 1, (("digital_output", None),)),
    2: (">h", 100, (("analog_input", None),)),
    3: (">h", 100, (("analog_output", None),)),
    100: (">I", 1, (("generic", None),)),
    101: (">H", 1, (("illuminance", "lx"),)),
    102: (">B", 1, (("presence", None),)),
    103: (">h", 10, (("temperature", "Cel"),)),
    104: (">B", 2, (("humidity", "%"),)),
    113: (">hhh", 1000, (("acceleration_x", "[g]"), ("acceleration_y", "[g]"), ("acceleration_z", "[g]"))),
    115: (">H", 10, (("pressure", "hPa"),)),
    116: (">H", 100, (("voltage", "V"),)),
    117: (">H", 1000, (("current", "A"),)),
    118: (">I", 1, (("frequency", "Hz"),)),
    120: (">B", 1, (("percentage", "%"),)),
    121: (">h", 1, (("altitude", "m"),)),
    125: (">H", 1, (("concentration", "[ppm]"),)),
    128: (">H", 1, (("power", "W"),)),
    130: (">I", 1000, (("distance", "m"),)),
    131: (">I", 1, (("energy", "W.h"),)),  # 0.001 kWh
    132: (">H", 1, (("direction", "deg"),)),
    133: (">I", 1, (("unix_time", "s"),)),
    134: (">hhh", 100, (("rotation_x", "deg/s"), ("rotation_y", "deg/s"), ("rotation_z", "deg/s"))),
    135: (">BBB", 1, (("red", None), ("green", None), ("blue", None))),
    142: (">B", 1, (("switch", None),)),
}
_GPS: Final = 136  # latitude, longitude (0.0001 degrees) and altitude (0.01 m), three signed bytes each
_READERS: Final = {kind: (Struct(form), divisor, parts) for kind, (form, divisor, parts) in _LAYOUTS.items()}


def decode(data: bytes, fport: int | None = None) -> Fields:  # noqa: ARG001 - one signature for all codecs
    """Fields of one uplink; none of an empty one. Raises DecodeError SHORT, LONG or UNKNOWN_TYPE."""
    end = len(data)
    if end > MAX_PAYLOAD:
        raise DecodeError(RejectReason.LONG, f"{end} bytes")
    fields: Fields = {}
    pos = 0
    while pos < end:
        if pos + 2 > end:
            raise DecodeError(RejectReason.SHORT, f"a channel without type at offset {pos}")
        channel, kind = data[pos], data[pos + 1]
        pos += 2
        if kind == _GPS:
            _gps(data, pos, channel, fields)
            pos += 9
            continue
        reader = _READERS.get(kind)
        if reader is None:
            raise DecodeError(RejectReason.UNKNOWN_TYPE, f"type {kind} on channel {channel}")
        layout, divisor, parts = reader
        if pos + layout.size > end:
            raise DecodeError(RejectReason.SHORT, f"type {kind} on channel {channel} is cut off")
        numbers = layout.unpack_from(data, pos)
        for (name, unit), n in zip(parts, numbers, strict=True):
            _put(fields, f"{name}_{channel}", Value(n if divisor == 1 else n / divisor, unit))
        pos += layout.size
    return fields


def _gps(data: bytes, pos: int, channel: int, fields: Fields) -> None:
    if pos + 9 > len(data):
        raise DecodeError(RejectReason.SHORT, f"type {_GPS} on channel {channel} is cut off")
    parts = (("latitude", 10000, "deg"), ("longitude", 10000, "deg"), ("altitude", 100, "m"))
    for at, (name, divisor, unit) in zip(range(pos, pos + 9, 3), parts, strict=True):
        n = int.from_bytes(data[at : at + 3], "big", signed=True)
        _put(fields, f"{name}_{channel}", Value(n / divisor, unit))


def _put(fields: Fields, name: str, value: Value) -> None:
    """Set a field; a name that is taken gets the next free number."""
    if name in fields:
        n = 2
        while f"{name}_{n}" in fields:
            n += 1
        name = f"{name}_{n}"
    fields[name] = value
