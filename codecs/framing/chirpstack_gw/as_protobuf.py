"""Messages as protobuf, made from their description when they are first needed; no generated code.

The library is the extra `chirpstack`: the import of `google.protobuf` raises ModuleNotFoundError without it (`needed`).
Enumerations are plain integers here, since that is what they are on the wire; so are times two integers, and maps
lists of entries.
"""

from enum import StrEnum
from functools import cache
from typing import Any, Final, TypeVar, cast

from torhaus.codecs.framing.chirpstack_gw.commands import (
    Command,
    ConnState,
    Event,
    GatewayCommandExecRequest,
    GatewayCommandExecResponse,
    GetGatewayIdResponse,
    GetLocationResponse,
    RawPacketForwarderCommand,
    RawPacketForwarderEvent,
)
from torhaus.codecs.framing.chirpstack_gw.fields import (
    MAX_MESSAGE,
    Kind,
    Member,
    Message,
    Moment,
    Span,
    by_name,
    members,
    numbers,
    values,
)
from torhaus.codecs.framing.chirpstack_gw.messages import DownlinkTxAck
from torhaus.codecs.framing.chirpstack_gw.times import FIRST_S, LAST_S, MAX_SPAN_S, SECOND
from torhaus.codecs.model import DecodeError, RejectReason

M = TypeVar("M", bound=Message)

_TOP: Final[tuple[type[Message], ...]] = (
    Event,
    Command,
    DownlinkTxAck,
    ConnState,
    GetGatewayIdResponse,
    GetLocationResponse,
    GatewayCommandExecRequest,
    GatewayCommandExecResponse,
    RawPacketForwarderEvent,
    RawPacketForwarderCommand,
)
"""Every message of the gateways' protocol is one of these or part of one; others are described when they come."""
_PACKAGE: Final = "torhaus.gw"
_TIMES: Final = {"moment": "Moment", "span": "Span"}


def needed() -> None:
    """Raises ModuleNotFoundError when the library is not there: for whoever would rather know it at once."""
    _classes(_TOP)


def to_protobuf(message: Message) -> bytes:
    """The message's bytes. DecodeError(RANGE) when a value in it does not fit its field."""
    target = _class_of(type(message))()
    try:
        _write(message, target)
    except (ValueError, TypeError) as e:
        raise DecodeError(RejectReason.RANGE, f"{type(message).__name__}: {e}") from None
    return cast("bytes", target.SerializeToString())


def from_protobuf(of: type[M], data: bytes) -> M:
    """The message that the bytes say; fields that are not described are ignored. DecodeError."""
    from google.protobuf.message import DecodeError as Unreadable

    if len(data) > MAX_MESSAGE:
        raise DecodeError(RejectReason.LONG, f"{len(data)} bytes of protobuf, at most {MAX_MESSAGE} are read")
    source = _class_of(of)()
    try:
        source.ParseFromString(data)
    except (Unreadable, ValueError) as e:
        raise DecodeError(RejectReason.SYNTAX, f"not a {of.__name__}: {e}") from None
    return cast("M", _read(of, source))


def _write(message: Message, target: Any) -> None:  # noqa: ANN401 - classes made at run time
    for m in members(type(message)):
        value = getattr(message, m.name)
        if value is None or (m.shape != "one" and not value):
            continue
        if m.shape == "map":
            entries, key_kind = getattr(target, m.name), m.key
            for key, each in value.items():
                entry = entries.add()
                _put(key_kind, key, entry, "key")
                _put(m.kind, each, entry, "value")
        elif m.shape == "one":
            _put(m.kind, value, target, m.name)
        elif m.kind == "message":
            for each in value:
                _write(each, getattr(target, m.name).add())
        else:
            getattr(target, m.name).extend(value)


def _put(kind: Kind, value: Any, target: Any, name: str) -> None:  # noqa: ANN401 - see above
    if kind == "message":
        inner = getattr(target, name)
        inner.SetInParent()
        _write(value, inner)
    elif kind in _TIMES:
        inner = getattr(target, name)
        inner.SetInParent()
        inner.seconds, inner.nanos = _split(kind, value.ns)
    else:
        number = numbers(type(value))[value] if isinstance(value, StrEnum) else value
        setattr(target, name, number)


def _split(kind: Kind, ns: int) -> tuple[int, int]:
    """Seconds and nanoseconds; a moment's nanoseconds are never negative, a span's have its sign."""
    if kind == "span" and ns < 0:
        seconds, rest = divmod(-ns, SECOND)
        return -seconds, -rest
    return divmod(ns, SECOND)


