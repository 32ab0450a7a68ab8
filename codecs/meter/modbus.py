"""Modbus: registers of meters, inverters and controllers, read by the driver of that name.

Source: MODBUS Application Protocol Specification V1.1b3; SunSpec Information Model Specification, version 1.9. A frame
is a row of blocks as `torhaus.codecs.framing.modbus_blocks` describes it. With a map (`decode_mapped`; the driver's
configuration says which one a device has) the fields are those of the map. Without one they are bare: `holding_52`,
`input_52` as unsigned numbers, `coil_3`, `discrete_3` as true or false, numbered by the address on the wire.
`modbus_exception` says what the device refused.
"""

from collections.abc import Iterator
from typing import Final

from torhaus.codecs.framing.modbus_blocks import BIT_FUNCTIONS, EXCEPTIONS, Block, decode_blocks
from torhaus.codecs.meter.modbus_map import Map, Register
from torhaus.codecs.meter.modbus_value import Words, value_of
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Scalar, Value

SUNS: Final = b"SunS"
SUNSPEC_BASES: Final = (40_000, 50_000, 0)
"""Where a SunSpec device may have its marker, in the order of looking."""
SUNSPEC_END: Final = 0xFFFF
MAX_MODELS: Final = 64
"""Models of one device: a chain of more is a circle or garbage."""

_KINDS: Final = {1: "coil", 2: "discrete", 3: "holding", 4: "input"}


def decode(data: bytes, fport: int | None = None) -> Fields:  # noqa: ARG001 - one signature for all codecs
    """Every register of a frame by its number. Raises DecodeError as `decode_blocks` does; UNSUPPORTED for refusals."""
    blocks = decode_blocks(data)
    fields: Fields = {}
    for b in blocks:
        if b.exception:
            continue
        for n in range(b.count):
            name = f"{_KINDS[b.function]}_{b.address + n}"
            if b.function in BIT_FUNCTIONS:
                fields[name] = Value(bool(b.data[n // 8] >> n % 8 & 1))
            else:
                fields[name] = Value(int.from_bytes(b.data[2 * n : 2 * n + 2], "big"))
    return _with_refusals(fields, blocks, "nothing was read")


def decode_mapped(frame: bytes, map_: Map) -> Fields:
    """Fields of a frame of blocks by a map: what is not there, or invalid, is left out.

    `modbus_exception` says what the device refused. Raises DecodeError: what `decode_blocks` raises; RANGE when no
    value is left; UNSUPPORTED when it refused everything.
    """
    blocks = decode_blocks(frame)
    fields: Fields = {}
    if map_.model:
        for span in _joined(blocks):
            _models(span, map_, fields)
    else:
        words = Words(blocks)
        for register in map_.register:
            value = value_of(register, words, map_)
            if value is not None:
                fields[register.field] = Value(value, register.unit)
    return _with_refusals(fields, blocks, "no register of the map has a valid value")


def _with_refusals(fields: Fields, blocks: list[Block], otherwise: str) -> Fields:
    refused = next((b for b in blocks if b.exception), None)
    if refused is not None and not fields:
        raise DecodeError(RejectReason.UNSUPPORTED, f"the device refuses: {refusal(refused)}")
    if not fields:
        raise DecodeError(RejectReason.RANGE, otherwise)
    if refused is not None:
        fields["modbus_exception"] = Value(refusal(refused))
    return fields


def refusal(block: Block) -> str:
    """What a device refused, in words."""
    name = EXCEPTIONS.get(block.exception, f"exception {block.exception}")
    return f"{name} (function {block.function}, address {block.address}, {block.count} long)"


def _joined(blocks: list[Block]) -> Iterator[Block]:
    """Blocks that follow on each other as one: a model may be longer than an answer."""
    last: Block | None = None
    for b in blocks:
        if b.exception or b.function in BIT_FUNCTIONS:
            continue
        if last is not None and last.function == b.function and last.end == b.address:
            last = Block(b.function, last.address, last.count + b.count, last.data + b.data)
            continue
        if last is not None:
            yield last
        last = b
    if last is not None:
        yield last


def models_in(span: Block) -> Iterator[tuple[int, int, int]]:
    """Id, address and length in registers (its head of 2 included) of each whole model in a stretch of registers."""
    at = 2 if span.data.startswith(SUNS) else 0
    for _ in range(MAX_MODELS):
        head = span.data[2 * at : 2 * at + 4]
        if len(head) < 4:
            return
        id_, length = int.from_bytes(head[:2], "big"), int.from_bytes(head[2:], "big") + 2
        if id_ == SUNSPEC_END or at + length > span.count:
            return
        yield id_, span.address + at, length
        at += length


def _models(span: Block, map_: Map, fields: Fields) -> None:
    words = Words([span])
    for id_, start, length in models_in(span):
        model = next((m for m in map_.model if id_ in m.ids), None)
        if model is None:
            continue
        for register in model.register:
            if register.address + register.size <= length:
                _put(fields, register.field, register, value_of(register, words, map_, start))
        if model.repeat:
            parts = min((length - model.repeat_at) // model.repeat_words, 50)
            for n in range(parts):
                for register in model.repeat:
                    value = value_of(register, words, map_, start, model.repeat_at + n * model.repeat_words)
                    _put(fields, f"{register.field}_{n + 1}", register, value)


def _put(fields: Fields, name: str, register: Register, value: Scalar) -> None:
    """A name that is taken, as by a second meter of the same model, gets the next free number."""
    if value is None:
        return
    free, n = name, 1
    while free in fields:
        n += 1
        free = f"{name}_{n}"
    fields[free] = Value(value, register.unit)
