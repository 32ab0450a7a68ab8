"""A whole payload format as declarations: its messages, their fields and tagged rows. Pure."""

from typing import Annotated, Final, Literal

import msgspec

from torhaus.codecs.layout.field import Endian, Field, Step, compile_fields, run
from torhaus.codecs.layout.tags import Item, Special, item, run_tags
from torhaus.codecs.model import DecodeError, Fields, RejectReason

MAX_PAYLOAD: Final = 255
"""Longest payload taken, in bytes: LoRaWAN has at most 242."""
MAX_FIELDS: Final = 256
"""Fields of one declaration, and values of one payload."""
MAX_REPEATS: Final = 128

Hex = Annotated[str, msgspec.Meta(pattern=r"^([0-9a-fA-F]{2}){1,8}\Z", description="1 to 8 bytes as hex digits")]
Port = Annotated[int, msgspec.Meta(ge=1, le=223, description="an FPort, 1 to 223")]
Length = Annotated[int, msgspec.Meta(ge=0, le=MAX_PAYLOAD, description="0 to 255 bytes")]


class Repeat(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[message.repeat]`: the same fields over and over, behind the message's own fields.

    `count`: how often, or the name of the field that says it; without it to the end. '#' in names is the number of the
    turn, from `first` on.
    """

    field: list[Field]
    count: int | str | None = None
    first: int = 1


class Tag(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[message.tag]]`: what stands behind one key."""

    key: Hex
    field: list[Field]
    first: int = 1


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[message]]`: the first whose FPort, first bytes and length all fit decodes the payload.

    Order of the bytes: the fields, then the repeat or the tagged row. `rest`: whether bytes behind them are an error.
    """

    fport: Port | list[Port] | None = None
    starts: Hex | None = None
    length: Length | None = None
    min_length: Length = 0
    field: list[Field] = []
    repeat: Repeat | None = None
    tag: list[Tag] = []
    rest: Literal["refuse", "ignore"] = "refuse"

    def __post_init__(self) -> None:
        if not (self.field or self.repeat or self.tag):
            raise ValueError("field: is missing, a message needs fields, a repeat or tags")
        if self.repeat and self.tag:
            raise ValueError("tag: cannot stand beside repeat, a message ends with one of them")
        if len({len(tag.key) for tag in self.tag}) > 1:
            raise ValueError("tag: keys of different length, must all have the same number of bytes")
        if len({tag.key.lower() for tag in self.tag}) < len(self.tag):
            raise ValueError("tag: a key stands there twice")
        if self.repeat and not self.repeat.field:
            raise ValueError("repeat: has no fields")
        groups = [self.field, *([self.repeat.field] if self.repeat else []), *(tag.field for tag in self.tag)]
        if sum(map(len, groups)) > MAX_FIELDS:
            raise ValueError(f"field: more than {MAX_FIELDS}")
        for group in groups:
            open_ended = [f.name for f in group[:-1] if f.type in {"hex", "text"} and f.size is None]
            if open_ended:
                raise ValueError(
                    f"field: {open_ended[0]} takes the rest of the payload, must stand last or have a size"
                )
            compile_fields(group, "big")
        if (
            self.repeat
            and self.repeat.count is None
            and not any(step.size != -1 and not step.when for step in _steps(self.repeat.field))
        ):
            raise ValueError("repeat: none of its fields always takes bytes, so it might never end")


class Layout(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole file: a payload format. `endian` is the byte order of fields that do not say theirs."""

    message: list[Message]
    endian: Endian = "big"
    description: Annotated[str, msgspec.Meta(max_length=200, description="at most 200 characters")] = ""

    def __post_init__(self) -> None:
        if not self.message:
            raise ValueError("message: is missing, a codec needs at least one")


def _steps(fields: list[Field]) -> tuple[Step, ...]:
    return compile_fields(fields, "big")


class _Compiled:
    """One message, ready to read."""

    __slots__ = ("items", "key_size", "length", "message", "ports", "repeat", "starts", "steps")

    def __init__(self, message: Message, endian: Endian) -> None:
        ports = message.fport
        self.message = message
        self.ports = frozenset([ports] if isinstance(ports, int) else ports) if ports is not None else None
        self.starts = bytes.fromhex(message.starts or "")
        self.length = message.length
        self.steps = compile_fields(message.field, endian)
        self.repeat = compile_fields(message.repeat.field, endian) if message.repeat else ()
        self.key_size = len(message.tag[0].key) // 2 if message.tag else 0
        self.items: dict[int, Item | Special] = {
            int(tag.key, 16): item(compile_fields(tag.field, endian), tag.first) for tag in message.tag
        }

    def fits(self, data: bytes, fport: int | None) -> bool:
        return (
            (self.ports is None or fport in self.ports)
            and data.startswith(self.starts)
            and len(data) >= self.message.min_length
            and (self.length is None or len(data) == self.length)
        )

    def decode(self, data: bytes) -> Fields:
        out: Fields = {}
        pos = run(self.steps, data, 0, out)
        if self.repeat:
            pos = self._repeats(data, pos, out)
        elif self.items:
            run_tags(data, pos, self.key_size, self.items, out)
            pos = len(data)
        if not out:
            raise DecodeError(RejectReason.UNSUPPORTED, "nothing in it is a value")
        if pos < len(data) and self.message.rest == "refuse":
            raise DecodeError(RejectReason.LONG, f"{len(data) - pos} bytes behind the last field")
        return out

    def _repeats(self, data: bytes, pos: int, out: Fields) -> int:
        repeat = self.message.repeat
        assert repeat is not None
        count = repeat.count
        if isinstance(count, str):
            told = out[count].value if count in out else None
            if not isinstance(told, int) or not 0 <= told <= MAX_REPEATS:
                raise DecodeError(RejectReason.RANGE, f"{count} is {told}, not a number of repeats to {MAX_REPEATS}")
            count = told
        turn = 0
        while turn < count if count is not None else pos < len(data):
            if turn == MAX_REPEATS:
                raise DecodeError(RejectReason.LONG, f"more than {MAX_REPEATS} repeats")
            pos = run(self.repeat, data, pos, out, str(repeat.first + turn))
            turn += 1
        return pos


class LayoutCodec:
    """A layout as a codec: call it with payload and FPort."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._messages = [_Compiled(message, layout.endian) for message in layout.message]

    def __call__(self, data: bytes, fport: int | None = None) -> Fields:
        """Fields of one uplink. Raises DecodeError SHORT, LONG, RANGE, SYNTAX, UNSUPPORTED or UNKNOWN_TYPE."""
        if not 0 < len(data) <= MAX_PAYLOAD:
            raise DecodeError(RejectReason.LONG if data else RejectReason.SHORT, f"{len(data)} bytes")
        for message in self._messages:
            if message.fits(data, fport):
                return message.decode(data)
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"no message of {len(data)} bytes on FPort {fport} is declared")
