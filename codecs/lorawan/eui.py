"""EUI-64 and DevAddr as text: read in the usual spellings, written in one.

Written as torhaus writes them everywhere: lower-case hex digits, most significant first, no separators.
"""

import re
from typing import Final

from torhaus.codecs.model import DecodeError, RejectReason

_MAX_TEXT: Final = 64
"""Longer than any spelling; what is longer is not looked at."""


def _spellings(digits: int) -> re.Pattern[str]:
    pairs = digits // 2 - 1
    groups = digits // 4 - 1
    plain = rf"(?:0[xX])?[0-9a-fA-F]{{{digits}}}"
    by_two = rf"[0-9a-fA-F]{{2}}([-: ])[0-9a-fA-F]{{2}}(?:\1[0-9a-fA-F]{{2}}){{{pairs - 1}}}"
    by_four = rf"[0-9a-fA-F]{{4}}([-:. ])[0-9a-fA-F]{{4}}(?:\2[0-9a-fA-F]{{4}}){{{groups - 1}}}"
    return re.compile(rf"{plain}|{by_two}|{by_four}")


_WRITTEN: Final = re.compile("[0-9a-f]{8}(?:[0-9a-f]{8})?")
_EUI64: Final = _spellings(16)
_DEV_ADDR: Final = _spellings(8)


def parse_eui64(text: str) -> int:
    """An EUI-64 (DevEUI, JoinEUI, gateway): 16 hex digits, plain or in pairs or fours with one kind of separator.

    `a81758fffe0312ab`, `A8-17-58-FF-FE-03-12-AB`, `a8:17:58:ff:fe:03:12:ab`, `a817:58ff:fe03:12ab`, with `0x` or
    blanks around. DecodeError(SYNTAX) for anything else: no digit is ever guessed.
    """
    return _parse(text, _EUI64, "an EUI-64 has 16 hex digits")


def format_eui64(value: int) -> str:
    """16 lower-case hex digits. DecodeError(RANGE) when the number is not an EUI-64."""
    return _format(value, 16)


def parse_dev_addr(text: str) -> int:
    """A DevAddr: 8 hex digits, most significant first, in the spellings of `parse_eui64`. DecodeError(SYNTAX)."""
    return _parse(text, _DEV_ADDR, "a DevAddr has 8 hex digits")


def format_dev_addr(value: int) -> str:
    """8 lower-case hex digits. DecodeError(RANGE) when the number is not a DevAddr."""
    return _format(value, 8)


def _parse(text: str, spellings: re.Pattern[str], rule: str) -> int:
    if _WRITTEN.fullmatch(text) and spellings.fullmatch(text):  # as torhaus writes it
        return int(text, 16)
    found = text.strip() if len(text) <= _MAX_TEXT else ""
    if spellings.fullmatch(found) is None:
        raise DecodeError(RejectReason.SYNTAX, f"{rule}, optionally separated by '-' or ':'")
    return int(re.sub("[-:. ]", "", found), 16)


def _format(value: int, digits: int) -> str:
    if not 0 <= value < 1 << (4 * digits):
        raise DecodeError(RejectReason.RANGE, f"the number does not fit {digits} hex digits")
    return f"{value:0{digits}x}"
