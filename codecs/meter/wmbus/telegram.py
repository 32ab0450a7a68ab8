"""Wireless M-Bus (OMS): one telegram, from L on and without the frame's checksums, as named fields.

After EN 13757-3:2018, EN 13757-4:2019, EN 13757-7:2018, OMS Specification Volume 2, issue 4.

- `meter_id`, `manufacturer`, `version`, `medium` say whose data these are; `access_number` and `status` (in words) are
  there where the telegram has them. `radio_address`: who sent it, where that is another than the meter (an adapter).
- Values are named as those of wired M-Bus: `quantity[_function][_storage_n][_tariff_n][_subunit_n]`.
- Encrypted telegrams (modes 5 and 7, counter mode of the extended link layer) need the meter's key; a compact frame
  needs a full or format frame of the same meter before.
- Of manufacturers' own forms (CI A0 to B7) those of Diehl (PRIOS, and records under its stream of bits), Techem,
  Apator and BFW are read: see torhaus.codecs.meter.wmbus.own. Others are refused as `unsupported`. Own bytes behind the
  records are `manufacturer_data`, as hex; the walk-by container of Qundis, and what Apator, Hydrodigit and Zenner have
  there, is read beside its bytes.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from torhaus.codecs.meter.mbus.record import Record
from torhaus.codecs.meter.mbus.telegram import ERRORS, put_record, put_records
from torhaus.codecs.meter.mbus.words import status
from torhaus.codecs.meter.wmbus.address import Address, address_of
from torhaus.codecs.meter.wmbus.compact import Formats, full_frame, heads_of, learn_format
from torhaus.codecs.meter.wmbus.layers import (
    COMPACT,
    DATA,
    ERROR,
    FORMAT,
    MANUFACTURER_CI,
    NOTHING,
    OWN,
    Authentication,
    Extended,
    authentication_of,
    extended_of,
    header_of,
    link_of,
)
from torhaus.codecs.meter.wmbus.own import behind
from torhaus.codecs.meter.wmbus.own.diehl import in_order, is_real_data, real_data
from torhaus.codecs.meter.wmbus.own.forms import records_of, sent_as_records
from torhaus.codecs.meter.wmbus.own.qundis import MAKERS, WALK_BY, walk_by
from torhaus.codecs.meter.wmbus.security import CBC_DERIVED, opened_data, opened_link, verify
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value

HEAD: Final = 10
_OWN_BYTES: Final = "manufacturer_data"


class Counter(msgspec.Struct, frozen=True, gc=False):
    """A number that only grows: `kind` says which one. `verified`: nobody without the key can have made it."""

    kind: str
    number: int
    verified: bool = False


class Opened(msgspec.Struct, frozen=True, gc=False):
    """A telegram in clear. `content`: DATA, COMPACT, FORMAT, NOTHING, ERROR or OWN, which is what `data` are.

    `sender`: the link layer's address; `meter`: whose data these are. `secured`: the data were encrypted or signed.
    `own`: what a manufacturer's own form says.
    """

    sender: Address
    meter: Address
    access: int | None
    status: int | None
    content: str
    data: bytes
    secured: bool
    counter: Counter | None
    own: tuple[Record, ...] = ()


class Identity(msgspec.Struct, frozen=True, gc=False):
    """What a telegram says without any key. `security`: none, mode 5, mode 7, …, link, manufacturer's own."""

    sender: Address
    meter: Address
    security: str


def identity_of(telegram: bytes) -> Identity:
    """Whose telegram it is, also when it cannot be read. Raises DecodeError SHORT or LONG."""
    _, sender, body = link_of(telegram)
    try:
        extended, rest = extended_of(body)
        if extended is not None and extended.security:
            return Identity(sender, sender, "link")
        _, rest = authentication_of(rest if extended is None or extended.session is None else rest[2:])
        if rest and (rest[0] in MANUFACTURER_CI or is_real_data(sender.manufacturer, rest)):
            return Identity(sender, sender, "manufacturer's own")
        _, header, _ = header_of(rest)
    except DecodeError:
        return Identity(sender, sender, "unknown")
    meter = sender if header.meter is None else address_of(header.meter)
    return Identity(sender, meter, f"mode {header.mode}" if header.mode else "none")


