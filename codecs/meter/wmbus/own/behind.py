"""Values in manufacturers' own bytes behind the records (DIF 0F). As wmbusmeters knows them.

    Zenner 0b     state(4) volume of the month(4) volume(4), in m3 / 256000
    Hydrodigit    what(1) battery(1) [tampering(3)] [leak(3)] [backflow(4)] [end of each month, January first(12 x 3)]
                  `what` says which are there; dates are YY MM DD in BCD, the high bits of a tampering's month its kind

Numbers have their least significant byte first.
"""

from collections.abc import Iterator
from datetime import date
from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.meter.mbus.record import Record
from torhaus.codecs.meter.wmbus.address import Address
from torhaus.codecs.meter.wmbus.own import apator

_ZENNER: Final = ("ZRI", 0x0B, 0x16)
_HYDRODIGIT: Final = frozenset({("BMT", v, t) for v, t in ((0x13, 6), (0x17, 6), (0x13, 7), (0x15, 7), (0x17, 7))})
_PARTS: Final = 256_000
_TAMPERED, _BACKFLOW, _MONTHS, _LEAK = 0x02, 0x04, 0x10, 0x80
_BATTERY: Final = 0x01
_VOLTS: Final = (3.7, 1.9, 2.1, 2.2, 2.3, 2.4, 2.5, 2.65, 2.8, 2.9, 3.05, 3.2, 3.35, 3.5, 3.7, 3.7)
_KINDS: Final = {0x80: "magnet", 0x40: "sensor", 0x20: "module_removed"}
_NONE: Final = 0xFFFFFF


def records_of(meter: Address, data: bytes) -> Iterator[Record]:
    """What is known of these bytes; nothing of those of other meters. Raises DecodeError SHORT."""
    who = (meter.manufacturer, meter.version, meter.type)
    if who == _ZENNER:
        yield from _zenner(Cursor(data))
    elif who in _HYDRODIGIT:
        yield from _hydrodigit(Cursor(data))
    elif meter.manufacturer == apator.APA and who[1:] in apator.A_162:
        yield from apator.codes(data)


def _zenner(cursor: Cursor) -> Iterator[Record]:
    state, month, volume = (cursor.ule(4) for _ in range(3))
    yield Record("volume", round(volume / _PARTS, 6), "m3")
    yield Record("volume_of_month", round(month / _PARTS, 6), "m3")
    yield Record("state", state)


def _hydrodigit(cursor: Cursor) -> Iterator[Record]:
    what = cursor.u8()
    if what & _BATTERY:
        yield Record("battery_voltage", _VOLTS[cursor.u8() & 0x0F], "V")
    if what & _TAMPERED:
        raw = cursor.take(3)
        kinds = [word for bit, word in _KINDS.items() if raw[1] & bit]
        yield Record("tampering", ",".join(kinds) or "ok")
        yield Record("tampering_date", _day(raw))
    if what & _LEAK:
        yield Record("leakage_date", _day(cursor.take(3)))
    if what & _BACKFLOW:
        yield Record("volume_backward", cursor.ule(4) / 1000, "m3")
    if what & _MONTHS:
        for month in range(1, 13):
            number = cursor.ule(3)
            yield Record("volume_end_of_month", None if number == _NONE else number / 100, "m3", storage=month)


def _day(raw: bytes) -> str | None:
    """Years and days in BCD; a month as BCD or as a number, in the lower five bits."""
    month = raw[1] & 0x1F
    try:
        day = date(2000 + int(f"{raw[0]:02x}"), month // 16 * 10 + month % 16, int(f"{raw[2]:02x}"))
    except ValueError:
        return None
    return day.isoformat()
