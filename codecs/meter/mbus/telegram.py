"""Wired M-Bus: what a meter answers to REQ_UD2, as named fields.

After EN 13757-3:2018 (variable data structure, CI 72; fixed one, CI 73 and 77, of EN 1434-3:1997).

- `meter_id`, `manufacturer`, `version`, `medium`, `access_number`, `status` (in words) come from the header, as far as
  there is one (CI 72 whole, 7A the last two, 78 none).
- Values: `quantity[_function][_storage_n][_tariff_n][_subunit_n]`; function is `max`, `min` or `error`. A name that
  comes again in one telegram gets `_2`, `_3` and so on, in the order of the telegram.
- Dates are local time in ISO 8601; a date or number that the meter marks as invalid is null.
- A compact profile is its bytes, as hex, and its values `<name>_value_1` and so on, as sent: differences where the
  profile says so (EN 13757-3, annex on profiles).
- `<name>_fault`: what the meter says is wrong with this value. `manufacturer_data`: its own bytes, as hex.
  `more_records`: true when another telegram follows.
- `unknown_codes`: how many values have a code that the standard gives no meaning; they are as sent, with the code in
  their name. `unread_data`: a record that cannot be read and all behind it, as hex; the values before it are there.
"""

from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.framing.mbus import unwrap
from torhaus.codecs.meter.mbus.fixed import fixed
from torhaus.codecs.meter.mbus.record import Record, Rest, records
from torhaus.codecs.meter.mbus.words import manufacturer, medium, status
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value

ERRORS: Final = (
    "unspecified error",
    "unimplemented CI field",
    "buffer too long, truncated",
    "too many records",
    "premature end of record",
    "more than 10 DIFEs",
    "more than 10 VIFEs",
    "reserved",
    "application too busy",
    "too many readouts",
)

_ENCRYPTIONS: Final = frozenset({2, 3, 4, 5, 7, 8, 9, 10, 13})
"""Modes in the configuration field. Meters older than EN 13757-3:2013 may have anything else there."""


def decode(data: bytes, fport: int | None = None) -> Fields:  # noqa: ARG001 - one signature for all codecs
    """Fields of one long frame. Raises DecodeError."""
    telegram = unwrap(data)
    ci, body = telegram.ci, telegram.data
    if ci is None:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, "a frame without data of a meter")
    if ci == 0x70:
        code = body[0] if body else 0
        return {"error": Value(ERRORS[code] if code < len(ERRORS) else f"error {code}")}
    if ci in {0x73, 0x77}:
        return fixed(body, swapped=ci == 0x77)
    if ci == 0x72:
        return variable(body)
    if ci in {0x78, 0x7A}:
        return _without_address(Cursor(body), has_header=ci == 0x7A)
    raise DecodeError(RejectReason.UNSUPPORTED, f"CI field {ci:#04x}")


def variable(body: bytes) -> Fields:
    """Fields of a variable data structure with its long header of 12 bytes. Raises DecodeError."""
    cursor = Cursor(body)
    serial = cursor.take(4)[::-1].hex()
    fields: Fields = {
        "meter_id": Value(serial),
        "manufacturer": Value(manufacturer(cursor.ule(2))),
        "version": Value(cursor.u8()),
        "medium": Value(medium(cursor.u8())),
    }
    _header(fields, cursor)
    put_records(fields, cursor.rest())
    return fields


def _header(fields: Fields, cursor: Cursor) -> None:
    fields["access_number"] = Value(cursor.u8())
    fields["status"] = Value(status(cursor.u8()))
    if cursor.ule(2) >> 8 & 0x1F in _ENCRYPTIONS:
        raise DecodeError(RejectReason.KEY, "the telegram is encrypted")


def _without_address(cursor: Cursor, *, has_header: bool) -> Fields:
    """A short header (CI 7A) or none (78): who it is says the primary address alone. Raises DecodeError."""
    fields: Fields = {}
    if has_header:
        _header(fields, cursor)
    put_records(fields, cursor.rest())
    if not fields:
        raise DecodeError(RejectReason.SHORT, "no value in it")
    return fields


def put_records(fields: Fields, data: bytes) -> None:
    """Add the values of every record. Raises DecodeError when not even the first can be read."""
    unknown = 0
    for record in records(data):
        if isinstance(record, Rest):
            if record.data:
                _put(fields, "manufacturer_data" if record.reason is None else "unread_data", Value(record.data.hex()))
            if record.more:
                _put(fields, "more_records", Value(True))
            continue
        unknown += not record.is_known
        put_record(fields, record)
    if unknown:
        _put(fields, "unknown_codes", Value(unknown))


def put_record(fields: Fields, record: Record) -> None:
    """Add the value of one record."""
    name = _put(fields, name_of(record), Value(record.value, None if record.profile else record.unit))
    for n, value in enumerate(record.profile, start=1):
        _put(fields, f"{name}_value_{n}", Value(value, record.unit))
    if record.fault is not None:
        _put(fields, f"{name}_fault", Value(record.fault))


def name_of(record: Record) -> str:
    """The field's name before it is numbered."""
    name = f"{record.quantity}_{record.function}" if record.function else record.quantity
    for word, number in (("storage", record.storage), ("tariff", record.tariff), ("subunit", record.subunit)):
        if number:
            name += f"_{word}_{number}"
    return name


def _put(fields: Fields, name: str, value: Value) -> str:
    """Add a value; a name that is taken gets a number. Returns the name that it got."""
    taken, n = name, 1
    while taken in fields:
        n += 1
        taken = f"{name}_{n}"
    fields[taken] = value
    return taken
