"""Downlinks: what a vendor's script encodes for a device, and what it decodes of that again."""

from typing import Any, Final

import msgspec

from torhaus.codecs.encoders import encoder
from torhaus.codecs.model import DecodeError, RejectReason
from torhaus.codecs.models import native
from torhaus.daemon.scripts.protocol import MAX_WARNING, Encoded
from torhaus.daemon.scripts.result import to_fields
from torhaus.daemon.vectors.base import Line, Tools, differences

_ENCODE: Final = "downlink-encode"
_DECODE: Final = "downlink-decode"
_OWN: Final = frozenset({"bytes", "fPort", "recvTime"})
"""Keys of `input` that a job has places of its own for."""


class Downlink(msgspec.Struct, kw_only=True):
    """One line.

    `codec_path` (or `upstream_path`) names the script, else `codec`, else `vendor` and `model` pick a native encoder.
    `input` is what its function is given: `data` and
    perhaps `fPort` to encode, `bytes` (a list or hexadecimal) and `fPort` to decode. `expected` is what it returns:
    `bytes`, `fPort` (or `port`), `warnings`, `errors`; or `data`; or the data alone.
    """

    direction: str
    codec_path: str = ""
    upstream_path: str = ""
    codec: str | None = None
    vendor: str = ""
    model: str = ""
    input: dict[str, Any]
    expected: dict[str, Any]


async def check(line: Line, tools: Tools) -> str | None:
    """What is wrong, None when nothing is."""
    v = msgspec.convert(line, Downlink)
    if v.direction not in {_ENCODE, _DECODE}:
        raise ValueError(f"direction is {v.direction!r}: there are {_ENCODE} and {_DECODE}")
    paths = [path for path in (v.codec_path, v.upstream_path) if path]
    script = next((path for path in paths if (tools.base / path).is_file()), None) or v.codec or tools.codec
    codec = script or native(v.vendor, v.model)
    errors = v.expected.get("errors")
    if codec is not None and not codec.endswith(".js"):
        return _native(codec, v, errors)
    if script is None:
        return f"no script {' or '.join(paths)} below the base" if paths else "no codec: neither in the line nor given"
    try:
        if v.direction == _ENCODE:
            found = await tools.scripts.encode(script, v.input, v.input.get("fPort"))
            fault = None if errors else _compare(found, v.expected)
        else:
            extra = {name: value for name, value in v.input.items() if name not in _OWN}
            fields = await tools.scripts.decode(
                script, _bytes(v.input.get("bytes")), v.input.get("fPort"), v.input.get("recvTime"), extra, "downlink"
            )
            data = to_fields(v.expected.get("data", v.expected))
            fault = None if errors else differences(fields, {name: value.value for name, value in data.items()})
    except DecodeError as e:
        return _refusal(e, errors)
    return f"made a result, but must say the error {errors[0]!r}" if errors else fault


def _native(codec: str, v: Downlink, errors: list[Any] | None) -> str | None:
    """As `check`, for encoders that torhaus has itself. The FPort is the sensor's to set: a line's own is right."""
    encode = encoder(codec)
    if encode is None or v.direction != _ENCODE:
        return f"{codec} has no such downlinks"
    try:
        made = encode(v.input.get("data", v.input))
    except DecodeError as e:
        return None if errors else f"refused: {e}"
    if errors:
        return f"made a result, but must say the error {errors[0]!r}"
    port = v.input.get("fPort", made.fport)
    return _compare(Encoded(made.payload, port), {**v.expected, "warnings": []})


def _refusal(error: DecodeError, errors: list[Any] | None) -> str | None:
    if not errors or error.reason is not RejectReason.SCRIPT_ERROR:
        return f"refused: {error}"
    missing = next((str(text) for text in errors if str(text)[:MAX_WARNING] not in error.detail), None)
    return None if missing is None else f"errors: got {error.detail!r}, expected {missing!r}"


def _bytes(value: object) -> bytes:
    if isinstance(value, str):
        return bytes.fromhex(value)
    if not isinstance(value, list):
        raise ValueError("input has no bytes")  # noqa: TRY004 - a line that cannot be used
    return bytes(value)


def _compare(found: Encoded, expected: dict[str, Any]) -> str | None:
    faults = []
    want = _bytes(expected.get("bytes"))
    if found.payload != want:
        faults.append(f"bytes: got {found.payload.hex()}, expected {want.hex()}")
    fport = expected.get("fPort", expected.get("port"))
    if fport is not None and str(found.fport) != str(fport):  # some lines have it as a text
        faults.append(f"fPort: got {found.fport}, expected {fport}")
    warnings = expected.get("warnings") or []
    if warnings != found.warnings:
        faults.append(f"warnings: got {found.warnings}, expected {warnings}")
    return "; ".join(faults) or None
