"""Compact profiles: a row of values of one quantity at regular distances, in one record of variable length.

After EN 13757-3:2018, annex on the transmission of profiles. The record's data begin with two bytes:

    bits 7 6 of the first   0 the values themselves, 1 what each is above, 2 below, 3 above or below the one before it
    bits 5 4                the distance is in seconds, minutes, hours, or days (0) to 250, half months 253, months 254
    bits 3 to 0             how a value is coded, as in a DIF
    the second              the distance

A compact profile (VIFE 1F, with registers 1E) goes forward in time from the record of the same storage number, an
inverse one (13) backward.
"""

from typing import Final

from torhaus.codecs.meter.mbus.values import BCD, SIZES, bcd, integer

NAMES: Final = ("inverse_compact_profile", "compact_profile_register", "compact_profile")
MAX_VALUES: Final = 96
"""Of one record: a day of quarter hours."""

_REAL: Final = 5
_SIGNED: Final = 3


def is_profile(quantity: str) -> bool:
    """Whether a record of this quantity is a profile."""
    return quantity.endswith(NAMES)


def profile(raw: bytes) -> list[int | None] | None:
    """The values as sent, unscaled; one that is marked invalid is None. None: not a profile that is understood."""
    kind = raw[0] & 0x0F if len(raw) > 2 else 0
    size = SIZES.get(kind, 0)
    if not size or kind == _REAL or (len(raw) - 2) % size or len(raw) > 2 + size * MAX_VALUES:
        return None
    step = raw[0] >> 6
    pieces = [raw[at : at + size] for at in range(2, len(raw), size)]
    return [_value(piece, is_bcd=kind in BCD, is_signed=step in {0, _SIGNED}) for piece in pieces]


def _value(raw: bytes, *, is_bcd: bool, is_signed: bool) -> int | None:
    if is_bcd:
        return bcd(raw)
    if set(raw) == {0xFF}:
        return None
    return integer(raw, is_signed=is_signed)
