"""One declared field: where its bytes stand, how they become a value. Pure.

`compile_fields` turns declarations into steps; `run` reads them. Only DecodeError leaves `run`.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from struct import Struct
from typing import Annotated, Any, Final, Literal, NamedTuple

import msgspec

from torhaus.codecs.model import DecodeError, Fields, RejectReason, Scalar, Value

Type = Literal[
    "u8", "i8", "u16", "i16", "u24", "i24", "u32", "i32", "u40", "u48", "u64", "i64",
    "f32", "f64", "bcd", "hex", "text", "skip",
]  # fmt: skip
Endian = Literal["big", "little"]

MAX_SIZE: Final = 255
_SIZES: Final = {"f32": 4, "f64": 8}
_UNSET: Final = object()
_WITHOUT_DECIMALS: Final = 1e15
"""A floating point number has 15 to 17 digits; Decimal computes with 28, of which `decimals` may take 12."""

Name = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[a-z0-9][a-z0-9_]{0,59}(#[a-z0-9_]{0,40})?\Z",
        description="lower-case letters, digits and '_', a letter or digit first; one '#' for a running number",
    ),
]


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One `[[message.field]]`.

    `type`: u8 … u64 unsigned, i8 … i64 two's complement, f32 and f64 (IEEE 754), bcd, hex, text (ASCII), skip (no
    value); without it the bytes of the field before are read again, for another of their bits.
    `at`: offset from the begin of the message; without it right behind the field before.
    The value is number * multiply / divide + add, rounded to `decimals`. `values` gives names to numbers, `absent`
    lists numbers that mean no value; `minimum` and `maximum` are limits of the value, beyond which it is refused.
    """

    name: Name
    type: Type | None = None
    at: Annotated[int, msgspec.Meta(ge=0, le=MAX_SIZE, description="0 to 255")] | None = None
    size: Annotated[int, msgspec.Meta(ge=1, le=MAX_SIZE, description="1 to 255 bytes")] | None = None
    endian: Endian | None = None
    bits: tuple[int, int] | None = None
    multiply: float = 1
    divide: float = 1
    add: float = 0
    decimals: Annotated[int, msgspec.Meta(ge=0, le=12, description="0 to 12")] | None = None
    unit: Annotated[str, msgspec.Meta(max_length=20, description="a UCUM code of at most 20 characters")] | None = None
    values: dict[str, Scalar] = {}
    otherwise: str | None = None
    absent: tuple[int, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    when: dict[str, list[Scalar]] = {}

    def __post_init__(self) -> None:
        if self.divide == 0:
            raise ValueError("divide: is 0, must be another number")
        if self.bits is not None:
            low, count = self.bits
            width = 8 * (size_of(self.type, self.size) or 8)
            if not (low >= 0 and count >= 1 and low + count <= width):
                raise ValueError(f"bits: is [{low}, {count}], must be the lowest bit and how many, within {width} bits")
        if self.type in {"bcd", "skip"} and self.size is None:
            raise ValueError(f"size: is missing, type {self.type} needs the number of bytes")
        if self.size is not None and self.type not in {"bcd", "hex", "text", "skip"}:
            raise ValueError(f"size: is not for type {self.type}: its size is known")
        if self.type is None and self.at is not None:
            raise ValueError("type: is missing, a field with `at` needs it")
        for key in self.values:
            if number(key) is None:
                raise ValueError(f"values: {key!r} is no number, must be decimal or 0x…")


def number(text: str) -> int | None:
    """A whole number as decimal or 0x…; None when it is neither."""
    try:
        return int(text, 0)
    except ValueError:
        return None


def size_of(kind: str | None, size: int | None) -> int | None:
    """Bytes of a field; None when it takes the rest or what the field before has."""
    if kind is None:
        return None
    if kind in _SIZES:
        return _SIZES[kind]
    return int(kind[1:]) // 8 if kind[1:].isdigit() else size


Read = Callable[[bytes, int], Any]
Convert = Callable[[Any], Scalar]


class Step(NamedTuple):
    """A compiled field. `size` None: the rest; -1: the bytes of the step before. `convert` may return ABSENT."""

    name: str
    unit: str | None
    at: int | None
    size: int | None
    read: Read | None
    convert: Convert | None
    when: tuple[tuple[str, frozenset[Scalar]], ...]
    makes: Callable[[Any], Mapping[str, Scalar]] | None = None


class _Absent:
    """No value: the field is left out."""


ABSENT: Final[Any] = _Absent()
_STRUCTS: Final = {
    "u8": "B", "i8": "b", "u16": "H", "i16": "h", "u32": "I", "i32": "i", "u64": "Q", "i64": "q", "f32": "f", "f64": "d"
}  # fmt: skip


def reader(kind: str, size: int | None, endian: Endian) -> Read:
    """What reads the raw number, or the raw bytes, at a place where they are known to be."""
    if kind in _STRUCTS:
        unpack = Struct((">" if endian == "big" else "<") + _STRUCTS[kind]).unpack_from
        return lambda data, pos: unpack(data, pos)[0]
    if kind in {"hex", "text", "bcd", "skip"}:
        return (lambda data, pos: data[pos:]) if size is None else (lambda data, pos: data[pos : pos + size])
    width = int(kind[1:]) // 8
    is_signed = kind[0] == "i"
    return lambda data, pos: int.from_bytes(data[pos : pos + width], endian, signed=is_signed)


def _text(raw: bytes) -> str:
    return raw.rstrip(b"\0 ").decode("ascii", "replace")


def _bcd(raw: bytes) -> int:
    digits = raw.hex()
    if not digits.isdigit():
        raise DecodeError(RejectReason.SYNTAX, f"{digits} are no decimal digits")
    return int(digits)


def converter(f: Field, kind: str, endian: Endian) -> Convert | None:
    """Raw to value; None when they are the same."""
    if kind == "hex":
        return bytes.hex
    if kind == "text":
        return _text
    scale = _scale(f)
    if f.values or f.absent or f.otherwise is not None:
        scale = _named(f, scale)
    if f.minimum is not None or f.maximum is not None:
        scale = _bounded(f, scale)
    if kind == "bcd":
        back = -1 if endian == "little" else 1
        return lambda raw: _bcd(raw[::back]) if scale is None else scale(_bcd(raw[::back]))
    if f.bits is not None:
        low, mask = f.bits[0], (1 << f.bits[1]) - 1
        if scale is None:
            return lambda raw: raw >> low & mask
        inner = scale
        return lambda raw: inner(raw >> low & mask)
    if kind in _SIZES:
        whole = scale
        return lambda raw: _finite(raw) if whole is None else whole(_finite(raw))
    return scale


def _finite(raw: float) -> float:
    if raw - raw != 0:
        raise DecodeError(RejectReason.RANGE, "a floating point number that is none")
    return raw


def rounded(value: float, decimals: int) -> float:
    """Rounded as published decoders do: exactly, a half away from zero. Huge numbers have no decimals to round."""
    if abs(value) >= _WITHOUT_DECIMALS:
        return value
    return float(Decimal(value).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP))


