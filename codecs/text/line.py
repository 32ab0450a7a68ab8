"""Lines of text and short binary frames of devices for which there is no codec: what they mean is a rule of one's own.

Scales, weather stations, 1-Wire gateways, level meters and the like. Without a rule the field `text` has the line (hex
digits where it is no text). The driver `line` takes the rule from its configuration: a pattern with named groups, or
the layout of a frame (Python's `re` and `struct`).
"""

import math
import re
import struct
from collections.abc import Callable, Iterable
from typing import Annotated, Final, Literal

import msgspec

from torhaus.codecs.framing.crc import crc16_modbus
from torhaus.codecs.meter.obis import octets_text
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Scalar, Value

MAX_LINE: Final = 4096

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_INT: Final = re.compile(r"[+-]? *\d{1,18}")
_FLOAT: Final = re.compile(r"[+-]? *\d{1,18}([.,]\d{0,15})?([eE][+-]?\d{1,2})?")
_TRUE: Final = frozenset({"1", "on", "true", "yes", "ja"})
_FALSE: Final = frozenset({"0", "off", "false", "no", "nein", ""})

_CHECKS: Final[dict[str, tuple[int, Callable[[bytes], bytes]]]] = {
    "none": (0, lambda _: b""),
    "sum8": (1, lambda data: bytes((sum(data) & 0xFF,))),
    "xor8": (1, lambda data: bytes((_xor(data),))),
    "crc16_modbus": (2, lambda data: crc16_modbus(data).to_bytes(2, "little")),
}


class FieldRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one named group or number is: value = what stands there * scale + offset. `type`: for patterns only."""

    type: Literal["float", "int", "text", "bool", "hex"] = "float"
    unit: str | None = None
    scale: float = 1.0
    offset: float = 0.0


class Layout(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A binary frame.

    `start`: the mark it begins with, as hex digits; `format`: as of Python's struct, the mark not included; `names`:
    one for each number, "" for one that is of no interest; `check`: over all before it.
    """

    start: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-fA-F]{2}){1,8}\Z", description="1 to 8 bytes as hex digits")]
    format: str
    names: tuple[str, ...]
    check: Literal["none", "sum8", "xor8", "crc16_modbus"] = "none"

    def __post_init__(self) -> None:
        try:
            count = len(struct.unpack(self._format, bytes(struct.calcsize(self._format))))
        except (struct.error, MemoryError, OverflowError) as error:
            raise ValueError(f"format: {error}") from None
        if self.length > MAX_LINE:
            raise ValueError(f"format: a frame has at most {MAX_LINE} bytes")
        if count != len(self.names):
            raise ValueError(f"names: the format has {count} values, there are {len(self.names)} names")
        _check_names(name for name in self.names if name)

    @property
    def _format(self) -> str:
        return self.format if self.format[:1] in "<>=!" and self.format else f">{self.format}"

    @property
    def mark(self) -> bytes:
        """The bytes a frame begins with."""
        return bytes.fromhex(self.start)

    @property
    def length(self) -> int:
        """Bytes of a frame, mark and check included."""
        return len(self.mark) + struct.calcsize(self._format) + _CHECKS[self.check][0]

    def values(self, frame: bytes) -> dict[str, Scalar]:
        """The named values. Raises DecodeError SHORT, SYNTAX or CRC."""
        if len(frame) != self.length:
            raise DecodeError(RejectReason.SHORT, f"{len(frame)} bytes instead of {self.length}")
        if not frame.startswith(self.mark):
            raise DecodeError(RejectReason.SYNTAX, "no start of a frame")
        size, check = _CHECKS[self.check]
        data = frame[: len(frame) - size]
        if check(data) != frame[len(data) :]:
            raise DecodeError(RejectReason.CRC, "the check does not match")
        found = struct.unpack(self._format, data[len(self.mark) :])
        return {
            name: octets_text(value.rstrip(b"\0")) if isinstance(value, bytes) else value
            for name, value in zip(self.names, found, strict=True)
            if name
        }


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A pattern, searched for in each line, or the layout of a frame; and what its fields are."""

    pattern: "re.Pattern[str] | None" = None
    frame: Layout | None = None
    fields: dict[str, FieldRule] = {}

    def decode(self, data: bytes, fport: int | None = None) -> Fields:  # noqa: ARG002 - one signature for all codecs
        """Fields of a line or frame. Raises DecodeError: SYNTAX for one that does not fit; as `Layout.values` does."""
        if self.frame is not None:
            found: dict[str, Scalar] = self.frame.values(data)
        else:
            assert self.pattern is not None
            match = self.pattern.search(data.decode("latin-1")) if len(data) <= MAX_LINE else None
            if match is None:
                raise DecodeError(RejectReason.SYNTAX, "the line does not fit the pattern")
            found = {name: text for name, text in match.groupdict().items() if text is not None}
        fields = {name: _value(name, value, self.fields.get(name, _PLAIN)) for name, value in found.items()}
        if not fields:
            raise DecodeError(RejectReason.SYNTAX, "nothing with a name in it")
        return fields


_PLAIN: Final = FieldRule(type="text")


def rule(pattern: str, frame: Layout | None, fields: dict[str, FieldRule]) -> Rule:
    """The rule of a configuration. ValueError says what is wrong with it."""
    if bool(pattern) == (frame is not None):
        raise ValueError("pattern: needs either a pattern or a frame")
    compiled, names = None, set(frame.names if frame is not None else ())
    if pattern:
        try:
            compiled = re.compile(pattern, re.ASCII)
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"pattern: {error}") from None
        names = set(compiled.groupindex)
        if not names:
            raise ValueError(r"pattern: needs a named group, such as (?P<weight>\d+)")
        _check_names(names)
    for name in fields:
        if name not in names:
            raise ValueError(f'fields: "{name}" is no name in the {"pattern" if pattern else "frame"}')
    return Rule(pattern=compiled, frame=frame, fields=fields)


def decode(data: bytes, fport: int | None = None) -> Fields:  # noqa: ARG001 - one signature for all codecs
    """A line as it is. Raises DecodeError SHORT or LONG."""
    if not data.strip():
        raise DecodeError(RejectReason.SHORT, "an empty line")
    if len(data) > MAX_LINE:
        raise DecodeError(RejectReason.LONG, f"{len(data)} bytes, at most {MAX_LINE}")
    return {"text": Value(octets_text(data.strip()))}


def _value(name: str, found: Scalar, rule: FieldRule) -> Value:
    number: float | int
    if not isinstance(found, str):
        if not isinstance(found, int | float) or isinstance(found, bool):
            return Value(found, rule.unit)
        number = found
    else:
        text = found.strip()
        match rule.type:
            case "text":
                return Value("".join(c if c.isprintable() else "\ufffd" for c in text), rule.unit)
            case "bool":
                if text.lower() not in _TRUE | _FALSE:
                    raise DecodeError(RejectReason.RANGE, f"{name} is neither on nor off")
                return Value(text.lower() in _TRUE)
            case "hex":
                if not re.fullmatch(r"[0-9a-fA-F]{1,15}", text):
                    raise DecodeError(RejectReason.RANGE, f"{name} is no hexadecimal number")
                number = int(text, 16)
            case "int":
                if not _INT.fullmatch(text):
                    raise DecodeError(RejectReason.RANGE, f"{name} is no whole number")
                number = int(text.replace(" ", ""))
            case _:
                if not _FLOAT.fullmatch(text):
                    raise DecodeError(RejectReason.RANGE, f"{name} is no number")
                number = float(text.replace(" ", "").replace(",", "."))
    if rule.scale != 1:
        inverse = round(1 / rule.scale) if rule.scale else 0
        number = number / inverse if inverse > 1 and rule.scale == 1 / inverse else number * rule.scale
    number += rule.offset or 0
    if not math.isfinite(number):
        raise DecodeError(RejectReason.RANGE, f"{name} is no number")
    return Value(number, rule.unit)


def _check_names(names: Iterable[str]) -> None:
    for name in names:
        if not _NAME.fullmatch(name) or len(name) > 64:
            raise ValueError(f'names: "{name}" must be of a-z, 0-9 and _, such as weight')


def _xor(data: bytes) -> int:
    check = 0
    for octet in data:
        check ^= octet
    return check
