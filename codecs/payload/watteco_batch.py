"""nke Watteco's batch reports: many samples of several quantities in one frame, coded by their differences. Pure.

Source: nke Watteco, "Batch" of the online documentation (support.nke-watteco.com), and br_uncompress, the vendor's
published decompressor, for the three Huffman tables.

    flags 8 | counter 3 | - 1 | for each series: tag, time, first value, [coding 2, table 2] | samples | time of sending

Bits are taken from the least significant one of each byte on; of a number that is wider than a byte its most
significant part comes first. Times count seconds of the device's own clock, so a sample has an age, no date.
"""

from struct import pack, unpack
from typing import Final, NamedTuple

from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value

MAX_SAMPLES: Final = 255
"""Samples of one frame: more would be no frame of LoRaWAN's length."""

_COMMON_TIMES: Final = 0x02
_NO_SAMPLES: Final = 0x04
_RAW: Final = 15
"""The symbol behind which a number stands as it is."""
_TIMES: Final = 1
"""The table of times."""
_LENGTHS: Final = (
    ((2, 0), (2, 1), (2, 3), (3, 5), (4, 9), (5, 17), (6, 33), (7, 65), (8, 129), (10, 512),
     (11, 1026), (11, 1027), (11, 1028), (11, 1029), (11, 1030), (11, 1031)),
    ((7, 111), (5, 26), (4, 12), (3, 3), (3, 7), (2, 2), (2, 0), (3, 2), (6, 54), (9, 443),
     (9, 441), (10, 885), (10, 884), (10, 880), (11, 1763), (11, 1762)),
    ((4, 9), (3, 5), (2, 0), (2, 1), (2, 3), (5, 17), (6, 33), (7, 65), (8, 129), (10, 512),
     (11, 1026), (11, 1027), (11, 1028), (11, 1029), (11, 1030), (11, 1031)),
)  # fmt: skip
_TABLES: Final = tuple({code: symbol for symbol, code in enumerate(table)} for table in _LENGTHS)
_LONGEST: Final = 11
_BITS: Final = {"bool": 1, "u4": 4, "i4": 4, "u8": 8, "i8": 8, "u16": 16, "i16": 16, "u24": 24, "i24": 24, "u32": 32,
                "i32": 32, "f32": 32}  # fmt: skip


class Series(NamedTuple):
    """One quantity of a device: name, type of its raw numbers, step of their differences, divisor, unit."""

    name: str
    kind: str
    step: float
    divisor: int
    unit: str | None = None


class Batch(NamedTuple):
    """What a device puts into its batches: bits of a tag, and the series by tag."""

    tag_bits: int
    series: dict[int, Series]


class _Sample(NamedTuple):
    at_s: int
    value: float


class _Begun:
    """A series whose first sample is read."""

    __slots__ = ("coding", "samples", "series", "table")

    def __init__(self, series: Series, first: _Sample, coding: int, table: int) -> None:
        self.series, self.samples, self.coding, self.table = series, [first], coding, table


class _Bits:
    """The frame as a row of bits. DecodeError SHORT at its end."""

    __slots__ = ("left", "row")

    def __init__(self, data: bytes) -> None:
        self.row = int.from_bytes(data, "little")
        self.left = 8 * len(data)

    def take(self, count: int) -> int:
        if count > self.left:
            raise DecodeError(RejectReason.SHORT, "a batch that is cut off")
        value = 0
        size = (count - 1) % 8 + 1
        for _ in range((count + 7) // 8):
            value = value << 8 | self.row & ((1 << size) - 1)
            self.row >>= size
            size = 8
        self.left -= count
        return value

    def number(self, kind: str) -> float:
        """A number as it is."""
        bits = _BITS[kind]
        raw = self.take(bits)
        if kind == "f32":
            real: float = unpack(">f", pack(">I", raw))[0]
            if real - real != 0:
                raise DecodeError(RejectReason.RANGE, "a floating point number that is none")
            return real
        return raw - (1 << bits) if kind[0] == "i" and raw >> (bits - 1) else raw

    def symbol(self, table: int) -> int:
        """The next symbol of a Huffman table."""
        if table >= len(_TABLES):
            raise DecodeError(RejectReason.SYNTAX, f"coding table {table}")
        codes, code = _TABLES[table], 0
        for length in range(1, _LONGEST + 1):
            code = code << 1 | self.take(1)
            found = codes.get((length, code))
            if found is not None:
                return found
        raise DecodeError(RejectReason.SYNTAX, "bits that are no code of a batch")

    def time(self, before: int, table: int = _TIMES) -> int:
        """A time by its distance from the one before."""
        symbol = self.symbol(table)
        if symbol == _RAW:
            return self.take(32)
        return before + self.take(symbol) + (1 << symbol) - 1 if symbol else before


def read_batch(data: bytes, batch: Batch) -> Fields:
    """Fields of one batch.

    Of each quantity the newest value, with `<name>_age` in seconds before the frame was sent, and the older ones as
    `history_<n>_<name>` and `history_<n>_age`. Raises DecodeError SHORT, LONG, SYNTAX, RANGE, UNSUPPORTED, or
    UNKNOWN_TYPE for a tag that the device does not have: the length of its value is not known.
    """
    bits = _Bits(data)
    flags = bits.take(8)
    counter = bits.take(3)
    bits.take(1)
    begun: dict[int, _Begun] = {}
    last = 0
    for _ in range(flags >> 4):
        tag, series = _series(bits, batch)
        last = bits.time(last) if last else bits.take(32)
        first = _Sample(last, bits.number(series.kind))
        coded = (0, 0) if flags & _NO_SAMPLES else (bits.take(2), bits.take(2))
        begun[tag] = _Begun(series, first, *coded)
    if not begun:
        raise DecodeError(RejectReason.UNSUPPORTED, "a batch without a series")
    if not flags & _NO_SAMPLES:
        last = (_common if flags & _COMMON_TIMES else _separate)(bits, batch, begun, flags >> 4, last)
    sent = bits.time(last) if last else bits.take(32)
    return _fields(batch, begun, sent, counter)


def _series(bits: _Bits, batch: Batch) -> tuple[int, Series]:
    tag = bits.take(batch.tag_bits)
    found = batch.series.get(tag)
    if found is None:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"series {tag} of a batch")
    return tag, found


