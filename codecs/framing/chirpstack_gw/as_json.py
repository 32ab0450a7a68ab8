"""Messages as JSON, by protobuf's JSON mapping (https://protobuf.dev/programming-guides/json).

Written as ChirpStack reads it: camelCase names, base64, names of enumerations, "1.500s", RFC 3339; what has its default
is left out. Read in everything the mapping allows: also snake_case names, null, numbers as text, numbers of
enumerations, URL-safe and unpadded base64. Unknown names are ignored, as new versions add some.
"""

import math
from typing import Any, Final, TypeVar, cast

import msgspec

from torhaus.codecs.framing.chirpstack_gw.fields import (
    MAX_MESSAGE,
    Kind,
    Member,
    Message,
    Moment,
    Span,
    by_name,
    values,
)
from torhaus.codecs.framing.chirpstack_gw.times import format_moment, format_span, parse_moment, parse_span
from torhaus.codecs.framing.semtech_udp import decode_base64
from torhaus.codecs.model import DecodeError, RejectReason

M = TypeVar("M", bound=Message)

MAX_NAMES: Final = 512
"""Names in one object, unknown ones counted too."""
_RANGES: Final[dict[str, tuple[int, int]]] = {"uint32": (0, (1 << 32) - 1), "int32": (-(1 << 31), (1 << 31) - 1)}
_FLOAT_MAX: Final = {"float": 3.4028234663852886e38, "double": math.inf}
_NUMBERS: Final = {"Infinity": math.inf, "-Infinity": -math.inf, "NaN": math.nan}
_UNREADABLE: Final = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)


def _text(value: Any) -> str:  # noqa: ANN401 - as msgspec calls it
    if isinstance(value, Span):
        return format_span(value.ns)
    assert isinstance(value, Moment)
    return format_moment(value.ns)


_encode: Final = msgspec.json.Encoder(enc_hook=_text).encode
_decode: Final = msgspec.json.Decoder().decode


def to_json(message: Message) -> bytes:
    """The message as JSON text. DecodeError(RANGE) when a time in it cannot be written."""
    return _encode(message)


def from_json(of: type[M], data: bytes) -> M:
    """The message that the text says. DecodeError."""
    if len(data) > MAX_MESSAGE:
        raise DecodeError(RejectReason.LONG, f"{len(data)} bytes of JSON, at most {MAX_MESSAGE} are read")
    try:
        found = _decode(data)
    except _UNREADABLE as e:
        raise DecodeError(RejectReason.SYNTAX, f"not JSON: {e}") from None
    return cast("M", _message(of, found, of.__name__))


def _message(of: type[Message], found: Any, where: str) -> Message:  # noqa: ANN401 - anything can come
    if not isinstance(found, dict):
        raise DecodeError(RejectReason.SYNTAX, f"{where} is not an object")
    if len(found) > MAX_NAMES:
        raise DecodeError(RejectReason.LONG, f"{where} has {len(found)} names")
    known, out, chosen = by_name(of), dict[str, Any](), set[str]()
    for name, value in found.items():
        member = known.get(name)
        if member is None or value is None:
            continue
        if member.name in out or member.choice in chosen:
            raise DecodeError(RejectReason.SYNTAX, f"{where}.{member.label} is there twice, or beside another choice")
        if member.choice:
            chosen.add(member.choice)
        out[member.name] = _member(member, value, f"{where}.{member.label}")
    return of(**out)


def _member(m: Member, found: Any, where: str) -> Any:  # noqa: ANN401 - see above
    if m.shape == "one":
        return _one(m.kind, m, found, where)
    if isinstance(found, list | dict) and len(found) > m.most_items:
        raise DecodeError(RejectReason.LONG, f"{where} has {len(found)} entries, at most {m.most_items} are read")
    if m.shape == "list" and isinstance(found, list):
        return [_one(m.kind, m, each, where) for each in found]
    if m.shape == "map" and isinstance(found, dict):
        return {_one(m.key, m, key, where): _one(m.kind, m, each, where) for key, each in found.items()}
    raise DecodeError(RejectReason.SYNTAX, f"{where} is not a {m.shape}")


def _one(kind: Kind, m: Member, found: Any, where: str) -> Any:  # noqa: ANN401 - see above
    if kind == "message":
        return _message(m.type, found, where)
    if kind in _RANGES:
        return _integer(kind, found, where)
    if kind in _FLOAT_MAX:
        return _float(kind, found, where)
    if kind == "bool":
        if isinstance(found, bool):
            return found
    elif kind == "enum":
        return _enum(m, found, where)
    elif isinstance(found, str):
        if kind == "moment":
            return Moment(parse_moment(found))
        if kind == "span":
            return Span(parse_span(found))
        value = found if kind == "string" else decode_base64(found)
        if len(value) > m.most:
            raise DecodeError(RejectReason.LONG, f"{where} is longer than {m.most}")
        return value
    raise DecodeError(RejectReason.SYNTAX, f"{where} is not a {kind}")


def _integer(kind: Kind, found: Any, where: str) -> int:  # noqa: ANN401 - see above
    if isinstance(found, str) and len(found) <= 16:
        try:
            found = float(found)
        except ValueError:
            found = None
    if isinstance(found, float) and found.is_integer():
        found = int(found)
    if not isinstance(found, int) or isinstance(found, bool):
        raise DecodeError(RejectReason.SYNTAX, f"{where} is not a whole number")
    low, high = _RANGES[kind]
    if not low <= found <= high:
        raise DecodeError(RejectReason.RANGE, f"{where} is not within {low} to {high}")
    return found


def _float(kind: Kind, found: Any, where: str) -> float:  # noqa: ANN401 - see above
    if isinstance(found, str):
        if found in _NUMBERS:
            return _NUMBERS[found]
        try:
            found = float(found) if len(found) <= 32 else None
        except ValueError:
            found = None
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise DecodeError(RejectReason.SYNTAX, f"{where} is not a number")
    if abs(found) > _FLOAT_MAX[kind]:
        raise DecodeError(RejectReason.RANGE, f"{where} does not fit a {kind}")
    return float(found)


def _enum(m: Member, found: Any, where: str) -> Any:  # noqa: ANN401 - see above
    names = values(m.type)
    if isinstance(found, str) and found in m.type.__members__:
        return m.type[found]
    if isinstance(found, int) and not isinstance(found, bool) and 0 <= found < len(names):
        return names[found]
    raise DecodeError(RejectReason.UNKNOWN_TYPE, f"{where} is {str(found)[:32]!r}")
