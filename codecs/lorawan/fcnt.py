"""The 32-bit frame counter behind the 16 bits on air.

LoRaWAN 1.0.3 section 4.3.1.5, LoRaWAN 1.1 section 4.3.1.5. The full counter enters the MIC, so only the MIC decides
which candidate is the true one; and whether a device may start over from zero is for its owner to say, not for this
module.
"""

from enum import StrEnum
from typing import Final

_WRAP: Final = 1 << 16
_MAX: Final = (1 << 32) - 1


class Kind(StrEnum):
    """What a counter value says about a frame, given the last one accepted."""

    NEXT = "next"  # newer than the last one, or the first ever
    RETRANSMISSION = "retransmission"  # the last one again: repeated by the device, or heard by another gateway
    OLD = "old"  # used before, within the last 65,536: late or replayed, never to be accepted
    RESET = "reset"  # the bare 16 bits, below the last one: the device started over, or it is a replay from back then


_NEXT: Final = Kind.NEXT
_RETRANSMISSION: Final = Kind.RETRANSMISSION
_OLD: Final = Kind.OLD
_RESET: Final = Kind.RESET


def candidates(fcnt16: int, last: int | None) -> tuple[tuple[int, Kind], ...]:
    """Counter values to try against the MIC, the likeliest first, each value once.

    `fcnt16` is FCnt as received, 0 to 65535; `last` the last accepted counter, 0 to 2^32-1, or None when there was
    none. The next one is `last + 1 + gap` with `gap = (fcnt16 - (last + 1)) mod 2^16`. When `fcnt16` repeats the last
    one, that is tried first, then a gap of 65,535 lost frames. Values beyond 32 bits are left out: such a session is
    used up. RESET comes last, and only where the bare 16 bits are below `last`. With `last` None the upper half is
    taken as 0.
    """
    if last is None:
        return ((fcnt16, _NEXT),)
    following = last + 1
    full = following + ((fcnt16 - following) & 0xFFFF)
    if full == fcnt16:
        return ((full, _NEXT),)
    older = full - _WRAP
    if older == last:
        found: tuple[tuple[int, Kind], ...] = ((last, _RETRANSMISSION), (full, _NEXT))
    elif older == fcnt16:
        found = ((full, _NEXT),)
    else:
        found = ((full, _NEXT), (older, _OLD))
    if fcnt16 < last:
        found += ((fcnt16, _RESET),)
    return found if full <= _MAX else tuple(pair for pair in found if pair[0] <= _MAX)
