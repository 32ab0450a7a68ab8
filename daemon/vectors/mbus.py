"""Frames of wired M-Bus meters with the records that libmbus finds in them: value, unit, function, storage, tariff."""

import math
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
UNITS: Final = {"W.h": "Wh", "m3": "m^3", "m3/h": "m^3/h", "Cel": "°C"}
"""UCUM to what libmbus writes, where they differ and the size is the same."""
COMPARED: Final = frozenset({"Wh", "J", "W", "m^3", "m^3/h", "°C", "K", "V", "A", "s", "bar", "kg"})


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
    unit = str(want.get("Unit", "")).replace("Â", "")
    is_date = record.quantity.endswith("_time")  # libmbus takes "date and time of" for the quantity itself
    if "expected_normalized" in line and unit in COMPARED and not (is_date and record.unit is None):
        mine = UNITS.get(record.unit or "", record.unit)
        if mine != unit:
            found.append(f"unit got {mine!r}, expected {unit!r}")
        if isinstance(record.value, int | float) and not math.isclose(
            record.value, float(want["Value"]), rel_tol=TOLERANCE, abs_tol=TOLERANCE
        ):
            found.append(f"got {record.value!r}, expected {want['Value']}")
    return found
