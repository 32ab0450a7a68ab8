"""A station's name for itself: an EUI-64 written as ID6, as a plain number, or in one of the usual spellings.

ID6 is four groups of 16 bits in the manner of IPv6: `b827:ebff:fe00:1`, `::1`, `f::1`, `f:a123:f8:100`.
"""

import re
from typing import Final

from torhaus.codecs.lorawan.eui import parse_eui64
from torhaus.codecs.model import DecodeError, RejectReason

_GROUP: Final = r"[0-9a-fA-F]{1,4}"
_GROUPS: Final = re.compile(rf"(?:{_GROUP}(?::{_GROUP})*)?")
_MAX_TEXT: Final = 64
_MAX_EUI: Final = (1 << 64) - 1


def parse_router(value: object) -> str:
    """The EUI as 16 lower-case hex digits. Raises DecodeError: SYNTAX for anything else, RANGE for too big a number."""
    if isinstance(value, int) and not isinstance(value, bool):
        if not 0 <= value <= _MAX_EUI:
            raise DecodeError(RejectReason.RANGE, "a router's number has 64 bits")
        return f"{value:016x}"
    if not isinstance(value, str) or len(value) > _MAX_TEXT:
        raise DecodeError(RejectReason.SYNTAX, "a router is a text or a number")
    if "::" in value:
        return _compressed(value)
    groups = value.split(":")
    if len(groups) == 4 and _GROUPS.fullmatch(value):
        return "".join(g.zfill(4) for g in groups).lower()
    return f"{parse_eui64(value):016x}"


def _compressed(value: str) -> str:
    """`::` once, in the place of one group of zeros or more."""
    head, _, tail = value.partition("::")
    if _GROUPS.fullmatch(head) is None or _GROUPS.fullmatch(tail) is None:
        raise DecodeError(RejectReason.SYNTAX, "an ID6 has up to four groups of hex digits, and :: once")
    front, back = (part.split(":") if part else [] for part in (head, tail))
    zeros = 4 - len(front) - len(back)
    if zeros < 1:
        raise DecodeError(RejectReason.SYNTAX, "an ID6 has four groups of hex digits, fewer with ::")
    return "".join(g.zfill(4) for g in (*front, *["0"] * zeros, *back)).lower()


def format_id6(eui: str) -> str:
    """An EUI of 16 hex digits as ID6: the first longest run of two or more groups of zeros becomes `::`."""
    groups = [f"{int(eui[i : i + 4], 16):x}" for i in range(0, 16, 4)]
    text = ":".join(groups)
    for run in (4, 3, 2):
        for start in range(5 - run):
            if groups[start : start + run] == ["0"] * run:
                return ":".join(groups[:start]) + "::" + ":".join(groups[start + run :])
    return text
