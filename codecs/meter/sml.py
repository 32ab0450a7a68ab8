"""SML, Smart Message Language: the lists of values that electricity meters push, as fields named by OBIS code.

Source: SML version 1.03 (12 November 2008) and 1.04, chapters SML_Message, SML_PublicOpen.Res, SML_GetList.Res; annex
"Feinspezifikation Drahtgebundene LMN-Schnittstelle" of BSI TR-03109-1.

Names and values:
- `1-0:1.8.0*255` (OBIS, `A-B:C.D.E*F` in decimal): value times 10^scaler with a UCUM unit. A negative scaler divides by
  a power of ten, so decimals are exact. Octet strings are text when they are printable ASCII, hex otherwise.
- `…_status`: the status word as an integer. `…_sec_index` (seconds of the meter's operation) or `…_timestamp` (Unix
  time, UTC): when the value was taken, where the meter says so (0 means it does not).
- `server_id`: the meter, as printed on its face (DIN 43863-5), else as text or hex. `sec_index` or `timestamp`: its
  clock.
- A code that comes again in one file gets `_2`, `_3` and so on. Entries without a value are left out; entries and
  times that are not built as the document says are counted in `malformed_entries`. Signatures are not verified.

What meters do differently:
- Holley DTZ541: checksums are Kermit instead of X.25, and a time is a bare number instead of the choice "secIndex".
- DZG DVS74 (DVS7412.2, DVS7420.2) with numbers 42000000 to 48999999 and 55000000 to 58999999: active power of up to
  three bytes is unsigned but marked signed; true negative values have four. Newer ones mark it right.
- EMH eHZ-IW8E2A: lists an object (1-0:96.50.2*6) that has a time but no value.
- DZG: unit 0 and scaler 0 where there is no unit, second 0 where there is no time.
"""

from collections.abc import Iterator
from typing import Final

from torhaus.codecs.framing.sml_transport import MAX_FRAME, START, crc_matches, unwrap
from torhaus.codecs.meter.obis import meter_id_text, obis_text, octets_text, unit_code
from torhaus.codecs.meter.sml_tlv import Node, Number, parse
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Scalar, Value

MAX_MESSAGES: Final = 64
"""Messages of one file: meters send three (open, list, close)."""

_OPEN: Final = 0x0101
_GET_LIST: Final = 0x0701
_IDENTITIES: Final = frozenset({"1-0:0.0.9*255", "1-0:96.1.0*255", "0-0:96.1.0*255"})
_ACTIVE_POWER: Final = frozenset({"1-0:16.7.0*255", "1-0:36.7.0*255", "1-0:56.7.0*255", "1-0:76.7.0*255"})
_DZG: Final = b"\x0a\x01DZG\x00"
_DZG_NUMBERS: Final = (range(42_000_000, 49_000_000), range(55_000_000, 59_000_000))
_INT64: Final = 2**63


def decode(data: bytes, fport: int | None = None) -> Fields:  # noqa: ARG001 - one signature for all codecs
    """Fields of every list of values in one transport telegram, or in one bare SML file.

    Raises DecodeError: what `unwrap` and the encoding raise; CRC when a message's checksum does not match; SYNTAX for
    messages built otherwise; UNSUPPORTED when there is no list of values in it.
    """
    fields: Fields = {}
    tags: list[str] = []
    for tag, body in _messages(data):
        tags.append(f"{tag:04x}")
        if tag == _GET_LIST:
            _get_list(body, fields)
    if not fields:
        raise DecodeError(RejectReason.UNSUPPORTED, f"no list of values; messages: {' '.join(tags) or 'none'}")
    return fields


def server_id(telegram: bytes) -> str:
    """The meter's identity as text, from the first message that states it. Raises DecodeError as `decode` does."""
    for tag, body in _messages(telegram):
        if tag in {_OPEN, _GET_LIST} and len(body) > 3:
            identity = body[1] if tag == _GET_LIST else body[3]
            if isinstance(identity, bytes):
                return meter_id_text(identity)
    raise DecodeError(RejectReason.UNSUPPORTED, "no message states the meter's identity")


def _messages(data: bytes) -> Iterator[tuple[int, list[Node]]]:
    """Tag and body of each message. The checksums are verified."""
    file = unwrap(data) if data.startswith(START) else data
    if not file:
        raise DecodeError(RejectReason.SHORT, "an empty file")
    if len(file) > MAX_FRAME:
        raise DecodeError(RejectReason.LONG, f"{len(file)} bytes, at most {MAX_FRAME}")
    pos = count = 0
    while pos < len(file):
        if file[pos] == 0:  # filling
            pos += 1
            continue
        count += 1
        if count > MAX_MESSAGES:
            raise DecodeError(RejectReason.LONG, f"more than {MAX_MESSAGES} messages")
        tag, body, pos = _message(file, pos)
        yield tag, body


