"""The value of one Modbus register, or of several that belong together, by what a map says of it.

Word order: most devices send the most significant register first ("big"), some the least significant. A float32 is told
as the shortest decimal that means it. NaN and infinity mean that there is no value.
"""

import math
import struct

from torhaus.codecs.framing.modbus_blocks import Block
from torhaus.codecs.meter.modbus_map import Map, Register
from torhaus.codecs.model import Scalar


class Words:
    """What was read, by function and address."""

    __slots__ = ("_blocks",)

    def __init__(self, blocks: list[Block]) -> None:
        self._blocks = [b for b in blocks if not b.exception]

    def bytes(self, function: int, address: int, words: int) -> bytes | None:
        """Data of so many registers; None when they were not read."""
        for b in self._blocks:
            if b.function == function and b.address <= address and address + words <= b.end:
                return b.data[2 * (address - b.address) : 2 * (address - b.address + words)]
        return None

    def bit(self, function: int, address: int) -> bool | None:
        """A coil or input."""
        for b in self._blocks:
            if b.function == function and b.address <= address < b.end:
                at = address - b.address
                return bool(b.data[at // 8] >> at % 8 & 1)
        return None


def value_of(register: Register, words: Words, map_: Map, start: int = 0, part: int = 0) -> Scalar:
    """A register's value; None when it has none. `start`: of its model; `part`: of its part, from there."""
    function = map_.function_of(register)
    if register.type == "bool":
        return words.bit(function, register.address)
    data = words.bytes(function, start + part + register.address, register.size)
    if data is None:
        return None
    data = _ordered(data, register.word_order or map_.word_order, register.byte_order or map_.byte_order)
    if register.type == "string":
        return _text(data)
    raw = int.from_bytes(data, "big")
    if raw in register.invalid or raw in map_.invalid.get(register.type, ()):
        return None
    if register.bit is not None:
        bits = raw >> register.bit & (1 << register.width) - 1
        return bits != 0 if register.width == 1 and not register.values else _named(bits, register)
    number = _number(register.type, data, raw)
    if number is None:
        return None
    if register.scale_from is not None:
        power = words.bytes(function, start + register.scale_from, 1)
        if power is None or power == b"\x80\x00":
            return None
        exponent = int.from_bytes(power, "big", signed=True)
        if not -10 <= exponent <= 10:
            return None
        number = number / 10**-exponent if exponent < 0 else number * 10**exponent
    number = _scaled(number, register)
    return _named(number, register)


def _number(type_: str, data: bytes, raw: int) -> float | int | None:
    match type_:
        case "float32" | "float64":
            (number,) = struct.unpack(">f" if type_ == "float32" else ">d", data)
            if not math.isfinite(number):
                return None
            return float(f"{number:.7g}") if type_ == "float32" else float(number)
        case "bcd":
            digits = data.hex()
            return int(digits) if digits.isdigit() else None
        case "int16" | "int32" | "int64":
            return int.from_bytes(data, "big", signed=True)
        case _:
            return raw


def _scaled(number: float, register: Register) -> float | int:
    """Divided where that is exact: 2301 * 0.1 is 230.1."""
    if register.scale != 1:
        inverse = round(1 / register.scale) if register.scale else 0
        number = number / inverse if inverse > 1 and register.scale == 1 / inverse else number * register.scale
    if register.offset:
        number += register.offset
    if isinstance(number, int) and not -(2**63) <= number < 2**64:
        return float(number)
    return number


def _named(number: float, register: Register) -> Scalar:
    return register.values.get(str(number), number) if register.values else number


def _ordered(data: bytes, word_order: str, byte_order: str) -> bytes:
    """Most significant byte first."""
    words = [data[n : n + 2] for n in range(0, len(data), 2)]
    if byte_order == "little":
        words = [word[::-1] for word in words]
    return b"".join(words if word_order == "big" else reversed(words))


def _text(data: bytes) -> str | None:
    """ASCII up to the first zero; None when nothing is there, or when it is no text."""
    text = data.split(b"\0", 1)[0].strip()
    return text.decode("ascii") if text and all(0x20 <= octet < 0x7F for octet in text) else None
