"""Meters of Techem that send no records: water, heat, allocators, smoke detectors. As wmbusmeters knows them.

Behind CI (A0 to A2), least significant byte first; dates: seven bits of the year, four of the month, five of the day.

    74        water, mk radio 3: xx due date(2) volume then(2) today(2) volume since(2), in 0.1 m3
    70 95     water, mk radio 4: the same, but what stands in the places of the dates is not known
    50        water, mk radio 3a: xx xx today(2) volume(3), twelve times, newest first, xx halves of a month(1 1)
    22 39 45  heat, compact V: xx due date(2) energy then(3) xx energy since(3), in kW.h
    27        heat, vario 451: xx due date(2) energy then(2) today(2) energy since(2), in MJ
    69 94     allocator, FHKV III: xx due date(2) units then(2) today(2) units(2) [xx] room(2) radiator(2), in 0.01 Cel
    76        smoke: state(1) due date(2)

Today has no year: four bits of month from bit 9, five of day from bit 4.
"""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.meter.mbus.record import Record

MAKER: Final = "TCH"
WATER: Final = frozenset({0x62, 0x72})
MONTHS: Final = 12

_TENTH: Final = 10
_HALF: Final = 15
"""The last day of a month's first half."""
_STATES: Final = {0: "ok", 1: "smoke"}
_WIDE: Final = 0x0F
"""The first byte of an allocator's telegram that has one byte more."""


def _day(raw: int) -> date | None:
    """Seven bits of the year, four of the month, five of the day."""
    try:
        return date(2000 + (raw >> 9), raw >> 5 & 0x0F, raw & 0x1F)
    except ValueError:
        return None


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _today(raw: int, due: date | None) -> date | None:
    """The first such day after the due date; a month or day of 0 is the last, or the first."""
    if due is None:
        return None
    month, day = raw >> 9 & 0x0F or 12, raw >> 4 & 0x1F or 1
    year = due.year - 2000 + ((month, day) <= (due.month, due.day))
    return _day(year << 9 | month << 5 | day)


def mk_3(data: bytes) -> Iterator[Record]:
    """Water now, on the due date, and both dates. Raises DecodeError SHORT."""
    cursor = Cursor(data[1:])
    due, then, now, since = _day(cursor.ule(2)), cursor.ule(2), cursor.ule(2), cursor.ule(2)
    yield Record("volume", (then + since) / _TENTH, "m3")
    yield Record("volume", then / _TENTH, "m3", storage=1)
    yield Record("date", _text(_today(now, due)))
    yield Record("date", _text(due), storage=1)


def mk_4(data: bytes) -> Iterator[Record]:
    """Water now and on the due date. Raises DecodeError SHORT."""
    return (record for record in mk_3(data) if record.quantity == "volume")


def compact_5(data: bytes) -> Iterator[Record]:
    """Heat now, on the due date, and since then. Raises DecodeError SHORT."""
    cursor = Cursor(data[1:])
    due, then = cursor.ule(2), cursor.ule(3)
    cursor.take(1)
    return _heat(due, then * 1000, cursor.ule(3) * 1000, "W.h")


def vario_451(data: bytes) -> Iterator[Record]:
    """Heat now, on the due date, and since then. Raises DecodeError SHORT."""
    cursor = Cursor(data[1:])
    due, then, _, since = (cursor.ule(2) for _ in range(4))
    return _heat(due, then * 10**6, since * 10**6, "J")


def _heat(due: int, then: int, since: int, unit: str) -> Iterator[Record]:
    yield Record("energy", then + since, unit)
    yield Record("energy", then, unit, storage=1)
    yield Record("energy_of_period", since, unit)
    yield Record("date", _text(_day(due)), storage=1)


def allocator(data: bytes) -> Iterator[Record]:
    """Units since the due date and on it, both dates, temperatures. Raises DecodeError SHORT."""
    cursor = Cursor(data)
    first, due, then, now, units = cursor.u8(), _day(cursor.ule(2)), cursor.ule(2), cursor.ule(2), cursor.ule(2)
    yield Record("heat_cost_allocator", units)
    yield Record("heat_cost_allocator", then, storage=1)
    yield Record("date", _text(_today(now, due)))
    yield Record("date", _text(due), storage=1)
    cursor.take(1 if first == _WIDE else 0)
    yield Record("external_temperature", cursor.ule(2) / 100, "Cel")
    yield Record("radiator_temperature", cursor.ule(2) / 100, "Cel")


def mk_3a(data: bytes) -> Iterator[Record]:
    """Water now, its date, and what was used in each month: storage 0 is the present one. Raises DecodeError SHORT."""
    cursor = Cursor(data[2:])
    today = _day(cursor.ule(2))
    yield Record("volume", cursor.ule(3) / _TENTH, "m3")
    yield Record("date", _text(today))
    halves: list[int] = []
    while len(halves) < 2 * MONTHS and cursor.left >= 3:
        halves += cursor.take(3)[1:]
    if today is None:
        return
    if today.day <= _HALF:
        halves.insert(0, 0)
    for n in range(len(halves) // 2):
        yield Record("volume_of_month", (halves[2 * n] + halves[2 * n + 1]) / _TENTH, "m3", storage=n)


def smoke(data: bytes) -> Iterator[Record]:
    """The state, and the due date. Raises DecodeError SHORT."""
    cursor = Cursor(data)
    state = cursor.u8()
    yield Record("alarm", _STATES.get(state, f"manufacturer_{state:02x}"))
    yield Record("date", _text(_day(cursor.ule(2))), storage=1)


_HEAT: Final = ((0x45, 0x04), (0x45, 0xC3), (0x22, 0x43), (0x45, 0x43), (0x39, 0x43))
_FORMS: Final[dict[tuple[int, int], Callable[[bytes], Iterator[Record]]]] = {
    **{(0x74, kind): mk_3 for kind in WATER},
    **{(0x50, kind): mk_3a for kind in WATER},
    **{(version, kind): mk_4 for version in (0x70, 0x95) for kind in WATER},
    **dict.fromkeys(_HEAT, compact_5),
    (0x27, 0x04): vario_451,
    (0x27, 0xC3): vario_451,
    (0x69, 0x80): allocator,
    (0x94, 0x80): allocator,
    (0x76, 0xF0): smoke,
}


def records_of(version: int, kind: int, data: bytes) -> Iterator[Record] | None:
    """What stands behind CI; None for what is not known. Raises DecodeError SHORT."""
    form = _FORMS.get((version, kind))
    return None if form is None else form(data)