def _read(of: type[Message], source: Any) -> Message:  # noqa: ANN401 - see above
    known, out = by_name(of), dict[str, Any]()
    for field, value in source.ListFields():
        m = known[field.name]
        where = f"{of.__name__}.{m.name}"
        if m.shape == "one":
            out[m.name] = _one(m.kind, m, value, where)
            continue
        if len(value) > m.most_items:
            raise DecodeError(RejectReason.LONG, f"{where} has {len(value)} entries, at most {m.most_items} are read")
        if m.shape == "list":
            out[m.name] = [_one(m.kind, m, each, where) for each in value]
        else:
            out[m.name] = {_one(m.key, m, e.key, where): _one(m.kind, m, e.value, where) for e in value}
    return of(**out)


def _one(kind: Kind, m: Member, value: Any, where: str) -> Any:  # noqa: ANN401 - see above
    if kind == "message":
        return _read(m.type, value)
    if kind == "enum":
        names = values(m.type)
        if not 0 <= value < len(names):
            raise DecodeError(RejectReason.UNKNOWN_TYPE, f"{where} is {value}")
        return names[value]
    if kind in _TIMES:
        first, last = (FIRST_S, LAST_S) if kind == "moment" else (-MAX_SPAN_S, MAX_SPAN_S)
        if not (first <= value.seconds <= last and -SECOND < value.nanos < SECOND):
            raise DecodeError(RejectReason.RANGE, f"{where} is no time")
        return (Moment if kind == "moment" else Span)(value.seconds * SECOND + value.nanos)
    if isinstance(value, str | bytes) and len(value) > m.most:
        raise DecodeError(RejectReason.LONG, f"{where} is longer than {m.most}")
    return value


@cache
def _class_of(of: type[Message]) -> type:
    return _classes(_TOP).get(of.__name__) or _classes((of,))[of.__name__]


@cache
def _classes(top: tuple[type[Message], ...]) -> dict[str, type]:
    """The classes by their messages' names, in a pool of their own: others' definitions of gw.proto may be loaded."""
    from google.protobuf.descriptor_pb2 import FileDescriptorProto
    from google.protobuf.descriptor_pool import DescriptorPool
    from google.protobuf.message_factory import GetMessageClass

    file = FileDescriptorProto(name="torhaus_gw.proto", package=_PACKAGE, syntax="proto3")
    for name in _TIMES.values():
        both = file.message_type.add(name=name)
        both.field.add(name="seconds", number=1, label=1, type=_wire("int64"))
        both.field.add(name="nanos", number=2, label=1, type=_wire("int32"))
    todo, done = list(top), set[type[Message]]()
    while todo:
        of = todo.pop()
        if of in done:
            continue
        done.add(of)
        described = file.message_type.add(name=of.__name__)
        for m in members(of):
            _describe(described, m)
            if m.kind == "message":
                todo.append(m.type)
    pool = DescriptorPool()
    pool.Add(file)
    return {of.__name__: GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{of.__name__}")) for of in done}


def _describe(message: Any, m: Member) -> None:  # noqa: ANN401 - see above
    field = message.field.add(name=m.name, number=m.number, label=1 if m.shape == "one" else 3)
    if m.choice:
        if not message.oneof_decl:
            message.oneof_decl.add(name=m.choice)
        field.oneof_index = 0  # no message has two
    if m.shape != "map":
        _type(field, m.kind, m)
        return
    entry = message.nested_type.add(name=f"{m.label[0].upper()}{m.label[1:]}Entry")
    field.type, field.type_name = _wire("message"), entry.name
    _type(entry.field.add(name="key", number=1, label=1), m.key, m)
    _type(entry.field.add(name="value", number=2, label=1), m.kind, m)


def _type(field: Any, kind: Kind, m: Member) -> None:  # noqa: ANN401 - see above
    if kind == "message" or kind in _TIMES:
        field.type, field.type_name = _wire("message"), f".{_PACKAGE}.{_TIMES.get(kind) or m.type.__name__}"
    else:
        field.type = _wire("int32" if kind == "enum" else kind)


def _wire(kind: str) -> int:
    from google.protobuf.descriptor_pb2 import FieldDescriptorProto

    return cast("int", FieldDescriptorProto.Type.Value(f"TYPE_{kind.upper()}"))
