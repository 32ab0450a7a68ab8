"""What a map of Modbus registers says: which address holds what, of which type, in which unit.

A map is data (a TOML file, see `config/modbus/`); nothing here knows a device. Types and word order are those that
device manuals use; SunSpec's models and scale factors: SunSpec Information Model Specification, version 1.9.
"""

import re
from typing import Annotated, Final, Literal

import msgspec

from torhaus.codecs.framing.modbus_blocks import BIT_FUNCTIONS, MAX_REGISTERS, Span

Function = Literal[1, 2, 3, 4]
Type = Literal[
    "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64", "string", "bcd", "bits", "bool"
]

WORDS: Final[dict[str, int]] = {
    "int16": 1,
    "uint16": 1,
    "int32": 2,
    "uint32": 2,
    "int64": 4,
    "uint64": 4,
    "float32": 2,
    "float64": 4,
    "bool": 1,
}
"""Registers of each type; strings, BCD numbers and bit fields say how many they have."""
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*|\d{1,3}-\d{1,3}:\d{1,3}\.\d{1,3}\.\d{1,3}\*\d{1,3}")

Address = Annotated[int, msgspec.Meta(ge=0, le=65_535, description="an address from 0 to 65535, as on the wire")]
Words = Annotated[int, msgspec.Meta(ge=0, le=MAX_REGISTERS, description="registers, from 1 to 125")]


class Register(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One value.

    `words`: registers of a string, BCD number or bit field. `scale` and `offset`: value = raw * scale + offset.
    `scale_from`: the address of a register with a power of ten (signed; SunSpec's scale factor). `invalid`: raw values,
    as unsigned numbers, that mean that there is none. `bit`, `width`: only these bits of an unsigned number; one bit is
    true or false. `values`: texts for numbers.
    """

    field: str
    address: Address
    type: Type
    function: Function | None = None
    words: Words = 0
    word_order: Literal["big", "little"] | None = None
    byte_order: Literal["big", "little"] | None = None
    scale: float = 1.0
    offset: float = 0.0
    scale_from: Address | None = None
    unit: str | None = None
    invalid: tuple[int, ...] = ()
    bit: Annotated[int, msgspec.Meta(ge=0, le=63, description="a bit from 0 (lowest) to 63")] | None = None
    width: Annotated[int, msgspec.Meta(ge=1, le=63, description="bits, from 1 to 63")] = 1
    values: dict[str, str] = {}

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.field) or len(self.field) > 64:
            raise ValueError(f'field: "{self.field}" must be of a-z, 0-9 and _, such as voltage_l1, or an OBIS code')
        if (self.type in WORDS) != (self.words == 0):
            text = "has a fixed size" if self.words else "needs to know how many registers it has"
            raise ValueError(f'words: "{self.field}" of type {self.type} {text}')
        if self.type == "bits" and self.words > 4:
            raise ValueError(f'words: "{self.field}" of type bits has at most 4 registers')
        if self.bit is not None and self.type not in {"uint16", "uint32", "uint64", "bits"}:
            raise ValueError(f'bit: "{self.field}" must be of an unsigned type')
        if not all(key.isascii() and key.isdigit() for key in self.values):
            raise ValueError(f'values: "{self.field}" needs numbers for keys, as in {{ "0" = "off" }}')

    @property
    def size(self) -> int:
        """How many registers it has."""
        return WORDS.get(self.type, self.words)


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A SunSpec model. Addresses in it count from its id (0 the id, 1 the length).

    `repeat`: registers of a part that comes again every `repeat_words` from `repeat_at` on, until the model ends; its
    fields get `_1`, `_2` and so on, its `scale_from` is outside of it and counts from the id, too.
    """

    ids: tuple[int, ...]
    register: tuple[Register, ...] = ()
    repeat: tuple[Register, ...] = ()
    repeat_at: Address = 0
    repeat_words: Words = 0

    def __post_init__(self) -> None:
        if self.repeat and not self.repeat_words:
            raise ValueError("repeat_words: must say how long one part is")


class Map(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a kind of device has.

    `source`: the documents and programs it was checked against. `function`, `word_order`, `byte_order` hold where a
    register says nothing of its own; `max_gap`: so many registers nobody asked for may be read between two that are
    wanted; `invalid`: by type, as in a register.
    """

    name: str
    source: str
    function: Function = 3
    word_order: Literal["big", "little"] = "big"
    byte_order: Literal["big", "little"] = "big"
    max_gap: Annotated[int, msgspec.Meta(ge=0, le=124, description="registers, from 0 to 124")] = 0
    max_registers: Annotated[int, msgspec.Meta(ge=1, le=125, description="registers, from 1 to 125")] = MAX_REGISTERS
    invalid: dict[str, tuple[int, ...]] = {}
    register: tuple[Register, ...] = ()
    model: tuple[Model, ...] = ()

    def __post_init__(self) -> None:
        if bool(self.register) == bool(self.model):
            raise ValueError("a map has either registers or SunSpec models")
        names = [r.field for r in self.register]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"register: field {min(twice)} is there twice")
        for r in self.register:
            if r.address + r.size > 0x10000 or r.size > self.max_registers:
                raise ValueError(f'register: "{r.field}" does not fit: {r.size} registers from {r.address} on')
            if (self.function_of(r) in BIT_FUNCTIONS) != (r.type == "bool"):
                raise ValueError(f'register: "{r.field}": functions 1 and 2 have the type bool, 3 and 4 have not')

    def function_of(self, register: Register) -> Function:
        """The function a register is read with."""
        return register.function or self.function

    def spans(self) -> list[Span]:
        """What is to be read, value by value; `merge` makes requests of it."""
        out = [Span(self.function_of(r), r.address, r.size) for r in self.register]
        scales = [(self.function_of(r), r.scale_from) for r in self.register]
        return out + [Span(f, at, 1) for f, at in scales if at is not None]
