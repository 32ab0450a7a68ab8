"""Builds SML transport telegrams as a meter pushes them: for simulated meters and for tests of the decoder.

Source: as in `sml`. A file has three messages: SML_PublicOpen.Res, SML_GetList.Res, SML_PublicClose.Res.
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import msgspec

from torhaus.codecs.framing.crc import crc16_x25
from torhaus.codecs.framing.sml_transport import wrap
from torhaus.codecs.meter.obis import obis_bytes
from torhaus.codecs.model import DecodeError, RejectReason

_ABSENT: Final = b"\x01"
_LIST_NAME: Final = bytes.fromhex("0100620affff")
_UNSIGNED: Final = 0x60
_SIGNED: Final = 0x50

Checksum: TypeAlias = Callable[[bytes], int]


class Entry(msgspec.Struct, frozen=True):
    """One object of the list. `value` is sent as it is: a reading of 1234.5 Wh is value 12345, scaler -1, unit 30.

    `unit` is the DLMS unit number. Integers are sent signed in the fewest bytes; `size` sends them in more (1 to 8).
    """

    obis: str  # A-B:C.D.E*F
    value: int | bytes | bool | None
    unit: int | None = None
    scaler: int | None = None
    status: int | None = None
    sec_index: int | None = None
    size: int | None = None


def encode_file(
    server_id: bytes,
    entries: Sequence[Entry],
    *,
    sec_index: int | None = None,
    transaction: int = 1,
    checksum: Checksum = crc16_x25,
) -> bytes:
    """One whole transport telegram with its checksums.

    `server_id` is the binary identity (e.g. 0a 01 "DZG" 00 and a four-byte number); `sec_index` the meter's clock in
    seconds of operation; `transaction` numbers the messages. Raises DecodeError RANGE for numbers beyond 64 bits and
    SYNTAX for OBIS codes that are none.
    """
    clock = _ABSENT if sec_index is None else _seconds(sec_index)
    identity = _octets(server_id)
    opening = _list(_ABSENT, _ABSENT, _octets(transaction.to_bytes(4, "big")), identity, _ABSENT, _ABSENT)
    values = _list(*(_entry(entry) for entry in entries))
    listing = _list(_ABSENT, identity, _octets(_LIST_NAME), clock, values, _ABSENT, _ABSENT)
    file = b"".join(
        _message(transaction + n, tag, content, checksum)
        for n, (tag, content) in enumerate(((0x0101, opening), (0x0701, listing), (0x0201, _list(_ABSENT))))
    )
    return wrap(file, checksum)


def _message(transaction: int, tag: int, content: bytes, checksum: Checksum) -> bytes:
    body = _list(_number(tag, _UNSIGNED, 2), content)
    head = b"\x76" + _octets(transaction.to_bytes(4, "big")) + _number(0, _UNSIGNED) + _number(0, _UNSIGNED) + body
    return head + b"\x63" + checksum(head).to_bytes(2, "little") + b"\x00"


def _entry(entry: Entry) -> bytes:
    if entry.value is None:
        value = _ABSENT
    elif isinstance(entry.value, bytes):
        value = _octets(entry.value)
    elif isinstance(entry.value, bool):
        value = bytes((0x42, entry.value))
    else:
        value = _number(entry.value, _SIGNED, entry.size)
    return _list(
        _octets(obis_bytes(entry.obis)),
        _ABSENT if entry.status is None else _number(entry.status, _UNSIGNED),
        _ABSENT if entry.sec_index is None else _seconds(entry.sec_index),
        _ABSENT if entry.unit is None else _number(entry.unit, _UNSIGNED, 1),
        _ABSENT if entry.scaler is None else _number(entry.scaler, _SIGNED, 1),
        value,
        _ABSENT,
    )


def _seconds(n: int) -> bytes:
    """SML_Time, choice secIndex."""
    return _list(_number(1, _UNSIGNED, 1), _number(n, _UNSIGNED, 4))


def _number(n: int, kind: int, size: int | None = None) -> bytes:
    signed = kind == _SIGNED
    if size is None:
        size = max(1, ((n if n >= 0 else ~n).bit_length() + signed + 7) // 8)
    if size > 8:
        raise DecodeError(RejectReason.RANGE, f"a number of {size} bytes")
    try:
        octets = n.to_bytes(size, "big", signed=signed)
    except OverflowError:
        raise DecodeError(RejectReason.RANGE, f"{n} does not fit into {size} bytes") from None
    return bytes((kind | size + 1,)) + octets


def _octets(octets: bytes) -> bytes:
    """An octet string. Its length counts the type-length bytes too, so it is found by trying."""
    if not octets:
        return _ABSENT
    width = next(width for width in range(1, 16) if len(octets) + width < 16**width)
    return _type_length(0x00, len(octets) + width, width) + octets


def _list(*elements: bytes) -> bytes:
    width = next(width for width in range(1, 16) if len(elements) < 16**width)
    return _type_length(0x70, len(elements), width) + b"".join(elements)


def _type_length(kind: int, length: int, width: int) -> bytes:
    """Type and length in `width` bytes of four bits of length each."""
    nibbles = [length >> 4 * n & 0x0F for n in reversed(range(width))]
    nibbles[0] |= kind
    return bytes(nibble | 0x80 for nibble in nibbles[:-1]) + bytes(nibbles[-1:])
