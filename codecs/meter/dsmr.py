"""Telegrams of the P1 port of smart meters: DSMR 2 to 5, and what Belgium, Luxembourg, Ireland and others made of it.

Source: Netbeheer Nederland, P1 Companion Standard (Dutch Smart Meter Requirements), versions 2.1 to 5.0.2, chapters 5
and 6; Fluvius, e-MUCS P1 1.7. Framing and CRC: torhaus.codecs.framing.iec62056.

- Names are OBIS codes as the meter writes them (`1-0:1.8.1`); units are UCUM codes; `version`, `identification`.
- `0-0:1.0.0`: the telegram's time in ISO 8601, with the offset of summer (S) or winter time (W).
- Meters behind the meter (gas, water, heat; channel n): `0-n:24.1.0` its kind, `0-n:96.1.0` its identity, `0-n:24.2.1`
  the value and `0-n:24.2.1_timestamp` when it was taken. The form of DSMR 2 and 3 (`0-n:24.3.0`) gets the same names.
- `1-0:99.97.0`: number of long power failures; `…_1_timestamp` and `…_1` (s) the end and the length of each.
"""

import re
from typing import Final

from torhaus.codecs.framing.iec62056 import check_p1
from torhaus.codecs.meter.iec62056 import readout
from torhaus.codecs.meter.iec62056_sets import DataSet, put, put_set, time_of, unit_code, value_of
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value

_COUNTS: Final = re.compile(r"\d-\d{1,2}:(96\.7\.\d{1,3}|[357]2\.3[26]\.0|24\.1\.0|24\.4\.0|96\.3\.10|17\.0\.0)")
_WHOLE: Final = re.compile(r"\d{1,18}")
_FAILURES: Final = "1-0:99.97.0"
_OLD_MBUS: Final = re.compile(r"(\d-\d{1,2}):24\.3\.0")


def decode(data: bytes, fport: int | None = None) -> Fields:  # noqa: ARG001 - one signature for all codecs
    """Fields of one telegram. Raises DecodeError: CRC, and what a read-out raises."""
    if not data.startswith(b"/"):
        raise DecodeError(RejectReason.SYNTAX, "a telegram starts with a slash")
    check_p1(data)
    identity, sets, malformed = readout(data)
    fields: Fields = {"identification": Value(identity)}
    for each in sets:
        old = _OLD_MBUS.fullmatch(each.address)
        if old is not None and len(each.values) >= 7:
            _old_mbus(fields, old[1], each)
        elif each.address == _FAILURES and each.values:
            _failures(fields, each)
        elif _COUNTS.fullmatch(each.address) and len(each.values) == 1 and _WHOLE.fullmatch(each.values[0][0]):
            put(fields, each.address, Value(int(each.values[0][0])))
        else:
            put_set(fields, each)
    if malformed:
        fields["malformed_entries"] = Value(malformed)
    return fields


def _old_mbus(fields: Fields, channel: str, each: DataSet) -> None:
    """`0-1:24.3.0(time)(status)(minutes)(number)(0-1:24.2.1)(m3)` and, in a line of its own, `(value)`."""
    values = [text for text, _ in each.values]
    name = f"{channel}:24.2.1"
    put(fields, name, Value(value_of(values[6], values[5]), unit_code(values[5])))
    at = time_of(values[0])
    if at is not None:
        put(fields, f"{name}_timestamp", Value(at))


def _failures(fields: Fields, each: DataSet) -> None:
    """`1-0:99.97.0(number)(0-0:96.7.19)(end)(length*s)(end)(length*s)…`."""
    count = each.values[0][0]
    put(fields, _FAILURES, Value(int(count) if _WHOLE.fullmatch(count) else 0))
    pairs = zip(each.values[2::2], each.values[3::2], strict=False)
    for n, ((end, _), (length, unit)) in enumerate(pairs, 1):
        put(fields, f"{_FAILURES}_{n}", Value(value_of(length, unit), unit_code(unit)))
        put(fields, f"{_FAILURES}_{n}_timestamp", Value(time_of(end)))
