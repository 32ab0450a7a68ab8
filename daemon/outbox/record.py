"""One record: what was received and what it means, as it lies in the log.

The stored body is a MessagePack array; fields are only ever appended, with defaults (old bodies stay readable).
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Final, Literal

import msgspec

from torhaus.codecs.model import MAX_DETAIL, Fields, Reception, RejectReason, Stamp

_HEADER: Final = struct.Struct("<IIqqB")  # body length, CRC-32, wall clock ns, boot time ns, flags
_ID: Final = struct.Struct("<QQqqB")  # position, number, wall clock ns, boot time ns, flags
_LENGTH: Final = struct.Struct("<I")
MAX_RECEPTIONS: Final = 16
"""Of one frame: how further gateways heard it is kept among the strangers, but not put together with the first."""
HEADER_BYTES: Final = _HEADER.size
_SYNCED: Final = 1
_NUMBERED: Final = 2
"""The record brings its number, eight bytes before the body: where those of a row do not follow each other."""
_NUMBER: Final = struct.Struct("<Q")


class Lora(msgspec.Struct, omit_defaults=True, gc=False):
    """The radio side of an uplink. `fcnt` is the full 32-bit counter once the MIC has proved it.

    `session` counts the device's joins: the counter starts anew with each. None where the session is personalised.
    """

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
    session: int | None = None


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
    alarm: bool = False  # by a rule of the site: goes out before everything else


class Stored(msgspec.Struct, gc=False):
    """A record with its place and its times. `store` and `seq` make the id; `boot` says which boot `at` belongs to."""

    pos: int
    store: str
    seq: int
    boot: str
    at: Stamp
    record: Record


class Damaged(msgspec.Struct, frozen=True, gc=False):
    """A stretch of the log that is missing or was changed on disk: never sent, counted."""

    pos: int
    count: int
    detail: str


class Verdict(msgspec.Struct, array_like=True, gc=False):
    """What became known of a record after it was written: stored beside it, under the same id.

    Either what a script made of it, or `rx`, how other gateways heard the frame, or both.
    """

    fields: Fields | None = None
    reason: str | None = None
    detail: str | None = None
    alarm: bool = False
    rx: list[Reception] = []
    seq: int | None = None  # of the record that `rx` belongs to: positions may come to mean others

    @property
    def is_decision(self) -> bool:
        """Whether a script has answered."""
        return self.fields is not None or self.reason is not None


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Record).decode
_decode_stored: Final = msgspec.msgpack.Decoder(Stored).decode


def seed(store: str, boot: str) -> int:
    """The part of every CRC of a row that is the same for all its records."""
    return zlib.crc32(f"{store}/{boot}".encode())


def pack(records: list[tuple[Stamp, Record]], first: int, first_seq: int, crc_seed: int) -> bytes:
    """The records of one row: each with length and CRC over position, id, times and body.

    A record that has no stored form (a number beyond 64 bits, text that is no Unicode) is reduced in place to its raw
    bytes and the reason: it must not cost its neighbours their commit.
    """
    parts: list[bytes] = []
    crc32, put, ident, encode = zlib.crc32, _HEADER.pack, _ID.pack, _encode
    pos, seq = first, first_seq
    for at, record in records:
        try:
            body = encode(record)
        except (ValueError, TypeError, OverflowError, RecursionError) as e:
            body = _reduced(record, e)
        wall_ns, boot_ns = at.wall_ns, at.boot_ns
        flags = _SYNCED if at.synced else 0
        crc = crc32(body, crc32(ident(pos, seq, wall_ns, boot_ns, flags), crc_seed))
        parts += (put(len(body), crc, wall_ns, boot_ns, flags), body)
        pos += 1
        seq += 1
    return b"".join(parts)


def pack_kept(records: list[Stored], first: int, crc_seed: int) -> bytes:
    """The records of one row that keep the numbers they have: what is left of a thinned segment."""
    parts: list[bytes] = []
    for pos, r in enumerate(records, first):
        body, at = _encode(r.record), r.at
        flags = _NUMBERED | (_SYNCED if at.synced else 0)
        crc = zlib.crc32(body, zlib.crc32(_ID.pack(pos, r.seq, at.wall_ns, at.boot_ns, flags), crc_seed))
        header = _HEADER.pack(_NUMBER.size + len(body), crc, at.wall_ns, at.boot_ns, flags)
        parts += (header, _NUMBER.pack(r.seq), body)
    return b"".join(parts)


def _reduced(record: Record, error: Exception) -> bytes:
    """What can be stored of a record that cannot be stored as it is."""
    if record.kind == "reading":
        record.kind = "frame"
    record.fields = record.lora = record.event = record.payload = None
    record.pending = False
    record.reason = RejectReason.RANGE.value
    record.detail = f"cannot be stored: {error}".encode(errors="replace").decode()[:MAX_DETAIL]
    return _encode(record)


def unpack(
    data: bytes, pos: int, first_seq: int, store: str, boot: str, *, skip: int = 0, most: int | None = None
) -> list[Stored]:
    """The records of one row that are what was written: `most` of them at most, after the first `skip`.

    What does not match its CRC is left out, and all that follows a wrong length: who reads the log knows which
    positions there must be.
    """
    out: list[Stored] = []
    crc_seed = seed(store, boot)
    at, last = 0, len(data) - HEADER_BYTES
    for _ in range(skip):
        if at > last:
            return out
        at += HEADER_BYTES + _LENGTH.unpack_from(data, at)[0]
    pos += skip
    seq = first_seq + skip
    stamp: Stamp | None = None  # records of one turn of the loop share theirs
    while at <= last and (most is None or len(out) < most):
        length, crc, wall_ns, boot_ns, flags = _HEADER.unpack_from(data, at)
        at += HEADER_BYTES
        if at + length > len(data):
            break
        body = data[at : at + length]
        at += length
        number = seq
        if flags & _NUMBERED and length >= _NUMBER.size:
            number, body = _NUMBER.unpack_from(body)[0], body[_NUMBER.size :]
        if zlib.crc32(body, zlib.crc32(_ID.pack(pos, number, wall_ns, boot_ns, flags), crc_seed)) == crc:
            try:
                record = _decode(body)
            except (msgspec.DecodeError, ValueError, RecursionError):
                pass  # as good as damaged
            else:
                synced = bool(flags & _SYNCED)
                if stamp is None or (stamp.wall_ns, stamp.boot_ns, stamp.synced) != (wall_ns, boot_ns, synced):
                    stamp = Stamp(wall_ns, boot_ns, synced)
                out.append(Stored(pos, store, number, boot, stamp, record))
        pos += 1
        seq += 1
    return out


def count(data: bytes) -> int | None:
    """How many records a row holds by their lengths; None when these do not fit the row."""
    n = at = 0
    while at + HEADER_BYTES <= len(data):
        at += HEADER_BYTES + _LENGTH.unpack_from(data, at)[0]
        n += 1
    return n if at == len(data) else None


def stamps(data: bytes) -> Iterator[Stamp]:
    """When the records of one row were received, from their headers alone: nothing is decoded or checked."""
    at, last = 0, len(data) - HEADER_BYTES
    while at <= last:
        length, _, wall_ns, boot_ns, flags = _HEADER.unpack_from(data, at)
        at += HEADER_BYTES + length
        yield Stamp(wall_ns, boot_ns, bool(flags & _SYNCED))


def combined(old: Verdict, new: Verdict) -> Verdict:
    """Both as one: the later decision, and the receptions of both, each once."""
    decision = new if new.is_decision else old
    if old.seq is not None and new.seq is not None and old.seq != new.seq:
        old = Verdict()  # it was about another record
    rx = with_receptions(old.rx, new.rx)
    seq = old.seq if new.seq is None else new.seq
    return Verdict(decision.fields, decision.reason, decision.detail, decision.alarm, rx, seq)


def with_receptions(have: list[Reception], more: list[Reception]) -> list[Reception]:
    """A list with what is new in `more` behind what is in `have`: 16 at most, or as many as there were."""
    news = [r for r in more if r not in have]
    return have + news[: max(0, MAX_RECEPTIONS - len(have))]


def apply(stored: Stored, verdict: Verdict) -> None:
    """Put into a record what is stored beside it: a script's answer if it waits for one, further receptions."""
    record = stored.record
    if verdict.rx and verdict.seq == stored.seq and record.lora is not None:
        rx = with_receptions(record.lora.rx, verdict.rx)
        record.lora = msgspec.structs.replace(record.lora, rx=rx)  # a new one: others may have the frame as it came
    if not (verdict.is_decision and record.pending):
        return
    record.pending = False
    record.fields, record.reason, record.detail = verdict.fields, verdict.reason, verdict.detail
    record.alarm = verdict.alarm
    record.kind = "reading" if verdict.fields is not None else "frame"


