"""Registers as they were read from one Modbus device: several answers in one frame, and what to read for a map.

Source: MODBUS Application Protocol Specification V1.1b3, chapters 6.1 to 6.4 and 7. A frame is a row of blocks, each

    function (1 byte: 1 coils, 2 discrete inputs, 3 holding, 4 input registers), address (2), count (2), then the data
    of the answer: 2 bytes a register, or the bits packed into bytes, the lowest address in the lowest bit;
    function + 80h, address (2), count (2), exception code (1): the device refused to say these.

All numbers big-endian. Addresses are those on the wire, from 0: a manual's register 40001 or 30001 is address 0.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.model import DecodeError, RejectReason

MAX_BLOCKS: Final = 128
"""Requests of one reading: a map of more is a mistake."""
MAX_REGISTERS: Final = 125
MAX_BITS: Final = 2000
"""What one answer can hold, by the specification."""
BIT_FUNCTIONS: Final = frozenset({1, 2})

EXCEPTIONS: Final[dict[int, str]] = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledge",
    6: "device busy",
    7: "negative acknowledge",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target device failed to respond",
}


class Block(msgspec.Struct, frozen=True, gc=False):
    """`count` registers or bits from `address` on. `exception` is the device's code when it refused, else 0."""

    function: int
    address: int
    count: int
    data: bytes = b""
    exception: int = 0

    @property
    def end(self) -> int:
        """The address behind the last."""
        return self.address + self.count


class Span(msgspec.Struct, frozen=True, gc=False):
    """A stretch that can be asked for with one request."""

    function: int
    address: int
    count: int


def data_bytes(function: int, count: int) -> int:
    """Bytes that so many registers or bits take in an answer."""
    return (count + 7) // 8 if function in BIT_FUNCTIONS else 2 * count


def encode_blocks(blocks: Iterable[Block]) -> bytes:
    """One frame."""
    out = bytearray()
    for block in blocks:
        refused = block.exception != 0
        out += bytes((block.function | 0x80 * refused,))
        out += block.address.to_bytes(2, "big") + block.count.to_bytes(2, "big")
        out += bytes((block.exception,)) if refused else block.data
    return bytes(out)


def decode_blocks(frame: bytes) -> list[Block]:
    """The blocks of a frame. Raises DecodeError SHORT, LONG, UNKNOWN_TYPE or RANGE."""
    cursor, blocks = Cursor(frame), list[Block]()
    if not frame:
        raise DecodeError(RejectReason.SHORT, "an empty frame")
    while cursor.left:
        if len(blocks) == MAX_BLOCKS:
            raise DecodeError(RejectReason.LONG, f"more than {MAX_BLOCKS} blocks")
        code = cursor.u8()
        function = code & 0x7F
        if not 1 <= function <= 4:
            raise DecodeError(RejectReason.UNKNOWN_TYPE, f"function {function}")
        address, count = cursor.ube(2), cursor.ube(2)
        limit = MAX_BITS if function in BIT_FUNCTIONS else MAX_REGISTERS
        if not 1 <= count <= limit or address + count > 0x10000:
            raise DecodeError(RejectReason.RANGE, f"{count} from address {address} on")
        if code & 0x80:
            blocks.append(Block(function, address, count, exception=cursor.u8() or 0xFF))
        else:
            blocks.append(Block(function, address, count, cursor.take(data_bytes(function, count))))
    return blocks


def merge(spans: Iterable[Span], max_gap: int, max_registers: int = MAX_REGISTERS) -> list[Span]:
    """As few requests as will do: stretches that overlap, touch or have a gap of at most `max_gap` become one.

    A span of its own is never cut: a value must come out of one answer. Raises ValueError for a span that is too long.
    """
    out: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.function, s.address, s.count)):
        limit = MAX_BITS if span.function in BIT_FUNCTIONS else max_registers
        if span.count > limit:
            raise ValueError(f"{span.count} registers from address {span.address} on: one answer has at most {limit}")
        last = out[-1] if out else None
        if last is not None and last.function == span.function and span.address <= last.address + last.count + max_gap:
            count = max(last.address + last.count, span.address + span.count) - last.address
            if count <= limit:
                out[-1] = Span(span.function, last.address, count)
                continue
        out.append(span)
    return out
