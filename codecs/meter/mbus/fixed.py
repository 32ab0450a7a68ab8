"""The fixed data structure: two counters. After EN 1434-3:1997, 6.5 (superseded, still met in old meters)."""

from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.meter.mbus.values import bcd
from torhaus.codecs.meter.mbus.words import medium, status
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value

_ROWS: Final = (
    (0x02, 9, "energy", "W.h", 0),
    (0x0B, 9, "energy", "J", 3),
    (0x14, 9, "power", "W", 0),
    (0x1D, 9, "power", "J/h", 3),
    (0x26, 9, "volume", "m3", -6),
    (0x2F, 9, "volume_flow", "m3/h", -6),
)
UNITS: Final = {
    first + i: (name, unit, exponent + i) for first, count, name, unit, exponent in _ROWS for i in range(count)
} | {0x38: ("temperature", "Cel", -3), 0x39: ("heat_cost_allocator", None, 0)}
_SAME_HISTORIC: Final = 0x3E


def fixed(body: bytes, *, swapped: bool) -> Fields:
    """Fields of the 16 bytes. `swapped`: counters have their high byte first (CI 77). Raises DecodeError."""
    if len(body) != 16:
        raise DecodeError(RejectReason.LONG if len(body) > 16 else RejectReason.SHORT, f"{len(body)} bytes, not 16")
    cursor = Cursor(body)
    serial = cursor.take(4)
    access, state = cursor.u8(), cursor.u8()
    first, second = cursor.u8(), cursor.u8()
    fields: Fields = {
        "meter_id": Value((serial if swapped else serial[::-1]).hex()),
        "medium": Value(medium(first >> 6 | (second >> 6) << 2)),
        "access_number": Value(access),
        "status": Value(status(state & 0xFC)),
    }
    unit = first & 0x3F
    for n, code in enumerate((unit, second & 0x3F), start=1):
        raw = cursor.take(4)
        raw = raw[::-1] if swapped else raw
        number = int.from_bytes(raw, "little") if state & 1 else bcd(raw)
        is_historic = n == 2 and code == _SAME_HISTORIC
        name, ucum, exponent = UNITS.get(unit if is_historic else code, (f"unit_{code:02x}", None, 0))
        value = None if number is None else number * 10**exponent if exponent >= 0 else number / 10**-exponent
        name += "_storage_1" if is_historic else ""
        fields[name if name not in fields else f"{name}_2"] = Value(value, ucum)
    return fields