def _again(bits: _Bits, batch: Batch, begun: dict[int, _Begun]) -> _Begun:
    tag, _ = _series(bits, batch)
    if tag not in begun:
        raise DecodeError(RejectReason.SYNTAX, f"samples of series {tag}, which has no first value")
    return begun[tag]


def _common(bits: _Bits, batch: Batch, begun: dict[int, _Begun], count: int, last: int) -> int:
    """All series share their times; each says which of them it has."""
    samples, coding = bits.take(8), bits.take(2)
    times: list[int] = []
    for n in range(samples):
        symbol = bits.symbol(coding)
        if symbol == _RAW:
            times.append(bits.take(32))
        elif n == 0:
            times.append(next(iter(begun.values())).samples[0].at_s)
        else:
            times.append(times[-1] + (bits.take(symbol) + (1 << symbol) - 1 if symbol else 0))
    for _ in range(count):
        into = _again(bits, batch, begun)
        is_first = True  # the first value stands before: where it is said again by no difference, it is the same sample
        for at_s in times:
            if not bits.take(1):
                continue
            symbol = bits.symbol(into.table)
            if symbol == 0 and is_first:
                is_first = False
                continue
            _add(bits, into, at_s, symbol)
    return times[-1] if times else last


def _separate(bits: _Bits, batch: Batch, begun: dict[int, _Begun], count: int, last: int) -> int:
    """Each series has its own times."""
    for _ in range(count):
        into = _again(bits, batch, begun)
        samples = bits.take(8)
        coding = bits.take(2) if samples else 0
        for _ in range(samples):
            at_s = bits.time(into.samples[-1].at_s, coding)
            last = max(last, at_s)
            _add(bits, into, at_s, bits.symbol(into.table))
    return last


def _add(bits: _Bits, into: _Begun, at_s: int, symbol: int) -> None:
    """A sample by the symbol of its difference to the one before; coding 0: both ways, 1: upwards, else downwards."""
    before, step = into.samples[-1].value, into.series.step
    if len(into.samples) >= MAX_SAMPLES:
        raise DecodeError(RejectReason.LONG, f"more than {MAX_SAMPLES} samples of one series")
    if symbol == _RAW:
        value = bits.number(into.series.kind)
    elif symbol == 0:
        value = before
    else:
        raw = bits.take(symbol)
        if into.coding == 0:
            value = (raw if raw >= 1 << (symbol - 1) else raw + 1 - (1 << symbol)) * step + before
        else:
            distance = (raw + (1 << symbol) - 1) * step
            value = distance + before if into.coding == 1 else before - distance
    into.samples.append(_Sample(at_s, value))


def _fields(batch: Batch, begun: dict[int, _Begun], sent: int, counter: int) -> Fields:
    out: Fields = {"batch_counter": Value(counter)}
    older = 0
    for tag in batch.series:
        if tag not in begun:
            continue
        name, _, _, divisor, unit = begun[tag].series
        samples = begun[tag].samples
        for n, (at_s, value) in enumerate(samples):
            prefix = "" if n == len(samples) - 1 else f"history_{older}_"
            out[prefix + name] = Value(value if divisor == 1 else value / divisor, unit)
            out[prefix + "age" if prefix else f"{name}_age"] = Value(sent - at_s, "s")
            older += bool(prefix)
    return out
