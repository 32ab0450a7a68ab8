"""Heat cost allocators of BFW (240 radio), which say that records follow. As wmbusmeters knows them.

    2F 2F xx xx  due date(2)  now(2)  xx xx  nine pairs of months, the oldest first(3 each)  today(3, BCD: DD MM YY)

Units have their most significant byte first. A pair `aa bc dd` is the older month baa and the newer one cdd.
"""

from collections.abc import Iterator
from datetime import date
from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.meter.mbus.record import Record
from torhaus.codecs.model import DecodeError, RejectReason

MAKER: Final = "BFW"
MODEL: Final = (0x02, 0x08)
PAIRS: Final = 9
MONTHS_FROM: Final = 8
"""The storage of the newest month, as OMS meters have it."""

_IDLE: Final = b"\x2f\x2f"


def units(data: bytes) -> Iterator[Record]:
    """Units now (storage 0), on the due date (1), and of 18 months (8 is the newest). Raises DecodeError."""
    if not data.startswith(_IDLE):
        raise DecodeError(RejectReason.UNSUPPORTED, f"another form of {MAKER}, and no records")
    cursor = Cursor(data[4:])
    due, now = cursor.ube(2), cursor.ube(2)
    cursor.take(2)
    pairs = [cursor.take(3) for _ in range(PAIRS)]
    day = cursor.take(3)
    yield Record("heat_cost_allocator", now)
    yield Record("heat_cost_allocator", due, storage=1)
    yield Record("date", _day(day.hex()))
    for n, (older, middle, newer) in enumerate(reversed(pairs)):
        at = MONTHS_FROM + 2 * n
        yield Record("heat_cost_allocator", (middle & 0x0F) << 8 | newer, storage=at)
        yield Record("heat_cost_allocator", middle >> 4 << 8 | older, storage=at + 1)


def _day(digits: str) -> str | None:
    try:
        return date(2000 + int(digits[4:]), int(digits[2:4]), int(digits[:2])).isoformat()
    except ValueError:
        return None
