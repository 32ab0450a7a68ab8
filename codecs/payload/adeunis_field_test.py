"""Adeunis Field Test Device: what a person who walks about with it measures of the network. Pure.

Source: Adeunis, user guide of the LoRaWAN Field Test Device, "Description of the frame".
"""

from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value

MAX_PAYLOAD: Final = 255
_TEMPERATURE, _MOVED, _BUTTON, _POSITION, _UP, _DOWN, _BATTERY, _LINK = (0x80 >> n for n in range(8))


def read_field_test(data: bytes, fport: int | None = None) -> Fields:
    """Fields of one uplink. Raises DecodeError SHORT, LONG, SYNTAX or RANGE."""
    del fport
    if not 0 < len(data) <= MAX_PAYLOAD:
        raise DecodeError(RejectReason.LONG if data else RejectReason.SHORT, f"{len(data)} bytes")
    cursor = Cursor(data)
    flags = cursor.u8()
    out: Fields = {"trigger": Value("button" if flags & _BUTTON else "movement" if flags & _MOVED else "timer")}
    if flags & _TEMPERATURE:
        out["temperature"] = Value(cursor.i8(), "Cel")
    if flags & _POSITION:
        _position(cursor, out)
    if flags & _UP:
        out["uplink_counter"] = Value(cursor.u8())
    if flags & _DOWN:
        out["downlink_counter"] = Value(cursor.u8())
    if flags & _BATTERY:
        out["battery_voltage"] = Value(cursor.ube(2) / 1000, "V")
    if flags & _LINK and cursor.left:
        out["downlink_rssi"] = Value(-cursor.u8(), "dB[mW]")
        out["downlink_snr"] = Value(cursor.i8(), "dB")
    return out


def _position(cursor: Cursor, out: Fields) -> None:
    """Degrees and minutes as decimal digits; the last bit is the hemisphere: 0 north or east."""
    latitude, longitude, quality = cursor.take(4), cursor.take(4), cursor.u8()
    north = _degrees(latitude.hex()[:7], 2, latitude)
    east = _degrees(longitude.hex()[:7], 3, longitude)
    if abs(north) > 90 or abs(east) > 180:
        raise DecodeError(RejectReason.RANGE, f"a position of {north} and {east} degrees")
    out["latitude"], out["longitude"] = Value(north, "deg"), Value(east, "deg")
    out["gps_quality"] = Value(quality >> 4)
    out["satellites"] = Value(quality & 0x0F)


def _degrees(digits: str, whole: int, raw: bytes) -> float:
    if not digits.isdigit():
        raise DecodeError(RejectReason.SYNTAX, f"{digits} are no decimal digits")
    minutes = int(digits[whole:]) / float(10 ** (len(digits) - whole - 2))
    degrees = int(digits[:whole]) + minutes / 60
    return -degrees if raw[-1] & 1 else degrees
