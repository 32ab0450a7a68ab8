"""Expected values of a telegram put to its fields: each one to the right place, and no field to two of them."""

import math
import re
from typing import Any, Final

import msgspec

from torhaus.codecs.model import Fields, Value
from torhaus.daemon.vectors.wmbus_drivers import field_of, other_names
from torhaus.daemon.vectors.wmbus_names import Meaning, Place, Unit, meaning_of, place_of

TOLERANCE: Final = 1e-6
"""wmbusmeters prints six decimals."""
MOMENT: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?: \d\d:\d\d(?::\d\d)?)?")
_NO_DATES: Final = ("1999-11-30", "2127-", "2000-00-00")
"""What wmbusmeters makes of a date that is all zero, or without a year: here it is null."""


class _Wanted(msgspec.Struct):
    """One expected value, and which fields may be it."""

    name: str
    value: Any
    meaning: Meaning
    of_driver: bool
    candidates: list[int] = []


def differences(expected: dict[str, Any], driver: str, telegrams: list[Fields]) -> list[str]:
    """What is wrong: values that no field has, that stand in the wrong place, or that two names would share."""
    fields = [(place_of(name), name, value) for read in telegrams for name, value in read.items()]
    wanted, found = [], []
    for name, value in expected.items():
        is_moment = isinstance(value, str)
        field = field_of(driver, name)
        want = _Wanted(name, value, meaning_of(name, is_moment=is_moment), field is not None)
        same = [n for n, (_, _, have) in enumerate(fields) if _is_same(have, value, want.meaning.units)]
        if field is None:
            want.candidates = [n for n in same if want.meaning.fits(fields[n][0])]
        else:
            place, factor = field
            want.candidates = [
                n
                for n, (_, ours, have) in enumerate(fields)
                if re.fullmatch(place, ours)
                and _is_same(have, value, want.meaning.units if factor is None else ((have.unit, factor),))
            ]
        if want.candidates:
            wanted.append(want)
        elif same:
            found.append(f"{name}: {value} stands in {', '.join(fields[n][1] for n in same[:3])} only")
        else:
            found.append(f"{name}: no record says {value}")
    found += _in_rows(wanted, [place for place, _, _ in fields])
    found += _with_their_dates(wanted, [place for place, _, _ in fields])
    firsts = [want for want in wanted if not _is_second(want, expected, driver)]
    return found + _shared(firsts, [name for _, name, _ in fields])


def _is_second(want: _Wanted, expected: dict[str, Any], driver: str) -> bool:
    """Whether another name stands for the same record."""
    return any(name != want.name and expected.get(name) == want.value for name in other_names(driver, want.name))


_LOWEST: Final = frozenset(str(1 << 8 * size - 1).rstrip("0") for size in (1, 2, 3, 4, 6, 8))


def _is_same(have: Value, want: object, units: tuple[Unit, ...]) -> bool:
    if isinstance(want, str):
        if want.startswith(_NO_DATES):
            return have.value is None
        return isinstance(have.value, str) and have.value.replace("T", " ").startswith(want)
    assert isinstance(want, int | float)
    if have.value is None:  # the lowest number of a size: "no valid value" (EN 13757-3, type B)
        is_lowest = want < 0 and f"{-want:.6f}".replace(".", "").strip("0") in _LOWEST
        return is_lowest and any(have.unit == unit for unit, _ in units)
    if isinstance(have.value, bool) or not isinstance(have.value, int | float):
        return False
    return any(
        have.unit == unit and math.isclose(have.value * factor, want, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
        for unit, factor in units
    )


def _in_rows(wanted: list[_Wanted], places: list[Place]) -> list[str]:
    """Names with numbers: their places must count up or down with them. Other candidates are dropped."""
    series: dict[str, list[_Wanted]] = {}
    for want in wanted:
        if want.meaning.series and not want.of_driver:
            series.setdefault(want.meaning.series, []).append(want)
    found = []
    for name, members in series.items():
        if len(members) < 2:
            continue
        members.sort(key=lambda want: want.meaning.number)
        rows = _rows(members, places)
        if not rows:
            found.append(f"{name}: their places are in no row")
        for want, row in zip(members, zip(*rows, strict=True), strict=False):
            want.candidates = list(dict.fromkeys(row))
    return found


def _rows(members: list[_Wanted], places: list[Place]) -> list[list[int]]:
    """All ways to put members to fields, so that one step of a name's number is one step in the telegram."""
    first, second = members[0], members[1]
    at = [{places[n]: n for n in want.candidates} for want in members]
    rows = []
    for a in first.candidates:
        for b in second.candidates:
            distance = second.meaning.number - first.meaning.number
            step = _step(places[a], places[b], distance)
            if step is None:
                continue
            row = [
                have.get(_moved(places[a], step, want.meaning.number - first.meaning.number))
                for have, want in zip(at, members, strict=True)
            ]
            if None not in row:
                rows.append([n for n in row if n is not None])
    return rows


def _step(a: Place, b: Place, distance: int) -> tuple[int, ...] | None:
    if distance == 0 or (a.quantity, a.function) != (b.quantity, b.function):
        return None
    between = [y - x for x, y in zip(a.numbers(), b.numbers(), strict=True)]
    if not any(between) or any(gap % distance for gap in between):
        return None
    step = tuple(gap // distance for gap in between)
    _, tariff, subunit, _, phase = step  # past values may be counted backward, but not these
    return None if min(tariff, subunit, phase) < 0 else step


def _moved(place: Place, step: tuple[int, ...], times: int) -> Place:
    return Place(place.quantity, place.function, *(n + by * times for n, by in zip(place.numbers(), step, strict=True)))


def _with_their_dates(wanted: list[_Wanted], places: list[Place]) -> list[str]:
    """What is of another time stands in the storage of its date, where a name tells which is its date."""
    times: dict[tuple[str, ...], list[_Wanted]] = {}
    for want in wanted:
        if want.meaning.time and not want.of_driver:
            times.setdefault(want.meaning.time, []).append(want)
    found = []
    for members in times.values():
        dates = [want for want in members if isinstance(want.value, str)]
        storages = {places[n].storage for want in dates for n in want.candidates}
        for want in members:
            kept = [n for n in want.candidates if not storages or places[n].storage in storages]
            if not kept:
                found.append(f"{want.name}: not in the storage of {dates[0].name}")
            want.candidates = kept or want.candidates
    return found


def _shared(wanted: list[_Wanted], names: list[str]) -> list[str]:
    """Names that can only have a field that another name has (a largest matching, by augmenting paths)."""
    owner: dict[int, _Wanted] = {}

    def placed(want: _Wanted, seen: set[int]) -> bool:
        for n in want.candidates:
            if n in seen:
                continue
            seen.add(n)
            if n not in owner or placed(owner[n], seen):
                owner[n] = want
                return True
        return False

    return [
        f"{want.name}: {want.value} stands in {names[want.candidates[0]]} only, which is taken"
        for want in sorted(wanted, key=lambda want: len(want.candidates))
        if not placed(want, set())
    ]