def _message(file: bytes, start: int) -> tuple[int, list[Node], int]:
    """SML_Message: transactionId, groupNo, abortOnError, messageBody (tag, content), crc16, endOfSmlMsg."""
    if file[start] != 0x76:
        raise DecodeError(RejectReason.SYNTAX, f"no message at offset {start}")
    pos = start + 1
    node: Node = None
    for _ in range(4):
        node, pos = parse(file, pos, 1)
    crc, end = parse(file, pos, 1)
    if end >= len(file):
        raise DecodeError(RejectReason.SHORT, "a message has no end")
    if not isinstance(crc, Number) or crc.size > 2 or crc.value < 0 or file[end] != 0:
        raise DecodeError(RejectReason.SYNTAX, f"no checksum and end of message at offset {pos}")
    if not crc_matches(file[start:pos], crc.value):
        raise DecodeError(RejectReason.CRC, f"checksum of the message at offset {start} does not match")
    if not isinstance(node, list) or len(node) != 2 or not isinstance(node[0], Number) or not isinstance(node[1], list):
        raise DecodeError(RejectReason.SYNTAX, f"message at offset {start} has no tag and content")
    return node[0].value, node[1], end + 1


def _get_list(body: list[Node], fields: Fields) -> None:
    """SML_GetList.Res: clientId, serverId, listName, actSensorTime, valList, listSignature, actGatewayTime."""
    if len(body) != 7:
        raise DecodeError(RejectReason.SYNTAX, f"a list of values with {len(body)} elements instead of 7")
    identity, entries = body[1], body[4]
    if not isinstance(identity, bytes) or not isinstance(entries, list):
        raise DecodeError(RejectReason.SYNTAX, "a list of values without meter or values")
    _put(fields, "server_id", Value(meter_id_text(identity)))
    wrong_sign = _has_wrong_sign(identity)
    malformed = 0
    try:
        _put_time(fields, "", body[3])
    except DecodeError:
        malformed += 1
    for entry in entries:
        try:
            _entry(entry, fields, wrong_sign=wrong_sign)
        except DecodeError:
            malformed += 1
    if malformed:
        _put(fields, "malformed_entries", Value(malformed))


def _entry(entry: Node, fields: Fields, *, wrong_sign: bool) -> None:
    """SML_ListEntry: objName, status, valTime, unit, scaler, value, valueSignature."""
    if not isinstance(entry, list) or len(entry) != 7 or not isinstance(entry[0], bytes):
        raise DecodeError(RejectReason.SYNTAX, "an entry is not a list of 7")
    name = obis_text(entry[0])
    status, unit, scaler, value = entry[1], entry[3], entry[4], entry[5]
    code = unit_code(unit.value if isinstance(unit, Number) else None)
    scalar: Scalar
    if value is None:
        return
    if isinstance(value, Number):
        n = value.value
        if wrong_sign and n < 0 and value.size < 4 and name in _ACTIVE_POWER:
            n += 1 << 8 * value.size
        scalar = scaled(n, scaler.value if isinstance(scaler, Number) else 0)
    elif isinstance(value, bytes):
        scalar = meter_id_text(value) if name in _IDENTITIES else octets_text(value)
    elif isinstance(value, bool):
        scalar = value
    else:  # SML_ListType: a choice whose only member is 1, SML_Time
        if len(value) != 2 or not isinstance(value[0], Number) or value[0].value != 1:
            raise DecodeError(RejectReason.UNSUPPORTED, "a value that is a list")
        _, scalar = _time(value[1])
        code = "s"
    name = _put(fields, name, Value(scalar, code))
    if isinstance(status, Number):
        _put(fields, f"{name}_status", Value(status.value))
    _put_time(fields, f"{name}_", entry[2])


def scaled(n: int, scaler: int) -> float | int:
    """`n` times 10 to the power of `scaler`: divided, so that 12345 with -1 is 1234.5. Raises DecodeError RANGE."""
    if not -128 <= scaler <= 127:
        raise DecodeError(RejectReason.RANGE, f"scaler {scaler}")
    if scaler < 0:
        return n / int(10**-scaler)
    n *= int(10**scaler)
    return n if -_INT64 <= n < _INT64 else float(n)


def _has_wrong_sign(identity: bytes) -> bool:
    """Whether this is one of DZG's meters that mark unsigned power as signed."""
    if len(identity) != 10 or not identity.startswith(_DZG):
        return False
    number = int.from_bytes(identity[6:], "big")
    return any(number in numbers for numbers in _DZG_NUMBERS)


def _time(node: Node) -> tuple[str, int]:
    """SML_Time: secIndex (1), timestamp (2) or localTimestamp (3: time, offsets in minutes). Name and seconds."""
    if isinstance(node, Number):  # Holley
        return "sec_index", node.value
    if isinstance(node, list) and len(node) == 2 and isinstance(node[0], Number):
        tag, content = node[0].value, node[1]
        if isinstance(content, list) and content:  # the offsets only say what the local clock shows
            content = content[0]
        if tag in {1, 2, 3} and isinstance(content, Number):
            return ("sec_index" if tag == 1 else "timestamp"), content.value
    raise DecodeError(RejectReason.SYNTAX, "a time is not built as one")


def _put_time(fields: Fields, prefix: str, node: Node) -> None:
    if node is None:
        return
    name, seconds = _time(node)
    if seconds:
        _put(fields, prefix + name, Value(seconds, "s"))


def _put(fields: Fields, name: str, value: Value) -> str:
    """Set a field; a name that is taken gets the next free number. Returns the name it went under."""
    free = name
    n = 1
    while free in fields:
        n += 1
        free = f"{name}_{n}"
    fields[free] = value
    return free
