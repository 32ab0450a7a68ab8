"""Codes that a barcode reader reads: one line each.

`code`: what was read. `symbology`: AIM's symbology identifier (ISO/IEC 15424), such as `Q3` for a QR code, where the
reader is set to send it in front (`]Q3…`). A code may be personal data: it is nowhere but in the record.
"""

import re
from typing import Final

from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value

MAX_CODE: Final = 4096
"""Bytes: a QR code holds 2,953, Aztec 3,067 digits of text less."""

_AIM: Final = re.compile(r"\]([A-Za-z][0-9A-Za-z])(.+)", re.DOTALL)


def decode(data: bytes, fport: int | None = None) -> Fields:  # noqa: ARG001 - one signature for all codecs
    """The code. Raises DecodeError SHORT, LONG or SYNTAX (no text)."""
    if len(data) > MAX_CODE:
        raise DecodeError(RejectReason.LONG, f"{len(data)} bytes, at most {MAX_CODE}")
    data = data.strip(b"\r\n\t\0 \x02\x03")
    if not data:
        raise DecodeError(RejectReason.SHORT, "an empty code")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    if any(not (c.isprintable() or c == "\x1d") for c in text):  # GS separates the parts of a GS1 code
        raise DecodeError(RejectReason.SYNTAX, "control characters in a code")
    match = _AIM.fullmatch(text)
    if match is None:
        return {"code": Value(text)}
    return {"code": Value(match[2]), "symbology": Value(match[1])}
