"""How a message is described: a struct of which each field carries its number on the wire and its bound."""

import typing
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, Literal, Self

import msgspec

MAX_TEXT: Final = 256
MAX_BLOB: Final = 256
"""The largest PHYPayload has 255 bytes."""
MAX_ITEMS: Final = 256
"""Of a list or map: channels, modulations, frequencies; each far fewer."""
MAX_MESSAGE: Final = 65_536
"""Bytes of one message, in either form. The largest seen are statistics of a few kilobytes."""


class Moment:
    """A google.protobuf.Timestamp: nanoseconds since 1970-01-01T00:00:00Z."""

    __slots__ = ("ns",)

    def __init__(self, ns: int) -> None:
        self.ns = ns

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and isinstance(other, Moment) and other.ns == self.ns

    def __hash__(self) -> int:
        return hash((type(self), self.ns))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.ns})"


class Span(Moment):
    """A google.protobuf.Duration: nanoseconds, either sign."""

    __slots__ = ()


class Field(msgspec.Struct, frozen=True, gc=False):
    """A field's number, and what its Python type does not say. `most` bounds characters, bytes or entries."""

    number: int
    wire: Literal["", "int32", "double"] = ""
    most: int = 0
    choice: str = ""  # the oneof it is part of


class Message(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What all messages are: fields that have their default are not sent, as proto3 has it."""


Kind = Literal["string", "bytes", "bool", "uint32", "int32", "float", "double", "enum", "moment", "span", "message"]

_KINDS: Final[dict[Any, Kind]] = {
    str: "string",
    bytes: "bytes",
    bool: "bool",
    int: "uint32",
    float: "float",
    Moment: "moment",
    Span: "span",
}
_MOST: Final[dict[str, int]] = {"string": MAX_TEXT, "bytes": MAX_BLOB}


class Member(msgspec.Struct, frozen=True):
    """One field, resolved. `shape` says whether there is one, a list of them, or a map with keys of kind `key`."""

    name: str  # snake_case, as in gw.proto
    label: str  # camelCase, as in JSON
    number: int
    kind: Kind
    shape: Literal["one", "list", "map"]
    type: Any  # the class of a message or enum
    key: Kind
    most: int  # of one text or byte string, keys included
    most_items: int
    choice: str

    @classmethod
    def of(cls, name: str, hint: Any, label: str) -> Self:  # noqa: ANN401 - any annotation
        """From a field's annotation."""
        inner, field = typing.get_args(hint)[:2]
        assert isinstance(field, Field)
        shape: Literal["one", "list", "map"] = "one"
        key: Kind = "string"
        origin, args = typing.get_origin(inner), typing.get_args(inner)
        if origin in {typing.Union, UnionType}:
            (inner,) = (a for a in args if a is not NoneType)
        elif origin is list:
            shape, inner = "list", args[0]
        elif origin is dict:
            shape, key, inner = "map", _KINDS[args[0]], args[1]
        kind: Kind = field.wire or _KINDS.get(inner) or ("enum" if issubclass(inner, StrEnum) else "message")
        most = field.most if shape == "one" and field.most else _MOST.get(kind, MAX_TEXT)
        most_items = field.most or MAX_ITEMS
        return cls(name, label, field.number, kind, shape, inner, key, most, most_items, field.choice)


@cache
def members(of: type[Message]) -> tuple[Member, ...]:
    """The fields of a message."""
    hints = typing.get_type_hints(of, include_extras=True)
    return tuple(Member.of(f.name, hints[f.name], f.encode_name) for f in msgspec.structs.fields(of))


@cache
def by_name(of: type[Message]) -> dict[str, Member]:
    """The fields of a message by either name."""
    return {name: m for m in members(of) for name in (m.name, m.label)}


@cache
def numbers(of: type[StrEnum]) -> dict[StrEnum, int]:
    """The numbers of an enumeration: they count from 0 in the order of the names."""
    return {value: number for number, value in enumerate(of)}


@cache
def values(of: type[StrEnum]) -> tuple[StrEnum, ...]:
    """The names of an enumeration by number."""
    return tuple(of)
