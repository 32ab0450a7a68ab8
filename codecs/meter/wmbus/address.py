"""Who a wireless meter is: manufacturer, number, version, medium. After EN 13757-7:2018, clause on addresses."""

import re
from typing import Final

import msgspec

from torhaus.codecs.meter.mbus.words import manufacturer, medium
from torhaus.codecs.model import DecodeError, RejectReason

SIZE: Final = 8
OWN_MEDIA: Final = {
    "TCH": {
        0x43: "heat_outlet", 0xC3: "heat_outlet", 0x62: "warm_water", 0x72: "cold_water", 0x80: "heat_cost_allocator",
        0xF0: "smoke_detector",
    },
}  # fmt: skip
"""Numbers that the standard reserves and a manufacturer uses all the same."""

_TEXT: Final = re.compile(
    r"(?:([A-Za-z]{3}|0[xX][0-9A-Fa-f]{4})/)?([0-9A-Fa-f]{8})(?:/([0-9A-Fa-f]{2})/([0-9A-Fa-f]{2}))?"
)


class Address(msgspec.Struct, frozen=True, gc=False):
    """One meter. `manufacturer` in letters; `serial`: 8 digits as printed on the meter; the others are numbers."""

    manufacturer: str
    serial: str
    version: int
    type: int

    def __str__(self) -> str:
        """`MMM/number/version/type`, version and type in hexadecimal."""
        return f"{self.manufacturer}/{self.serial}/{self.version:02x}/{self.type:02x}"

    @property
    def medium(self) -> str:
        """What it measures, in a word."""
        return OWN_MEDIA.get(self.manufacturer, {}).get(self.type) or medium(self.type)

    def names(self) -> tuple[str, str, str]:
        """What a list of meters may call it, the most exact first: whole, manufacturer and number, number."""
        return str(self), f"{self.manufacturer}/{self.serial}", self.serial


def address_of(raw: bytes) -> Address:
    """Eight bytes as the link layer has them: manufacturer, number, version, type. Raises DecodeError SHORT."""
    if len(raw) != SIZE:
        raise DecodeError(RejectReason.SHORT, f"{len(raw)} bytes are no address")
    return Address(manufacturer(int.from_bytes(raw[:2], "little")), raw[5:1:-1].hex(), raw[6], raw[7])


def parse_name(text: str) -> str:
    """A meter's name as a person writes it, made uniform. ValueError says what would be right."""
    found = _TEXT.fullmatch(text.strip())
    if found is None or (found[3] and not found[1]):
        raise ValueError('must be a number of 8 digits ("12345678"), or "KAM/12345678", or "KAM/12345678/1b/16"')
    name = found[2].lower()
    if found[1]:
        letters = found[1].lower() if found[1][1] in "xX" and found[1][0] == "0" else found[1].upper()
        name = f"{letters}/{name}"
    return f"{name}/{found[3].lower()}/{found[4].lower()}" if found[3] else name