def opened(telegram: bytes, key: bytes | None = None) -> Opened:
    """The telegram decrypted, with what is signed verified. Raises DecodeError."""
    _, sender, body = link_of(telegram)
    extended, body = extended_of(body)
    if extended is not None and extended.session is not None:
        body = opened_link(body, telegram[2:HEAD], extended, key)
    layer, body = authentication_of(body)
    if layer is not None and (layer.more or layer.fragment > 1):
        raise DecodeError(RejectReason.UNSUPPORTED, "a message in several telegrams")
    content, header, data = header_of(body)
    address = in_order(telegram[2:HEAD], telegram[HEAD:]) if header.meter is None else header.meter
    if layer is not None and key is not None:
        verify(layer, body, key, address[2:6], must=header.mode == CBC_DERIVED)
    own, own_sealed = list[Record](), False
    if content == OWN:
        own, own_sealed = records_of(sender, telegram[2:HEAD], body, key)
    elif body == telegram[HEAD:] and is_real_data(sender.manufacturer, body):
        data, header = real_data(telegram[2:HEAD], body), msgspec.structs.replace(header, mode=0)
    else:
        data = opened_data(data, header, key, address, layer)
    signed = layer is not None and bool(layer.mac) and key is not None
    is_sealed = extended is not None and extended.security != 0 and key is not None
    secured = signed or is_sealed or own_sealed or (header.mode != 0 and header.blocks > 0)
    access = header.access if header.access is not None or extended is None else extended.access
    counter = _counter(extended, layer, proved=signed or is_sealed)
    return Opened(sender, address_of(address), access, header.status, content, data, secured, counter, tuple(own))


def _counter(extended: Extended | None, layer: Authentication | None, *, proved: bool) -> Counter | None:
    if layer is not None and layer.counter is not None:
        return Counter("message counter", layer.counter, proved)
    if extended is not None and extended.security:
        return Counter("session time", extended.minutes, proved)
    return None


def decode(
    data: bytes,
    fport: int | None = None,  # noqa: ARG001 - one signature for all codecs
    *,
    key: bytes | None = None,
    formats: Formats | None = None,
) -> Fields:
    """Fields of one telegram. `formats` remembers what compact frames mean, from one telegram of a meter to the next.

    Raises DecodeError: KEY without the key or with a wrong one, MIC when it is not authentic.
    """
    return fields_of(opened(data, key), Formats() if formats is None else formats)


def fields_of(telegram: Opened, formats: Formats) -> Fields:
    """Fields of an opened telegram. Raises DecodeError."""
    meter = telegram.meter
    fields: Fields = {
        "meter_id": Value(meter.serial),
        "manufacturer": Value(meter.manufacturer),
        "version": Value(meter.version),
        "medium": Value(meter.medium),
    }
    if telegram.sender != meter:
        fields["radio_address"] = Value(str(telegram.sender))
    if telegram.access is not None:
        fields["access_number"] = Value(telegram.access)
    if telegram.status is not None:
        fields["status"] = Value(status(telegram.status))
    data = telegram.data
    if telegram.content == DATA:
        own = sent_as_records(meter, data)
        if own is None:
            put_records(fields, data)
            if "unread_data" not in fields:
                formats.learn(heads_of(data))
            own = _among(fields, meter)
        _put_all(fields, own)
    elif telegram.content == OWN:
        _put_all(fields, telegram.own)
    elif telegram.content == COMPACT:
        put_records(fields, full_frame(data.lstrip(b"\x2f"), formats))
    elif telegram.content == FORMAT:
        learn_format(data.lstrip(b"\x2f"), formats)
    elif telegram.content == ERROR:
        code = data[0] if data else 0
        fields["error"] = Value(ERRORS[code] if code < len(ERRORS) else f"error {code}")
    else:
        assert telegram.content == NOTHING
    return fields


def _put_all(fields: Fields, own: Iterable[Record]) -> None:
    for record in own:
        put_record(fields, record)


def _among(fields: Fields, meter: Address) -> list[Record]:
    """What a manufacturer's own bytes among the records say; nothing when they are none that are known."""
    container, rest = fields.get(WALK_BY), fields.get(_OWN_BYTES)
    if container is not None and meter.manufacturer in MAKERS:
        return walk_by(container.value)
    if rest is None:
        return []
    try:
        return list(behind.records_of(meter, bytes.fromhex(str(rest.value))))
    except DecodeError:
        return []  # shorter than those that are known: the bytes are there as hex all the same
