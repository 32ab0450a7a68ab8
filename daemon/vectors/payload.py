"""Payloads of LoRaWAN sensors: bytes, FPort, and the values that a codec or a vendor's script must make of them."""

import re
from typing import Any, Final

import msgspec

from torhaus.codecs.model import MAX_DETAIL, DecodeError, Fields, RejectReason, Value
from torhaus.codecs.models import natives
from torhaus.daemon.config.document import ConfigFaults
from torhaus.daemon.config.layouts import Codecs
from torhaus.daemon.scripts.result import clean, read_result, to_fields
from torhaus.daemon.vectors.base import Line, Tools, differences
from torhaus.daemon.vectors.measurements import as_fields, measurements
from torhaus.daemon.vectors.wrapped import unwrapped

_SCRIPT: Final = ".js"
_ECHOES: Final = frozenset({"raw", "port", "fPort"})
"""What some scripts return of their input."""
_DECIMAL: Final = re.compile(r"-?\d{1,15}(\.\d{1,15})?")


class Payload(msgspec.Struct, kw_only=True):
    """One line.

    What decodes it: `codec_path` (or `upstream_path`), a script below the base; `codec`, a codec's name or a script;
    else `vendor` and `model` pick the native codec, or one that gives the same model's values its other published
    names. A native one is preferred to a script that is not there.
    `hex` (or `bytes_hex`), `fport`; for scripts `recv_time` (RFC 3339) and `input_extra` (what else their input has).
    What must come of it: `expect` (name to value, or to value and unit), or `expected` (nested, as a script returns
    it), or `reject` (a reason), or `expected_errors` (texts, all said by a script).
    """

    hex: str | None = None
    bytes_hex: str | None = None
    codec: str | None = None
    codec_path: str = ""
    upstream_path: str = ""
    vendor: str = ""
    model: str = ""
    fport: int | None = None
    recv_time: str | None = None
    input_extra: dict[str, Any] = {}
    expect: dict[str, Any] | None = None
    expected: Any = None
    expected_is_whole_return: bool = False
    expected_errors: list[Any] | None = None
    reject: str | None = None


async def check(line: Line, tools: Tools) -> str | None:
    """What is wrong, None when nothing is.

    A line that names vendor and model only holds as soon as one of that model's native codecs gives all it expects:
    some models have two published decoders with other names.
    """
    v = msgspec.convert(line, Payload)
    names = codecs_of(v, tools)
    if not names:
        return f"no native codec for {v.vendor}/{v.model}" if v.vendor else "no codec: neither in the line nor given"
    first, *others = names
    fault = await _checked(v, tools, first)
    for other in others if fault is not None else ():
        if await _checked(v, tools, other) is None:
            tools.other_names += 1
            return None
    return fault


async def _checked(v: Payload, tools: Tools, codec: str) -> str | None:
    payload = bytes.fromhex((v.hex if v.hex is not None else v.bytes_hex) or "")
    is_script = codec.endswith(_SCRIPT)
    decode = None
    if not is_script:
        try:
            decode = Codecs(tools.base)(codec)
        except KeyError:
            return f"no codec {codec!r}"
        except ConfigFaults as e:
            raise ValueError("; ".join(map(str, e.faults))) from None
    try:
        if decode is None:
            fields = await tools.scripts.decode(codec, payload, v.fport, v.recv_time, v.input_extra)
        else:
            fields = decode(payload, v.fport)
    except DecodeError as e:
        wanted = v.reject or (RejectReason.SCRIPT_ERROR.value if v.expected_errors else None)
        is_right = wanted == e.reason.value or (v.expected_errors and not is_script)
        if not is_right:
            return f"refused: {e}"
        return missing_text(v.expected_errors, e) if is_script else None
    if v.reject is not None or v.expected_errors:
        return f"decoded, but must be refused{f' as {v.reject}' if v.reject else ''}"
    return differences(fields, _returned(v, fields) if is_script else quantities(v, fields))


def missing_text(errors: list[Any] | None, found: DecodeError) -> str | None:
    """Which of the texts the script should have given it has not; its refusal is cut off where it is long."""
    for text in errors or ():
        said = text if isinstance(text, str) else msgspec.json.encode(text).decode()
        if not _is_said(" ".join(said.split()), " ".join(found.detail.split())):
            return f"errors: got {found.detail!r}, expected {said!r}"
    return None


def _is_said(text: str, detail: str) -> bool:
    if len(detail) < MAX_DETAIL - 1:
        return text in detail
    return any(detail.endswith(text[:n]) for n in range(1, len(text))) or text in detail or len(text) > MAX_DETAIL // 2


def codecs_of(v: Payload, tools: Tools) -> tuple[str, ...]:
    """Codecs' names, or a script below the base."""
    named = v.codec or tools.codec
    if named is not None:
        return (named,)
    paths = [p for p in (v.codec_path, v.upstream_path) if p.endswith(_SCRIPT)]
    there = next((p for p in paths if (tools.base / p).is_file()), None)
    if there is not None:
        return (there,)
    return natives(v.vendor, v.model) or (tuple(paths[:1]) if not v.vendor else ())


def expectation(v: Payload) -> dict[str, Any]:
    """Name to value. ValueError when what is expected is no result."""
    if v.expect is not None or v.expected is None:
        return v.expect or {}
    try:
        if v.expected_is_whole_return:
            fields = read_result(msgspec.json.encode(v.expected).decode()).fields
        else:
            fields = to_fields(v.expected)
    except DecodeError as e:
        raise ValueError(f"what is expected is no result: {e}") from e
    return {name: value.value for name, value in fields.items()}


def _returned(v: Payload, fields: Fields) -> dict[str, Any]:
    """As `expectation`, for scripts: examples have null for what is undefined, which JSON leaves out."""
    return {name: value for name, value in expectation(v).items() if value is not None or name in fields}


def quantities(v: Payload, fields: Fields) -> dict[str, Any]:
    """As `expectation`, for native codecs, which give numbers with units.

    Where a script returns `{displayName, value, unit}` for one quantity it is compared by its value; a number that a
    script returns as text ("21.40") or with its unit ("812 mm") as the number that it is.
    """
    found = unwrapped(v.expected, fields) if v.expect is None else None
    if found is not None:
        return found
    listed = measurements(v.expected) if v.expect is None else None
    if listed is not None:
        found = as_fields(listed, v.recv_time, fields)
        return {name: _number(value, fields.get(name)) for name, value in found.items()}
    if isinstance(v.expected, dict) and not v.expected_is_whole_return:
        values = {name: value for name, value in v.expected.items() if name not in _ECHOES or clean(name) in fields}
        v = msgspec.structs.replace(v, expected=_collapsed(values))
    return {name: _number(value, fields.get(name)) for name, value in expectation(v).items()}


def _number(value: object, have: Value | None) -> object:
    if have is None or not isinstance(value, str) or isinstance(have.value, str | bool | None):
        return value
    text = value.removesuffix(f" {have.unit}") if have.unit else value
    return float(text) if _DECIMAL.fullmatch(text) else value


def _collapsed(value: object) -> object:
    if not isinstance(value, dict):
        return value
    if "value" in value and value.keys() <= {"value", "unit", "displayName"}:
        return value["value"]
    return {name: _collapsed(inner) for name, inner in value.items()}
