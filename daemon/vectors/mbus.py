"""Frames of wired M-Bus meters with the records that libmbus finds in them: value, unit, function, storage, tariff."""

import math
import re
from typing import Any, Final

from torhaus.codecs.framing.mbus import unwrap
from torhaus.codecs.meter.mbus.record import Record, records
from torhaus.codecs.meter.mbus.telegram import decode
from torhaus.codecs.model import DecodeError
from torhaus.daemon.vectors.base import MAX_SHOWN, Line, Tools

TOLERANCE: Final = 1e-6
"""libmbus prints six decimals."""
HEADER: Final = 12
FUNCTIONS: Final = {
    "Instantaneous value": "",
    "Maximum value": "max",
    "Minimum value": "min",
    "Value during error state": "error",
}
UNITS: Final = {"Wh": "W.h", "m^3": "m3", "m^3/h": "m3/h", "°C": "Cel"}
"""What libmbus writes to UCUM, where they differ and the size is the same."""
NO_UNIT: Final = frozenset({"", "-", "Reserved", "Units for H.C.A."})
QUANTITIES: Final = {
    "Fabrication No": "fabrication_number", "H.C.A.": "heat_cost_allocator", "Model / Version": "model_version",
    "Parameter set identification": "parameter_set", "Special supplier information": "supplier_information",
    "Time point (date & time)": "time", "Time point (date)": "date",
}  # fmt: skip
"""libmbus' words for a quantity, where they are not ours. It prints the text of a plain-text VIF as it is."""
NO_DATES: Final = ("2000-00-00", "2027-")
"""What libmbus prints for a date that is all zero, or of any year (its two digits are 127): here it is null."""
OWN: Final = frozenset({"", "Reserved", "Manufacturer specific"})
"""Words that say nothing about a quantity."""


async def check(line: Line, tools: Tools) -> str | None:  # noqa: ARG001 - one signature for all forms
    """What is wrong, None when nothing is. Without expected records a frame must only decode or be refused."""
    frame = bytes.fromhex(line["hex"])
    expected = line.get("expected_normalized") or line.get("expected") or {}
    try:
        fields = decode(frame)
    except DecodeError as e:
        return f"refused: {e}" if line["kind"] == "ok" else None
    wanted = expected.get("records") or []
    telegram = unwrap(frame)
    if line["kind"] != "ok" or telegram.ci != 0x72:
        return None
    slave = expected.get("slave", {})
    identity = str(slave.get("Id", fields["meter_id"].value))
    found = []
    if identity.lower().lstrip("0") != str(fields["meter_id"].value).lstrip("0"):
        found.append(f"meter_id: got {fields['meter_id'].value!r}, expected {identity!r}")
    have = [record for record in records(telegram.data[HEADER:]) if isinstance(record, Record)]
    told = [w for w in wanted if w.get("Function", "") in {*FUNCTIONS, ""}]
    if len(have) != len(told):
        found.append(f"{len(have)} records, expected {len(told)}")
    for n, (record, want) in enumerate(zip(have, told, strict=False)):
        if "Function" not in want:  # libmbus knows no meaning for this record
            continue
        found += [f"record {n} ({record.quantity}): {what}" for what in _compared(record, want, line)]
    return "; ".join(found[:MAX_SHOWN]) or None


def _compared(record: Record, want: dict[str, Any], line: Line) -> list[str]:
    found = []
    pairs = (
        ("function", record.function, FUNCTIONS[want["Function"]]),
        ("storage", record.storage, int(want.get("StorageNumber", 0))),
        ("tariff", record.tariff, int(want.get("Tariff", 0))),
        ("subunit", record.subunit, int(want.get("Device", 0))),
    )
    found += [f"{name} got {got!r}, expected {wanted!r}" for name, got, wanted in pairs if got != wanted]
    if "expected_normalized" not in line:
        return found
    return found + _meaning(record, want) + _value(record, want)


def _meaning(record: Record, want: dict[str, Any]) -> list[str]:
    found = []
    said = str(want.get("Quantity", ""))
    quantity = QUANTITIES.get(said, re.sub("[^a-z0-9]", "_", said.lower()).strip("_"))
    if said not in OWN and not re.fullmatch(f"(?:text_)?{re.escape(quantity)}(?:_.+)?", record.quantity):
        found.append(f"quantity got {record.quantity!r}, expected {said!r}")
    unit = str(want.get("Unit", "")).replace("Â", "")
    if unit not in NO_UNIT and UNITS.get(unit, unit) != record.unit and not _is_date_of(record):
        found.append(f"unit got {record.unit!r}, expected {unit!r}")
    return found


def _value(record: Record, want: dict[str, Any]) -> list[str]:
    wanted, got = str(want["Value"]), record.value
    if isinstance(got, int | float):
        is_same = math.isclose(got, float(wanted), rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    elif got is None:
        is_same = wanted.startswith(NO_DATES) or _is_date_of(record)
    else:
        is_same = got in {wanted, wanted.removesuffix("Z"), wanted.replace(" ", "").lower()} or _is_date_of(record)
    return [] if is_same else [f"got {got!r}, expected {wanted!r}"]


def _is_date_of(record: Record) -> bool:
    """Whether it says when something was. libmbus takes such a date for a number of that quantity."""
    return record.quantity.endswith("_time") and record.unit is None
