"""Bytes changed as accidents and attackers change them: the same seed, the same changes."""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Final

MAX_BYTES: Final = 70_000
_NUMBERS: Final = (
    b"0", b"-1", b"1e999", b"-0.0", b"NaN", b"Infinity", b"9223372036854775808", b"4294967296", b"1" * 400, b"0.1e-400",
    b"null", b"true", b"{}", b"[]", b'""', b'"\\ud800"', b'"\xff"',
)  # fmt: skip
_OCTETS: Final = (0x00, 0x01, 0x7F, 0x80, 0xFF, 0x1B, 0x22, 0x5B, 0x7B, 0x68, 0xE5)
Change = Callable[[bytearray, random.Random], None]


def mutants(seeds: Sequence[bytes], rounds: int, seed: int) -> Iterator[bytes]:
    """`rounds` changed copies; now and then one as it was, and one of nothing but noise."""
    rng = random.Random(seed)
    for n in range(rounds):
        data = bytearray(rng.choice(seeds))
        if n % 97 == 0:
            yield bytes(data)
        elif n % 89 == 0:
            yield rng.randbytes(rng.choice((0, 1, 3, 12, 64, 300, 5000)))
        else:
            for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
                if data:
                    rng.choice(_CHANGES)(data, rng)
            if rng.random() < 0.05:
                data += rng.choice(seeds)
            yield bytes(data[:MAX_BYTES])


def _flip(data: bytearray, rng: random.Random) -> None:
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _set(data: bytearray, rng: random.Random) -> None:
    data[rng.randrange(len(data))] = rng.choice((*_OCTETS, rng.randrange(256)))


def _insert(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data) + 1)
    data[at:at] = rng.randbytes(rng.choice((1, 1, 2, 4, 40)))


def _delete(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data))
    del data[at : at + rng.choice((1, 1, 2, 4, 40))]


def _cut(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(len(data)) :]


def _repeat(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data))
    piece = data[at : at + rng.choice((1, 4, 16, 64))]
    data[at:at] = piece * rng.choice((1, 2, 50)) if len(data) < MAX_BYTES else b""


def _swap(data: bytearray, rng: random.Random) -> None:
    a, b = rng.randrange(len(data)), rng.randrange(len(data))
    data[a], data[b] = data[b], data[a]


def _number(data: bytearray, rng: random.Random) -> None:
    """A number of JSON becomes another thing; where there is none, a byte does."""
    digits = [i for i, octet in enumerate(data) if 0x30 <= octet <= 0x39]
    if not digits:
        _set(data, rng)
        return
    at = rng.choice(digits)
    end = at
    while end < len(data) and data[end] in b"0123456789.":
        end += 1
    data[at:end] = rng.choice(_NUMBERS)


_CHANGES: Final[tuple[Change, ...]] = (_flip, _flip, _set, _insert, _delete, _cut, _repeat, _swap, _number)
