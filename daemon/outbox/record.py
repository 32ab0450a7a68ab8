"""One record: what was received and what it means, as it lies in the log.

The stored body is a MessagePack array; fields are only ever appended, with defaults (old bodies stay readable).
"""

import struct
import zlib
from typing import Final, Literal

import msgspec

from torhaus.codecs.model import Fields, Reception, Stamp

MAX_BODY: Final = 1 << 20
"""Bytes of one stored body; a record beyond it is cut down by the pipeline before it gets here."""

_HEADER: Final = struct.Struct("<IIqqB")  # body length, CRC-32, wall clock ns, boot time ns, flags
_ID: Final = struct.Struct("<QqqB")
HEADER_BYTES: Final = _HEADER.size
_SYNCED: Final = 1


class Lora(msgspec.Struct, omit_defaults=True, gc=False):
    """The radio side of an uplink. `fcnt` is the full 32-bit counter once the MIC has proved it."""

    freq_hz: int
    modulation: str
    datarate: str
    coderate: str | None = None
    dr: int | None = None  # data rate index of the region, where it is known
    dev_addr: str | None = None
    fcnt: int | None = None
    fport: int | None = None
    confirmed: bool = False
    rx: list[Reception] = []


class Record(msgspec.Struct, array_like=True, gc=False):
    """The stored body. `pending` marks a record whose script has not answered yet; `reason` says why there are none."""

    kind: Literal["reading", "frame", "event"]
    driver: str
    device: str | None = None
    dev_eui: str | None = None
    codec: str | None = None
    fields: Fields | None = None
    reason: str | None = None
    detail: str | None = None
    lora: Lora | None = None
    event: dict[str, float | int | str] | None = None
    raw: bytes | None = None
    payload: bytes | None = None  # decrypted, for `pending` ones and for a later decoding
    pending: bool = False


class Stored(msgspec.Struct, gc=False):
    """A record with its place and its times. `store` and `seq` make the id; `boot` says which boot `at` belongs to."""

    pos: int
    store: str
    seq: int
    boot: str
    at: Stamp
    record: Record


class Damaged(msgspec.Struct, frozen=True, gc=False):
    """A stretch of the log that cannot be read any more: never sent, counted."""

    pos: int
    count: int
    detail: str


class Verdict(msgspec.Struct, array_like=True, gc=False):
    """What a script made of a record: stored beside it, under the same id."""

    fields: Fields | None = None
    reason: str | None = None
    detail: str | None = None


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Record).decode


def seed(store: str, boot: str) -> int:
    """The part of every CRC of a row that is the same for all its records."""
    return zlib.crc32(f"{store}/{boot}".encode())


def pack(records: list[tuple[Stamp, Record]], first_seq: int, crc_seed: int) -> bytes:
    """The records of one row: each with length and CRC over id, times and body."""
    parts: list[bytes] = []
    crc32, put, ident = zlib.crc32, _HEADER.pack, _ID.pack
    for seq, (at, record) in enumerate(records, first_seq):
        body = _encode(record)
        flags = _SYNCED if at.synced else 0
        crc = crc32(body, crc32(ident(seq, at.wall_ns, at.boot_ns, flags), crc_seed))
        parts += (put(len(body), crc, at.wall_ns, at.boot_ns, flags), body)
    return b"".join(parts)


def unpack(data: bytes, pos: int, n: int, first_seq: int, store: str, boot: str) -> list[Stored | Damaged]:
    """The records of one row, checked. A bad CRC costs that record; a bad length the rest of the row."""
    out: list[Stored | Damaged] = []
    crc_seed = seed(store, boot)
    at, size = 0, len(data)
    for i in range(n):
        if at + HEADER_BYTES > size:
            out.append(Damaged(pos + i, n - i, "row ends early"))
            break
        length, crc, wall_ns, boot_ns, flags = _HEADER.unpack_from(data, at)
        end = at + HEADER_BYTES + length
        if end > size:
            out.append(Damaged(pos + i, n - i, "record longer than its row"))
            break
        body = data[at + HEADER_BYTES : end]
        at = end
        if zlib.crc32(body, zlib.crc32(_ID.pack(first_seq + i, wall_ns, boot_ns, flags), crc_seed)) != crc:
            out.append(Damaged(pos + i, 1, "CRC does not match"))
            continue
        try:
            record = _decode(body)
        except (msgspec.DecodeError, RecursionError) as e:
            out.append(Damaged(pos + i, 1, f"body: {e}"))
            continue
        stamp = Stamp(wall_ns, boot_ns, bool(flags & _SYNCED))
        out.append(Stored(pos + i, store, first_seq + i, boot, stamp, record))
    return out
