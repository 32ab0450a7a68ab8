"""Contact windows: the hours in which the backlog may go out, by the box's own clock and time zone. Pure.

`22:00-06:00`, `Mon-Fri 18:00-24:00`, `Sa,So 00:00-24:00`: days in English or German; a window that ends before it
begins ends on the next day, and its days are those on which it begins.
"""

import re
from typing import Final

import msgspec

_TEXT: Final = re.compile(r"(?:(?P<days>[A-Za-z,-]+) +)?(\d{1,2}):(\d{2}) ?- ?(\d{1,2}):(\d{2})")
_DAYS: Final = {
    name: n
    for names in ("mon tue wed thu fri sat sun", "mo di mi do fr sa so", "mo tu we th fr sa su")
    for n, name in enumerate(names.split())
}
_DAY_MIN: Final = 24 * 60


class Window(msgspec.Struct, frozen=True):
    """From minute `start` to before minute `end` of the days (0 is Monday) in which it begins."""

    days: frozenset[int]
    start: int
    end: int

    def is_open(self, weekday: int, minute: int) -> bool:
        """Whether this minute of this day is in it."""
        if self.start < self.end:
            return weekday in self.days and self.start <= minute < self.end
        before = (weekday - 1) % 7
        return (weekday in self.days and minute >= self.start) or (before in self.days and minute < self.end)


def parse_window(text: str) -> Window:
    """Raises ValueError that says what is wrong."""
    match = _TEXT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f'"{text}" must be a window such as "22:00-06:00" or "Sat,Sun 00:00-24:00"')
    start, end = (int(match[i]) * 60 + int(match[i + 1]) for i in (2, 4))
    minutes_fit = int(match[3]) < 60 and int(match[5]) < 60
    if not minutes_fit or start >= _DAY_MIN or end > _DAY_MIN or start == end:
        raise ValueError(f'"{text}" has times that are none: from 00:00 to 23:59, until 24:00, and not the same')
    return Window(_parse_days(match["days"], text), start, end)


def _parse_days(days: str | None, text: str) -> frozenset[int]:
    if days is None:
        return frozenset(range(7))
    found: set[int] = set()
    for part in days.lower().split(","):
        first, dash, last = part.partition("-")
        if first not in _DAYS or (dash and last not in _DAYS):
            raise ValueError(f'"{text}" has days that are none: Mon to Sun, or Mo to So, as in Mon-Fri or Sat,Sun')
        low, high = _DAYS[first], _DAYS[last or first]
        found |= {day % 7 for day in range(low, high + 1 if high >= low else high + 8)}
    return frozenset(found)


def is_open(windows: tuple[Window, ...], weekday: int, minute: int) -> bool:
    """Whether one of them is open; no windows are always open."""
    return not windows or any(w.is_open(weekday, minute) for w in windows)
