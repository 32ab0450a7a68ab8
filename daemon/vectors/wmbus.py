"""Telegrams of wireless (and some wired) M-Bus meters with what wmbusmeters reads from them.

Its drivers give values names of their own, so a line is compared by quantity: each expected number, date and time must
be among the records of that quantity (energy, volume, temperature, …), in the expected unit. Its words for status bits
are no records. What is deliberately different: torhaus.daemon.vectors.wmbus_exceptions.
"""

import math
import re
from typing import Any, Final

from torhaus.codecs.framing.wmbus import telegram_of
from torhaus.codecs.meter.mbus.telegram import decode as decode_wired
from torhaus.codecs.meter.wmbus.compact import Formats
from torhaus.codecs.meter.wmbus.telegram import decode
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value
from torhaus.daemon.vectors.base import MAX_SHOWN, Line, Tools
from torhaus.daemon.vectors.wmbus_exceptions import CONTAINERS, DIFFERENT, REFUSED

TOLERANCE: Final = 1e-6
"""wmbusmeters prints six decimals."""

_J_PER_KWH: Final = 3.6e6
_YEAR_S: Final = 365 * 86400.0
_MEAN_YEAR_S: Final = 365.2425 * 86400
Unit = tuple[str | None, float]
UNITS: Final[dict[str, tuple[Unit, ...]]] = {
    "kwh": (("W.h", 1e-3), ("J", 1 / _J_PER_KWH), ("cal", 4.1868 / _J_PER_KWH)), "mj": (("J", 1e-6),),
    "gj": (("J", 1e-9),), "kw": (("W", 1e-3), ("J/h", 1 / _J_PER_KWH)), "w": (("W", 1.0),),
    "m3": (("m3", 1.0),), "l": (("m3", 1e3),),
    "m3h": (("m3/h", 1.0), ("m3/min", 60.0), ("m3/s", 3600.0)), "lh": (("m3/h", 1e3),),
    "c": (("Cel", 1.0), ("K", 1.0)), "v": (("V", 1.0),), "a": (("A", 1.0),), "hz": (("Hz", 1.0),),
    "bar": (("bar", 1.0),), "rh": (("%", 1.0),), "kvarh": (("var.h", 1e-3),), "kvar": (("var", 1e-3),),
    "kvah": (("V.A.h", 1e-3),), "kva": (("V.A", 1e-3),), "dbm": (("dB[mW]", 1.0),),
    "y": (("s", 1 / _YEAR_S), ("s", 1 / _MEAN_YEAR_S), ("a", 1.0)), "month": (("mo", 1.0),), "d": (("s", 1 / 86400),),
    "h": (("s", 1 / 3600),), "min": (("s", 1 / 60),), "s": (("s", 1.0),),
}  # fmt: skip
"""The end of an expected name to our units, and what they are multiplied by. Other ends have no unit."""
_WORDS: Final = frozenset({"_", "meter", "name", "media", "id"})
_MOMENT: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?: \d\d:\d\d(?::\d\d)?)?")
_NO_DATES: Final = ("1999-11-30", "2127-", "2000-00-00")
"""What wmbusmeters makes of a date that is all zero, or without a year: here it is null."""


async def check(line: Line, tools: Tools) -> str | None:
    """What is wrong, None when nothing is."""
    formats = tools.memory.setdefault("wmbus", Formats())
    try:
        key = bytes.fromhex(line.get("key") or "")
        for text in line.get("preceding_telegrams") or ():
            _read(line, _bytes(text), key, formats)
        fields = [_read(line, telegram, key, formats) for telegram in _telegrams(_bytes(line["telegram"]))]
    except DecodeError as e:
        return None if REFUSED.get(line.get("driver", "")) == e.reason.value else f"refused: {e}"
    found = _differences(line, fields)
    return "; ".join(found[:MAX_SHOWN]) or None


def _bytes(text: object) -> bytes:
    """ValueError when it is not hexadecimal; half a byte at the end, as one line has it, is left out."""
    digits = str(text).replace("_", "").replace("|", "")
    return bytes.fromhex(digits[: len(digits) & ~1])


def _telegrams(data: bytes) -> list[bytes]:
    """Telegrams one behind the other, as some lines have them; one that is longer than it says stays as it is."""
    if len(data) > 1 and data[0] == 0x68:
        return [data]
    size = data[0] + 1 if data else 0
    rest = data[size:]
    if len(rest) > 10 and rest[1:8] == data[1:8] and len(rest) == rest[0] + 1:
        return [data[:size], rest]
    return [data]


def _read(line: Line, data: bytes, key: bytes, formats: Formats) -> Fields:
    if line.get("transport") == "mbus":
        return decode_wired(data)
    telegram = telegram_of(data)
    if len(key) != 16:
        return decode(telegram, formats=formats)
    try:
        return decode(telegram, key=key, formats=formats)
    except DecodeError as e:
        if e.reason is not RejectReason.KEY:
            raise
        return decode(telegram, formats=formats)  # some lines were decrypted before they were published


def _differences(line: Line, read: list[Fields]) -> list[str]:
    excused = DIFFERENT.get(line.get("driver", ""), "")
    if any(CONTAINERS & fields.keys() for fields in read):
        excused = "."
    expected: dict[str, Any] = line["expected"]
    values = [value for fields in read for value in fields.values()]
    found = []
    ids = {str(fields["meter_id"].value) for fields in read}
    ids |= {str(fields["radio_address"].value).split("/")[1] for fields in read if "radio_address" in fields}
    if str(expected.get("id", "")).lower() not in ids:
        found.append(f"id: got {', '.join(sorted(ids))}, expected {expected.get('id')}")
    for name, want in expected.items():
        if name in _WORDS or want is None or (excused and re.search(excused, name)):
            continue
        if isinstance(want, bool) or not (isinstance(want, int | float) or _MOMENT.fullmatch(str(want))):
            continue
        is_there = _has_number(name, want, values) if isinstance(want, int | float) else _has_moment(want, values)
        if not is_there:
            found.append(f"{name}: no record says {want}")
    return found


def _has_number(name: str, want: float, values: list[Value]) -> bool:
    units = UNITS.get(name.rsplit("_", 1)[-1], ((None, 1.0),))
    for value in values:
        if isinstance(value.value, bool) or not isinstance(value.value, int | float):
            continue
        for unit, factor in units:
            if value.unit == unit and math.isclose(value.value * factor, want, rel_tol=TOLERANCE, abs_tol=TOLERANCE):
                return True
    return False


def _has_moment(want: str, values: list[Value]) -> bool:
    if want.startswith(_NO_DATES):
        return any(value.value is None for value in values)
    return any(str(value.value).replace("T", " ").startswith(want) for value in values)
