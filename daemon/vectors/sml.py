"""Dumps of SML meters beside a file with what other decoders find in them, telegram by telegram."""

from pathlib import Path
from typing import Any

import msgspec

from torhaus.codecs.framing.sml_transport import SmlFramer
from torhaus.codecs.meter.obis import octets_text, unit_code
from torhaus.codecs.meter.sml import decode
from torhaus.codecs.model import DecodeError, Fields
from torhaus.daemon.vectors.base import MAX_SHOWN, Line, Tools

MAX_DUMP: int = 1 << 20
_HEX = frozenset("0123456789abcdef")


async def check(line: Line, tools: Tools) -> str | None:
    """What is wrong, None when nothing is. `file` and `expected` are beside the vectors' file, or below the base."""
    dump, want = _read(line["file"], tools), msgspec.json.decode(_read(line["expected"], tools))
    telegrams = [piece for piece in SmlFramer().feed(dump) if isinstance(piece, bytes)]
    if len(telegrams) != want["sml_files_found"]:
        return f"{len(telegrams)} telegrams, expected {want['sml_files_found']}"
    found: list[str] = []
    printed = iter(want["libsml_lines"])
    for n, (telegram, frame) in enumerate(zip(telegrams, want["frames"], strict=True)):
        try:
            fields = decode(telegram)
        except DecodeError as e:
            found.append(f"telegram {n} is refused: {e}")
            continue
        codes = [name for name in fields if ":" in name and "_" not in name]
        if frame["values"]:
            faults = _unlike(fields, codes, frame["values"])
        else:  # one decoder gives up on this meter: what the other prints, one line for each value
            faults = _unlike_printed(fields, [next(printed, ["none", "", ""]) for _ in codes])
        found += [f"telegram {n}: {fault}" for fault in faults]
    return "; ".join(found[:MAX_SHOWN]) or None


def _read(name: str, tools: Tools) -> bytes:
    """Raises OSError; ValueError for a name that leads elsewhere, or too much."""
    if Path(name).name != name:
        raise ValueError(f"{name!r} is no file's name")
    path = next((p for p in (tools.beside / name, tools.base / name) if p.is_file()), tools.beside / name)
    with path.open("rb") as file:
        data = file.read(MAX_DUMP + 1)
    if len(data) > MAX_DUMP:
        raise ValueError(f"{name} has more than {MAX_DUMP} bytes")
    return data


def _unlike(fields: Fields, codes: list[str], values: list[dict[str, Any]]) -> list[str]:
    faults = [f"{code}: nobody else sees it" for code in sorted(set(codes) - {v["obis"] for v in values})]
    for want in values:
        name = want["obis"]
        got = fields.get(name)
        if got is None:
            faults.append(f"{name}: got nothing, expected {want['value']!r}")
            continue
        raw = want["raw_value"]
        if isinstance(raw, str):
            texts = {raw, fields["server_id"].value if "server_id" in fields else None}
            texts |= {octets_text(bytes.fromhex(raw))} if len(raw) % 2 == 0 and set(raw) <= _HEX else set()
            if got.value not in texts:
                faults.append(f"{name}: got {got.value!r}, expected {raw!r}")
        elif (got.value, got.unit) != (want["value"], unit_code(want["unit"])):
            faults.append(f"{name}: got {got.value!r} {got.unit}, expected {want['value']!r}, unit {want['unit']}")
        status = fields.get(f"{name}_status")
        if (status.value if status else None) != want["status"]:
            faults.append(f"{name}_status: got {status}, expected {want['status']}")
    return faults


def _unlike_printed(fields: Fields, lines: list[list[str]]) -> list[str]:
    faults = []
    for code, text, unit in lines:
        got = fields.get(code)
        if got is None or (unit and str(got.value) != text):
            faults.append(f"{code}: got {got.value if got else 'nothing'!r}, expected {text}")
    return faults