def pack_copy(stored: Stored) -> bytes:
    """A record's own copy outside of the log, with its CRC-32 before it."""
    data = _encode(stored)
    return zlib.crc32(data).to_bytes(4, "little") + data


def unpack_copy(blob: object) -> Stored | None:
    """The record; None when it was changed on disk."""
    if not isinstance(blob, bytes) or zlib.crc32(blob[4:]) != int.from_bytes(blob[:4], "little"):
        return None
    try:
        return _decode_stored(blob[4:])
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None


def intact_at(data: bytes, at: int, pos: int, seq: int, crc_seed: int) -> tuple[int, Record] | None:
    """Where the record that begins at `at` ends, and what it holds; None if it is not the one with this id."""
    if at + HEADER_BYTES > len(data):
        return None
    length, crc, wall_ns, boot_ns, flags = _HEADER.unpack_from(data, at)
    at += HEADER_BYTES
    if at + length > len(data):
        return None
    body, end = data[at : at + length], at + length
    if flags & _NUMBERED and length >= _NUMBER.size:
        seq, body = _NUMBER.unpack_from(body)[0], body[_NUMBER.size :]
    if zlib.crc32(body, zlib.crc32(_ID.pack(pos, seq, wall_ns, boot_ns, flags), crc_seed)) != crc:
        return None
    try:
        return end, _decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
