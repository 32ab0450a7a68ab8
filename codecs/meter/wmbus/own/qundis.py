"""The walk-by container of Qundis' meters: one record of 53 bytes (VIF FF 5F) in place of those of the AMR form.

    0 to 7   counters and states without a published meaning
    8        C0 a heat meter, C1 a water meter
    9        VIF of all values
    10       date of an error, type G · 12 value now, 8 digits
    16       due date · 18 value on it · 22 end of last month · 24 value then
    28       twelve differences between months, unread · 52: 2F

No description is published. Read off the telegrams beside wmbusmeters' drivers, where meters of one number sent both
this container and records in clear: the values are those of storage 0, 1 and 17 there.
"""

import re
from typing import Final

from torhaus.codecs.meter.mbus.record import Record
from torhaus.codecs.meter.mbus.values import bcd, moment
from torhaus.codecs.meter.mbus.vif import PRIMARY
from torhaus.codecs.meter.mbus.vife import apply
from torhaus.codecs.model import Scalar

MAKERS: Final = frozenset({"QDS", "LSE"})
WALK_BY: Final = "manufacturer_specific_5f"
SIZE: Final = 53

_HEX: Final = re.compile(f"[0-9a-f]{{{2 * SIZE}}}")
"""A value that can be printed is text, and no container."""
_KINDS: Final = frozenset({0xC0, 0xC1})
_QUANTITIES: Final = frozenset({"energy", "volume"})
_PLACES: Final = ((0, 12), (1, 18), (17, 24))
"""Storage and offset of values; the date of all but the first stands before it."""


def walk_by(told: Scalar) -> list[Record]:
    """Values and dates of a container, given as the hex of its record's value; none when it has another form."""
    raw = bytes.fromhex(told) if isinstance(told, str) and _HEX.fullmatch(told) else b""
    vif = PRIMARY.get(raw[9]) if len(raw) == SIZE and raw[8] in _KINDS else None
    if vif is None or vif.quantity not in _QUANTITIES:
        return []
    meaning = apply(vif, [])
    found = [Record("date", moment(raw[10:12]), function="error")]
    for storage, at in _PLACES:
        if storage:
            found.append(Record("date", moment(raw[at - 2 : at]), storage=storage))
        number = bcd(raw[at : at + 4])
        value: Scalar = None if number is None else meaning.scaled(number)
        found.append(Record(meaning.quantity, value, meaning.unit, storage=storage))
    return found
