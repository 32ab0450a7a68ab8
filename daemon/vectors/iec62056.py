"""Read-outs by IEC 62056-21 and P1 telegrams with their data sets; single messages of that protocol."""

import math
from typing import Any, Final

from torhaus.codecs.framing.iec62056 import bcc, identification, sign_on
from torhaus.codecs.meter import dsmr, iec62056
from torhaus.codecs.meter.iec62056_sets import data_sets, unit_code
from torhaus.codecs.model import DecodeError, Fields
from torhaus.daemon.vectors.base import MAX_SHOWN, Line, Tools, same

UNITS: Final = {"kWh": "kW.h", "Wh": "W.h", "kvarh": "kvar.h", "varh": "var.h", "m3": "m3"}
"""What meters and parsers write to UCUM, where the two differ or the size must not be lost."""
_ERROR: Final = "error"

Sets = list[tuple[str, list[tuple[str, str | None]]]]


async def check(line: Line, tools: Tools) -> str | None:  # noqa: ARG001 - one signature for all forms
    """What is wrong, None when nothing is. A message is `text` or `raw_hex` of kind "message"."""
    if line["kind"] == "message":
        return _message(line)
    raw = bytes.fromhex(line["raw_hex"])
    codec = dsmr if line["kind"] == "p1" else iec62056
    expected: dict[str, Any] = line["expected"]
    try:
        fields = codec.decode(raw)
        identity, sets, malformed = iec62056.readout(raw)
    except DecodeError as e:
        return f"refused: {e}"
    found = []
    if malformed:
        found.append(f"{malformed} lines are no data sets")
    who, said = expected["identification"], identification(raw)
    text = f"{said.maker}{said.rate}" + identity[4:]
    wanted = f"{who['manufacturer']}{who['baud_char']}" + _visible(who["ident"])
    if text != wanted:
        found.append(f"identification: got {text!r}, expected {wanted!r}")
    have: Sets = [(s.address, list(s.values)) for s in sets]
    want: Sets = [(s["address"], [(v["value"], v["unit"]) for v in s["values"]]) for s in expected["data_sets"]]
    found += _unlike(have, want)
    found += [fault for address, values in want if len(values) == 1 for fault in _unlike_field(fields, address, values)]
    parsed = line.get("dsmr_parser_json", {})
    found += [f"{name}: nobody says {v['value']} {v['unit']}" for name, v in parsed.items() if not _says(fields, v)]
    return "; ".join(found[:MAX_SHOWN]) or None


def _visible(text: str) -> str:
    return "".join(c if " " <= c < "\x7f" else f"\\x{ord(c):02x}" for c in text)


def _unlike(have: Sets, want: Sets) -> list[str]:
    """Address, value and unit of every data set, as the meter writes them."""
    found = [] if len(have) == len(want) else [f"{len(have)} data sets, expected {len(want)}"]
    for got, wanted in zip(have, want, strict=False):
        stripped = [(v.strip(), u) for v, u in got[1]], [(v.strip(), u) for v, u in wanted[1]]
        if got[0] != wanted[0] or stripped[0] != stripped[1]:
            found.append(f"got {got}, expected {wanted}")
    return found


def _unlike_field(fields: Fields, address: str, values: list[tuple[str, str | None]]) -> list[str]:
    """A value with a unit is a number in that unit."""
    text, unit = values[0]
    if unit is None:
        return []
    value, code = float(text), UNITS.get(unit, unit)
    got = [v for name, v in fields.items() if name == address or name.startswith(f"{address}_")]
    if any(v.unit == code and same(v.value, value) for v in got):
        return []
    return [f"{address}: got {got}, expected {value} {code}"]


def _says(fields: Fields, wanted: Any) -> bool:  # noqa: ANN401 - as another parser gives it
    """Whether some field has the number that another parser finds, in its unit. What is no number is not compared."""
    if not isinstance(wanted, dict) or not isinstance(wanted.get("value"), float) or not wanted.get("unit"):
        return True
    code = UNITS.get(wanted["unit"], unit_code(wanted["unit"]))
    return any(
        isinstance(v.value, int | float) and v.unit == code and math.isclose(v.value, wanted["value"])
        for v in fields.values()
    )


def _message(line: Line) -> str | None:
    expected = line["expected"]
    if expected == _ERROR or isinstance(expected, list):
        sets, malformed = data_sets(line["text"])
        if expected == _ERROR:
            return None if malformed and not sets else "decoded, but must be refused"
        got = [[s.address, *value] for s in sets for value in s.values]
        return None if got == expected and not malformed else f"got {got}, expected {expected}"
    if "device_address" in expected:
        made = sign_on(expected["device_address"]).decode("ascii")
        return None if made == line["text"] else f"got {made!r}, expected {line['text']!r}"
    if "bcc_valid" in expected:
        raw = bytes.fromhex(line["raw_hex"])
        valid = bcc(raw[1:-1]) == raw[-1]
        return None if valid is expected["bcc_valid"] else f"bcc_valid: got {valid}"
    if "switchover_baudrate_char" not in expected:
        raise ValueError(f"a message that says nothing known: {sorted(expected)}")
    try:
        who = identification(line["text"].encode("latin-1"))
    except DecodeError as e:
        return f"refused: {e}"
    found = (who.maker, who.rate, who.mode + who.text)
    wanted = (expected["manufacturer"], expected["switchover_baudrate_char"], expected["identification"])
    return None if found == wanted else f"got {found}, expected {wanted}"
