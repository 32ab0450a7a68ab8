"""How the data of a record become a value. After EN 13757-3:2018, table of DIF data types, annex A (types A to K)."""

import math
import struct
from datetime import date, datetime, time
from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.model import DecodeError, RejectReason

SIZES: Final = {1: 1, 2: 2, 3: 3, 4: 4, 5: 4, 6: 6, 7: 8, 9: 1, 10: 2, 11: 3, 12: 4, 14: 6}
"""Bytes by the low half of a DIF; D is of variable length, 0 and 8 have no data."""
LVAR: Final = 0x0D
REAL: Final = 0x05
BCD: Final = frozenset({9, 10, 11, 12, 14})


def bcd(raw: bytes) -> int | None:
    """Type A, least significant byte first; F in the highest place is a minus. None when it is no number."""
    digits = raw[::-1].hex()
    sign = -1 if digits.startswith("f") else 1
    digits = "0" + digits[1:] if sign < 0 else digits
    return sign * int(digits) if digits.isdecimal() else None


def integer(raw: bytes, *, is_signed: bool) -> int | None:
    """Types B and C. None: the lowest number of type B, which says that there is no valid value."""
    number = int.from_bytes(raw, "little", signed=is_signed)
    return None if is_signed and number == -(1 << 8 * len(raw) - 1) else number


def text(raw: bytes) -> str:
    """ISO 8859-1, sent last letter first; what cannot be printed is dropped."""
    return "".join(c for c in raw[::-1].decode("latin-1") if c.isprintable()).strip()


def real(raw: bytes) -> float | None:
    """Type H, as short a decimal as says the same; None when it is no number."""
    value: float = struct.unpack("<f", raw)[0]
    return float(f"{value:.7g}") if math.isfinite(value) else None


def lvar(cursor: Cursor, *, is_text: bool = True) -> str | int | None:
    """A value of variable length: text, a BCD number, or binary, as a number up to 8 bytes and as hex above.

    `is_text`: False where a manufacturer may have its own bytes instead; what cannot be printed is hex then, as sent.
    """
    code = cursor.u8()
    if code <= 0xBF:
        raw = cursor.take(code)
        return text(raw) if is_text or raw.decode("latin-1").isprintable() else raw.hex()
    if code <= 0xC9 or 0xD0 <= code <= 0xD9:
        number = bcd(cursor.take(code & 0x0F))
        return number if number is None or code <= 0xC9 else -number
    if 0xE0 <= code <= 0xF6:
        size = code - 0xE0 if code <= 0xEF else 4 * (code - 0xEC) if code <= 0xF4 else {0xF5: 48, 0xF6: 64}[code]
        raw = cursor.take(size)
        return int.from_bytes(raw, "little", signed=True) if size <= 8 else raw[::-1].hex()
    raise DecodeError(RejectReason.UNSUPPORTED, f"variable length {code:#04x}")


def raw_text(cursor: Cursor) -> str:
    """The bytes of a value of variable length, as hex in the order of sending, where it is sent as text."""
    code = cursor.u8()
    if code > 0xBF:
        raise DecodeError(RejectReason.UNSUPPORTED, f"variable length {code:#04x} of a profile")
    return cursor.take(code).hex()


def _year(low: int, hundreds: int = 0) -> int:
    """Two digits: 81 to 99 are of the last century, unless the hundreds are told."""
    return 1900 + 100 * hundreds + low if hundreds or low > 80 else 2000 + low


def _day(low: int, high: int) -> tuple[int, int, int]:
    """Year's two digits, month, day of types F, G and I."""
    return (low >> 5) | (high >> 4 & 0x0F) << 3, high & 0x0F, low & 0x1F


def moment(raw: bytes) -> str | None:
    """Types G (2 bytes), J (3), F (4) and I (6), as ISO 8601 local time. None: marked invalid, or no such date."""
    try:
        if len(raw) == 2:
            year, month, day = _day(raw[0], raw[1])
            return date(_year(year), month, day).isoformat() if year < 100 else None
        if len(raw) == 3:
            second, minute, hour = raw[0] & 0x3F, raw[1] & 0x3F, raw[2] & 0x1F
            return f"{hour:02}:{minute:02}:{second:02}" if second < 60 and minute < 60 and hour < 24 else None
        if len(raw) == 4:
            year, month, day = _day(raw[2], raw[3])
            minute, hour, hundreds, second = raw[0], raw[1] & 0x1F, raw[1] >> 5 & 3, 0
            invalid = bool(raw[0] & 0x80)
        elif len(raw) == 6:
            year, month, day = _day(raw[3], raw[4])
            second, minute, hour, hundreds = raw[0] & 0x3F, raw[1], raw[2] & 0x1F, 0
            invalid = bool(raw[1] & 0x80)
        else:
            return None
        if invalid or year > 99:
            return None
        when = datetime.combine(date(_year(year, hundreds), month, day), time(hour, minute & 0x3F, second))
        return when.isoformat()
    except ValueError:
        return None


def season(raw: bytes) -> str | None:
    """Type K, the rule of summer time: `03-29T02/10-25+1` (first hour, last day, hours that are added), or `off`.

    None: no such dates.
    """
    if len(raw) != 4:
        return None
    begin, end = (raw[3] & 0x0F, raw[1] & 0x1F), (raw[3] >> 4, raw[2] & 0x1F)
    hour, hours = raw[0] & 0x1F, raw[2] >> 5 & 3
    if not raw[1] & 0x80:
        return "off"
    if hour > 23 or not all(1 <= month <= 12 and day for month, day in (begin, end)):
        return None
    sign = "-" if raw[2] & 0x80 else "+"
    return f"{begin[0]:02}-{begin[1]:02}T{hour:02}/{end[0]:02}-{end[1]:02}{sign}{hours}"