def _scale(f: Field) -> Convert | None:
    multiply, divide, add, decimals = f.multiply, f.divide, f.add, f.decimals
    if decimals is not None:
        return lambda raw: rounded(raw * multiply / divide + add, decimals)
    if multiply == 1 and add == 0:
        return None if divide == 1 else (lambda raw: raw / divide)
    if multiply == 1:
        return (lambda raw: raw + add) if divide == 1 else (lambda raw: raw / divide + add)
    return lambda raw: raw * multiply / divide + add


def _named(f: Field, scale: Convert | None) -> Convert:
    table: dict[Any, Any] = {number(key): value for key, value in f.values.items()}
    table.update(dict.fromkeys(f.absent, ABSENT))
    find, otherwise = table.get, f.otherwise

    def convert(raw: float) -> Scalar:
        value: Any = find(raw, _UNSET)
        if value is not _UNSET:
            return value  # type: ignore[no-any-return]
        if otherwise is not None:
            return otherwise
        return raw if scale is None else scale(raw)

    return convert


def _bounded(f: Field, scale: Convert | None) -> Convert:
    low, high, name = f.minimum, f.maximum, f.name

    def convert(raw: float) -> Scalar:
        value: Any = raw if scale is None else scale(raw)
        if isinstance(value, int | float) and (
            (low is not None and value < low) or (high is not None and value > high)
        ):
            raise DecodeError(RejectReason.RANGE, f"{name} is {value}, outside {low} to {high}")
        return value  # type: ignore[no-any-return]

    return convert


def compile_fields(fields: Iterable[Field], endian: Endian) -> tuple[Step, ...]:
    """Steps for `run`. ValueError when the first field has no type, or one follows a field that takes the rest."""
    steps: list[Step] = []
    before: tuple[str, Endian] | None = None
    for f in fields:
        when = tuple((name, frozenset(wanted)) for name, wanted in f.when.items())
        if f.type is None:
            if before is None:
                raise ValueError(f"{f.name}: type: is missing, there is no field before whose bytes it could share")
            steps.append(Step(f.name, f.unit, None, -1, None, converter(f, *before), when))
            continue
        order = f.endian or endian
        before = (f.type, order)
        convert = None if f.type == "skip" else converter(f, f.type, order)
        read = None if f.type == "skip" else reader(f.type, f.size, order)
        steps.append(Step(f.name, f.unit, f.at, size_of(f.type, f.size), read, convert, when))
    return tuple(steps)


def run(steps: tuple[Step, ...], data: bytes, base: int, out: Fields, tag: str = "") -> int:
    """Read the steps' fields at `base`; returns the place behind. `tag` stands for '#' in names. DecodeError: SHORT."""
    pos, end, raw = base, len(data), None
    for name, unit, at, size, read, convert, when, makes in steps:
        if when and not all(key in out and out[key].value in wanted for key, wanted in when):
            continue
        if size != -1:
            if at is not None:
                pos = base + at
            behind = end if size is None else pos + size
            if behind > end or pos > end:
                raise DecodeError(RejectReason.SHORT, f"{name} at offset {pos} is cut off")
            if read is None:
                pos = behind
                continue
            raw = read(data, pos)
            pos = behind
        value = raw if convert is None else convert(raw)
        if makes is not None:
            for key, part in makes(raw).items():
                out[key.replace("#", tag)] = Value(part, None if isinstance(part, str) else unit)
        elif value is not ABSENT:
            named = name.replace("#", tag) if tag else name
            out[named] = Value(value, None if value.__class__ is str else unit)
    return pos
