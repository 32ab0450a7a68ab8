"""Wireless M-Bus link layer: frame formats A and B, with or without their checksums.

After EN 13757-4:2019, clause on the data link layer. A telegram as torhaus keeps it is a frame without checksums:

    L C MM AAAA V T CI data    L counts the bytes behind it

Format A: the first ten bytes, then every sixteen, are followed by a CRC; L does not count these. Format B: L counts
the CRCs; one covers up to 128 bytes (itself included) from the start, a second one the rest. Receivers decode 3 out of
6 and Manchester, and take the preamble away.
"""

from typing import Final

import msgspec

from torhaus.codecs.model import DecodeError, RejectReason

MAX_FRAME: Final = 290
"""Longest frame in bytes, format A: 256 and a CRC of two for each of its 17 blocks."""
HEAD: Final = 10
"""L, C, manufacturer and address."""

_POLYNOMIAL: Final = 0x3D65
_FIRST_A: Final = 10
_NEXT_A: Final = 16
_FIRST_B: Final = 128


class Heard(msgspec.Struct, frozen=True, gc=False):
    """One telegram, its checksums verified and taken away (here or by the receiver). `mode`: T1, C1, S1, if known."""

    telegram: bytes
    rssi_dbm: float | None = None
    mode: str | None = None


def _table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte << 8
        for _ in range(8):
            crc = crc << 1 ^ _POLYNOMIAL if crc & 0x8000 else crc << 1
        table.append(crc & 0xFFFF)
    return tuple(table)


_CRC: Final = _table()


def crc16(data: bytes) -> int:
    """CRC-16/EN-13757: polynomial 0x3D65, init 0, inverted. b"123456789" gives 0xC2B7."""
    crc = 0
    for byte in data:
        crc = (crc << 8 & 0xFFFF) ^ _CRC[crc >> 8 ^ byte]
    return crc ^ 0xFFFF


def telegram_of(frame: bytes) -> bytes:
    """The frame without checksums, L corrected. Raises DecodeError SHORT, LONG or CRC.

    A frame as long as L says is one of format B when its checksums fit, else one whose checksums are gone already.
    """
    if len(frame) < HEAD or frame[0] < HEAD - 1:
        raise DecodeError(RejectReason.SHORT, f"{len(frame)} bytes are no frame")
    size = frame[0] + 1
    if len(frame) == size:
        return _without_b(frame) or frame
    if len(frame) == size_a(frame[0]):
        return _without_a(frame)
    if len(frame) < size:
        raise DecodeError(RejectReason.SHORT, f"{len(frame)} of {size} bytes")
    raise DecodeError(RejectReason.LONG, f"{len(frame)} bytes, the frame says {size}")


def size_a(length: int) -> int:
    """Bytes of a frame of format A by its L."""
    blocks = 1 + -(-max(0, length + 1 - _FIRST_A) // _NEXT_A)
    return length + 1 + 2 * blocks


def _without_a(frame: bytes) -> bytes:
    out = bytearray()
    at, step = 0, _FIRST_A
    while at < len(frame):
        block = frame[at : at + step + 2]
        if len(block) < 3 or crc16(block[:-2]) != int.from_bytes(block[-2:], "big"):
            raise DecodeError(RejectReason.CRC, f"checksum of the block at byte {at} does not match")
        out += block[:-2]
        at, step = at + step + 2, _NEXT_A
    return bytes(out)


def _without_b(frame: bytes) -> bytes | None:
    """None when the checksums do not fit: then there are none."""
    out = bytearray()
    for block in (frame[:_FIRST_B], frame[_FIRST_B:]):
        if not block:
            continue
        if len(block) < 3 or crc16(block[:-2]) != int.from_bytes(block[-2:], "big"):
            return None
        out += block[:-2]
    if len(out) < HEAD:
        return None
    out[0] = len(out) - 1
    return bytes(out)


def frame_a(telegram: bytes) -> bytes:
    """A telegram as a frame of format A."""
    blocks = [telegram[:_FIRST_A]]
    blocks += [telegram[at : at + _NEXT_A] for at in range(_FIRST_A, len(telegram), _NEXT_A)]
    return b"".join(block + crc16(block).to_bytes(2, "big") for block in blocks)


def frame_b(telegram: bytes) -> bytes:
    """A telegram as a frame of format B. ValueError when it is too long for one."""
    room = _FIRST_B - 2
    blocks = [telegram[:room], telegram[room:]] if len(telegram) > room else [telegram]
    length = len(telegram) + 2 * len(blocks) - 1
    if length > 255:
        raise ValueError(f"{len(telegram)} bytes are too many for format B")
    blocks[0] = bytes((length,)) + blocks[0][1:]
    return b"".join(block + crc16(block).to_bytes(2, "big") for block in blocks)
