"""The data sets of a read-out by IEC 62056-21, chapter 6.5: `address(value*unit)(value*unit)…`, and their values.

Addresses stay as the meter writes them: `1.8.0`, `1-0:1.8.0*255`, `F.F`, `1.8.0*01` (of a period that is over).
"""

import re
from datetime import datetime
from typing import Final

import msgspec

from torhaus.codecs.model import DecodeError, Fields, RejectReason, Scalar, Value

MAX_SETS: Final = 2000
MAX_VALUES: Final = 500
"""Values of one address: a load profile of four days has 400."""

_SET: Final = re.compile(r"([^()\x00-\x1f]{0,40})((?:\([^()\x00-\x1f]{0,512}\))+)")
_GROUP: Final = re.compile(r"\(([^()]*)\)")
_NUMBER: Final = re.compile(r"[+-]?\d{1,18}(?:\.\d{0,15})?")
_DECIMAL: Final = re.compile(r"[+-]?\d{1,18}\.\d{1,15}")
_TIME: Final = re.compile(r"(\d{10}|\d{12})([SW])?")
_UNIT: Final = re.compile(r"[^\x00-\x20{}]{1,20}")

UNITS: Final[dict[str, str]] = {
    "wh": "W.h",
    "kwh": "kW.h",
    "mwh": "MW.h",
    "w": "W",
    "kw": "kW",
    "mw": "MW",
    "var": "var",
    "kvar": "kvar",
    "varh": "var.h",
    "kvarh": "kvar.h",
    "mvarh": "Mvar.h",
    "va": "V.A",
    "kva": "kV.A",
    "vah": "V.A.h",
    "kvah": "kV.A.h",
    "v": "V",
    "kv": "kV",
    "a": "A",
    "ka": "kA",
    "ah": "A.h",
    "hz": "Hz",
    "m3": "m3",
    "dm3": "L",
    "l": "L",
    "m3/h": "m3/h",
    "m3ph": "m3/h",
    "l/h": "L/h",
    "j": "J",
    "mj": "MJ",
    "gj": "GJ",
    "c": "Cel",
    "°c": "Cel",
    "k": "K",
    "bar": "bar",
    "s": "s",
    "min": "min",
    "h": "h",
    "d": "d",
    "%": "%",
    "deg": "deg",
}
"""Units as meters write them, in lower case, to UCUM codes. Capitals are not told apart: no meter counts milliwatts."""


class DataSet(msgspec.Struct, frozen=True, gc=False):
    """One address and its values, each with its unit as the meter writes it."""

    address: str
    values: tuple[tuple[str, str | None], ...]


def data_sets(text: str) -> tuple[list[DataSet], int]:
    """The data sets of the lines up to the one that starts with an exclamation mark, and how many lines are none.

    A line that starts with a bracket goes on with the set before. Raises DecodeError LONG.
    """
    sets: list[DataSet] = []
    malformed = 0
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("!"):
            break
        if not line:
            continue
        found, end = list[DataSet](), 0
        for match in _SET.finditer(line):
            if match.start() != end:
                break
            end = match.end()
            found.append(DataSet(match[1].strip(), tuple(_split(group) for group in _GROUP.findall(match[2]))))
        if end != len(line):
            malformed += 1
            continue
        for each in found:
            if not each.address and not sets:
                malformed += 1
                continue
            if not each.address:
                last = sets.pop()
                each = DataSet(last.address, last.values + each.values)  # noqa: PLW2901 - goes on
            if len(sets) >= MAX_SETS or len(each.values) > MAX_VALUES:
                raise DecodeError(RejectReason.LONG, "more values than a read-out has")
            sets.append(each)
    return sets, malformed


def _split(group: str) -> tuple[str, str | None]:
    value, star, unit = group.partition("*")
    return value, unit.strip() if star else None


def unit_code(unit: str | None) -> str | None:
    """The UCUM code of a unit; one that is not known becomes an annotation, so nothing is lost."""
    if not unit:
        return None
    known = UNITS.get(unit.lower())
    return known or (f"{{{unit}}}" if _UNIT.fullmatch(unit) else None)


def value_of(text: str, unit: str | None) -> Scalar:
    """A number where there is a unit or a decimal point; else text: identities and states look like numbers."""
    text = text.strip()
    if (unit is not None and _NUMBER.fullmatch(text)) or _DECIMAL.fullmatch(text):
        return float(text) if "." in text else int(text)
    return text


def time_of(text: str) -> str | None:
    """`YYMMDDhhmm[ss]`, with S or W for summer or winter time of Central Europe, as ISO 8601; None: it is none."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return None
    digits = match[1]
    try:
        at = datetime.strptime(digits, "%y%m%d%H%M%S" if len(digits) == 12 else "%y%m%d%H%M")  # noqa: DTZ007 - by hand
    except ValueError:
        return None
    return at.isoformat() + {"S": "+02:00", "W": "+01:00", None: ""}[match[2]]


def put(fields: Fields, name: str, value: Value) -> None:
    """A name that is taken gets the next free number."""
    free, n = name, 1
    while free in fields:
        n += 1
        free = f"{name}_{n}"
    fields[free] = value


def put_set(fields: Fields, each: DataSet) -> None:
    """The fields of one data set: its value, `…_timestamp` where a time stands beside it, `…_2` and so on for more."""
    values = each.values
    if len(values) == 2:
        times = [time_of(text) if unit is None else None for text, unit in values]
        if (times[0] is None) != (times[1] is None):
            other, at = (values[1], times[0]) if times[0] is not None else (values[0], times[1])
            put(fields, each.address, Value(value_of(*other), unit_code(other[1])))
            put(fields, f"{each.address}_timestamp", Value(at))
            return
    for text, unit in values:
        at = time_of(text) if unit is None and text.strip()[-1:] in {"S", "W"} else None
        put(fields, each.address, Value(at or value_of(text, unit), unit_code(unit)))
