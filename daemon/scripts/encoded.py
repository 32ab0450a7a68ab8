"""From what a script's encodeDownlink returned, as JSON text, to a downlink. Pure.

Understood: TS013's `{bytes, fPort, warnings, errors}`, where published scripts also write `port` for fPort, fPort as a
text, and the bytes in hexadecimal; and the bare list of bytes of older functions.
"""

from typing import Final

import msgspec

from torhaus.codecs.model import DecodeError, RejectReason
from torhaus.daemon.scripts.protocol import MAX_DOWNLINK_BYTES, Encoded
from torhaus.daemon.scripts.result import notes

_MAX_BYTE: Final = 255


def read_encoded(text: str) -> Encoded:
    """The downlink. DecodeError: SCRIPT_ERROR when the script reports errors, SCRIPT_RESULT when it is no downlink."""
    try:
        result = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise DecodeError(RejectReason.SCRIPT_RESULT, f"the result is not JSON: {error}") from None
    if isinstance(result, list):
        return Encoded(_payload(result))
    if not isinstance(result, dict):
        raise DecodeError(RejectReason.SCRIPT_RESULT, "returned no downlink: neither an object nor a list of bytes")
    errors = notes(result.get("errors"))
    if errors:
        raise DecodeError(RejectReason.SCRIPT_ERROR, "; ".join(errors))
    if result.get("bytes") is None:
        raise DecodeError(RejectReason.SCRIPT_RESULT, "returned no bytes")
    return Encoded(_payload(result["bytes"]), _fport(result), notes(result.get("warnings")))


def _payload(value: object) -> bytes:
    if isinstance(value, str):
        try:
            data = bytes.fromhex(value)
        except ValueError:
            raise DecodeError(RejectReason.SCRIPT_RESULT, "the bytes are a text that is not hexadecimal") from None
    elif isinstance(value, list):
        data = bytes(_byte(index, item) for index, item in enumerate(value[: MAX_DOWNLINK_BYTES + 1]))
    else:
        raise DecodeError(RejectReason.SCRIPT_RESULT, "the bytes are no list")
    if len(data) > MAX_DOWNLINK_BYTES:
        raise DecodeError(RejectReason.SCRIPT_RESULT, f"more than {MAX_DOWNLINK_BYTES} bytes")
    return data


def _byte(index: int, item: object) -> int:
    if isinstance(item, bool) or not isinstance(item, int | float) or item != item // 1 or not 0 <= item <= _MAX_BYTE:
        raise DecodeError(RejectReason.SCRIPT_RESULT, f"byte {index} is no whole number from 0 to {_MAX_BYTE}")
    return int(item)


def _fport(result: dict[str, object]) -> int | None:
    value = result.get("fPort", result.get("port"))
    if value is None:
        return None
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= len(str(_MAX_BYTE)):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MAX_BYTE:
        raise DecodeError(RejectReason.SCRIPT_RESULT, f"fPort is no whole number from 0 to {_MAX_BYTE}")
    return value
