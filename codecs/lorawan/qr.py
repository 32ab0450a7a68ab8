"""The text of the QR code on a device. LoRa Alliance TR005, LoRaWAN Device Identification QR Codes.

`LW:D0:JoinEUI:DevEUI:ProfileID`, then optional parts, each with a letter in front: O owner token, S serial number,
P proprietary, C checksum (CRC-16/MODBUS of all before it, as hex digits). It has no keys.
"""

import string
from typing import Final

import msgspec

from torhaus.codecs.model import DecodeError, RejectReason

MAX_TEXT: Final = 256
_PARTS: Final = 5
_DIGITS: Final = {"JoinEUI": 16, "DevEUI": 16, "ProfileID": 8}


class Label(msgspec.Struct, frozen=True, gc=False):
    """What is on the device. `vendor_id` and `profile_id` are the two halves of ProfileID."""

    join_eui: int
    dev_eui: int
    vendor_id: int
    profile_id: int
    owner_token: str | None = None
    serial_number: str | None = None
    proprietary: str | None = None


def parse_qr(text: str) -> Label:
    """Blanks around it are left out. DecodeError: LONG, UNKNOWN_TYPE for another kind of code, SYNTAX, CRC."""
    text = text.strip()
    if len(text) > MAX_TEXT:
        raise DecodeError(RejectReason.LONG, f"a QR code of a device has at most {MAX_TEXT} characters")
    parts = text.split(":")
    if parts[:2] != ["LW", "D0"]:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, "a QR code of a device begins with LW:D0:")
    if len(parts) < _PARTS:
        raise DecodeError(RejectReason.SYNTAX, "JoinEUI, DevEUI and ProfileID follow LW:D0")
    numbers = []
    for (name, digits), part in zip(_DIGITS.items(), parts[2:_PARTS], strict=True):
        if len(part) != digits or not set(part) <= set(string.hexdigits):
            raise DecodeError(RejectReason.SYNTAX, f"{name} has {digits} hex digits")
        numbers.append(int(part, 16))
    more: dict[str, str] = {}
    for part in parts[_PARTS:]:
        if not part or not part.isascii() or not part.isprintable() or part[0] not in "OSPC" or part[0] in more:
            raise DecodeError(RejectReason.SYNTAX, "what follows ProfileID begins with O, S, P or C, each once")
        if part[0] == "C":
            if part is not parts[-1]:
                raise DecodeError(RejectReason.SYNTAX, "the checksum is the last part")
            _check(text[: text.rindex(":")], part[1:])
        more[part[0]] = part[1:]
    join_eui, dev_eui, profile = numbers
    return Label(join_eui, dev_eui, profile >> 16, profile & 0xFFFF, more.get("O"), more.get("S"), more.get("P"))


def checksum(data: bytes) -> int:
    """CRC-16/MODBUS: polynomial 0x8005 mirrored, init 0xFFFF."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


def _check(before: str, digits: str) -> None:
    if len(digits) != 4 or not set(digits) <= set(string.hexdigits):
        raise DecodeError(RejectReason.SYNTAX, "the checksum has 4 hex digits")
    if not before.isascii() or checksum(before.encode()) != int(digits, 16):
        raise DecodeError(RejectReason.CRC, "the checksum does not match: read the code again")
