"""Which own form a telegram has: by who made the meter, its version and medium, and CI."""

from collections.abc import Iterator

from torhaus.codecs.meter.mbus.record import Record
from torhaus.codecs.meter.wmbus.address import Address
from torhaus.codecs.meter.wmbus.own import apator, bfw, diehl, techem
from torhaus.codecs.model import DecodeError, RejectReason


def records_of(meter: Address, address: bytes, body: bytes, key: bytes | None) -> tuple[list[Record], bool]:
    """What a telegram of a manufacturer's own CI says, and whether it was encrypted under the meter's key.

    `address`: the link layer's eight bytes as they are sent; `body`: from CI on. Raises DecodeError: KEY; SHORT;
    UNSUPPORTED for a form that is not known.
    """
    model, data = (meter.version, meter.type), body[1:]
    found: Iterator[Record] | None = None
    is_secured = False
    if diehl.is_prios(meter.manufacturer, body[0]):
        found = diehl.prios(address, body)
    elif meter.manufacturer == techem.MAKER:
        found = techem.records_of(meter.version, meter.type, data)
    elif meter.manufacturer in apator.APT and model in apator.THIRDS:
        found = apator.thirds(data, apator.THIRDS[model])
    elif meter.manufacturer == apator.APA and model == apator.NA_1:
        found, is_secured = apator.na_1(address, data, key), True
    elif meter.manufacturer in apator.MAKERS and model == apator.E_ITN and body[0] in apator.E_ITN_CI:
        found = apator.e_itn(body)
    if found is None:
        raise DecodeError(RejectReason.UNSUPPORTED, f"the manufacturer's own form (CI {body[0]:#04x})")
    return list(found), is_secured


def sent_as_records(meter: Address, data: bytes) -> list[Record] | None:
    """What a telegram says that only claims to have records; None for one that has them. Raises DecodeError."""
    if meter.manufacturer != bfw.MAKER:
        return None
    if (meter.version, meter.type) != bfw.MODEL:
        raise DecodeError(RejectReason.UNSUPPORTED, f"the own form of {bfw.MAKER}, and no records")
    return list(bfw.units(data))
