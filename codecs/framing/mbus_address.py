"""How a wired M-Bus meter is called: by its primary address (0 to 250), or by its secondary one.

After EN 13757-2:2018 (primary addresses), EN 13757-3:2018 and EN 13757-7:2018 (selection, wildcards).

A secondary address is written as 16 characters, each byte in the order in which it is sent but for the number:
8 decimal digits of the number as on the meter's face, manufacturer (4 hex digits), version (2), medium (2). `F` stands
for any digit of the number; `FFFF` and `FF` for any manufacturer, version or medium.
"""

import re
from typing import Final, Self

import msgspec

from torhaus.codecs.framing.mbus import Telegram

BROADCAST: Final = 255
"""Everybody obeys, nobody answers."""
ANYBODY: Final = 254
"""Everybody answers: for a line with one meter only."""
MAX_PRIMARY: Final = 250
SELECT: Final = 0x52
"""CI field of a selection."""
HEADED: Final = 0x72
"""CI field of answers that begin with the meter's secondary address."""
FIXED: Final = frozenset({0x73, 0x77})
"""CI fields of answers that begin with the meter's number alone."""

_TEXT: Final = re.compile(r"([0-9Ff]{8})([0-9A-Fa-f]{4})([0-9A-Fa-f]{2})([0-9A-Fa-f]{2})", re.ASCII)


class Secondary(msgspec.Struct, frozen=True, gc=False):
    """A secondary address. `number`: 8 digits, `F` for any; the others as bytes, ff for any."""

    number: str
    manufacturer: bytes = b"\xff\xff"
    version: int = 0xFF
    medium: int = 0xFF

    @classmethod
    def parse(cls, text: str) -> Self:
        """What 16 characters say. ValueError when they are none."""
        match = _TEXT.fullmatch(text)
        if match is None:
            raise ValueError(
                f"{text[:40]!r} is no secondary address: write 8 digits (F for any), 4 hex digits of the manufacturer, "
                "2 of the version and 2 of the medium, such as 12345678ABCD0107 or 12345678FFFFFFFF"
            )
        return cls(match[1].upper(), bytes.fromhex(match[2]), int(match[3], 16), int(match[4], 16))

    @classmethod
    def of(cls, telegram: Telegram) -> Self | None:
        """Of the meter that sent this answer; None when it does not say."""
        data = telegram.data
        if telegram.ci == HEADED and len(data) >= 8:
            return cls(data[3::-1].hex().upper(), bytes(data[4:6]), data[6], data[7])
        if telegram.ci in FIXED and len(data) >= 4:
            return cls((data[:4] if telegram.ci == 0x77 else data[3::-1]).hex().upper())
        return None

    @property
    def wire(self) -> bytes:
        """The 8 bytes of a selection."""
        return bytes.fromhex(self.number)[::-1] + self.manufacturer + bytes((self.version, self.medium))

    @property
    def has_wildcard(self) -> bool:
        """Whether more than one meter may have it."""
        return "F" in self.number or 0xFF in {self.version, self.medium} or self.manufacturer == b"\xff\xff"

    def matches(self, other: "Secondary") -> bool:
        """Whether a meter of this address is meant; what the other does not say is not compared."""
        digits = zip(self.number, other.number, strict=True)
        return (
            all(a in {b, "F"} for a, b in digits)
            and _same(self.manufacturer, other.manufacturer, b"\xff\xff")
            and _same(self.version, other.version, 0xFF)
            and _same(self.medium, other.medium, 0xFF)
        )

    def narrowed(self) -> "list[Secondary]":
        """The ten addresses with the first open digit set; none when no digit is open."""
        at = self.number.find("F")
        if at < 0:
            return []
        return [
            msgspec.structs.replace(self, number=f"{self.number[:at]}{digit}{self.number[at + 1 :]}")
            for digit in "0123456789"
        ]

    def __str__(self) -> str:
        return f"{self.number}{self.manufacturer.hex()}{self.version:02x}{self.medium:02x}".upper()


Address = int | Secondary


def parse_address(text: str) -> Address:
    """A primary address in decimal (0 to 250, 254 for the only meter on the line), or a secondary one. ValueError."""
    if len(text) == 16:
        return Secondary.parse(text)
    if not (text.isascii() and text.isdigit() and len(text) <= 3):
        raise ValueError(
            f"{text[:40]!r} is no address: write a number from 0 to {MAX_PRIMARY}, or the 16 characters of a secondary "
            "address such as 12345678ABCD0107"
        )
    number = int(text)
    if number > MAX_PRIMARY and number != ANYBODY:
        raise ValueError(
            f"a primary address is from 0 to {MAX_PRIMARY} (or {ANYBODY} for the only meter on a line), not {number}"
        )
    return number


def _same(wanted: int | bytes, found: int | bytes, anything: int | bytes) -> bool:
    return anything in {wanted, found} or wanted == found
