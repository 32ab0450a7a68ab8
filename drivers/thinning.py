"""Which telegrams of a device that speaks by itself are handed over: one an interval, and those that say something new.

Meters push once a second. Telegrams are never changed; what was not handed over leaves a trace as derived values
(smallest, mean, largest) beside the next telegram that is, where that is wanted.
"""

from collections.abc import Callable
from typing import Annotated, Final

import msgspec

from torhaus.codecs.model import DecodeError, Fields, Value

MAX_FIELDS: Final = 64

Decode = Callable[[bytes, int | None], Fields]
Change = Annotated[float, msgspec.Meta(ge=0, description="a number from 0: how much is a change")]
OnChange = Annotated[dict[str, Change], msgspec.Meta(max_length=MAX_FIELDS)]
Summarise = Annotated[tuple[str, ...], msgspec.Meta(max_length=MAX_FIELDS)]


class Rule(msgspec.Struct, frozen=True):
    """When a telegram is handed over.

    `interval_s`: at most one in each stretch of so many seconds since boot: the first to arrive, and of several that
    arrive at once the newest (0: every one, but with `on_change` only changes). `on_change`: also at once when one of
    these fields is further than so much from where it was when a telegram was last handed over; 0: whenever it is
    another. `summarise`: fields of which the smallest, mean and largest value since then go beside the telegram.
    """

    interval_s: float = 0
    on_change: dict[str, float] = {}
    summarise: tuple[str, ...] = ()

    def check(self) -> None:
        """Raises ValueError for what cannot be meant."""
        if self.summarise and not (self.interval_s or self.on_change):
            raise ValueError("summarise: needs interval_s or on_change: without them nothing is left out")


class Sum:
    """The values of one field."""

    __slots__ = ("count", "high", "low", "total")

    def __init__(self, value: float) -> None:
        self.low = self.high = self.total = value
        self.count = 1

    def add(self, value: float) -> None:
        """One more."""
        self.low, self.high = min(self.low, value), max(self.high, value)
        self.total += value
        self.count += 1


class Thinning:
    """Chooses among the telegrams of one device. `decode`: what they mean, used only where the rule asks for values."""

    def __init__(self, rule: Rule, decode: Decode) -> None:
        self._decode = decode
        self._interval_ns = int(rule.interval_s * 1e9)
        self._on_change = rule.on_change
        self._summarise = rule.summarise
        self._looks = bool(rule.on_change or rule.summarise)
        self._slot = -1  # the interval that has had its telegram
        self._last: Fields = {}  # of the telegram that was last handed over
        self._is_first = True
        self._sums: dict[str, Sum] = {}
        self._units: dict[str, str | None] = {}

    def chosen(self, telegrams: list[bytes], boot_ns: int) -> list[tuple[bytes, Fields | None]]:
        """Those to be handed over, each with the derived values that go with it."""
        if not telegrams:
            return []
        if not self._looks:
            if not self._interval_ns:
                return [(telegram, None) for telegram in telegrams]
            return [(telegrams[-1], None)] if self._begins(boot_ns) else []
        out: list[tuple[bytes, Fields | None]] = []
        for n, telegram in enumerate(telegrams, 1):
            fields = self._fields(telegram)
            is_due = n == len(telegrams) and self._is_due(boot_ns)
            if fields is None:  # whoever decodes it will say what is wrong with it
                if is_due:
                    out.append((telegram, None))
                continue
            self._count(fields)
            if is_due or self._has_changed(fields):
                out.append((telegram, self._summary() or None))
                self._last, self._is_first = fields, False
        return out

    def _begins(self, boot_ns: int) -> bool:
        slot = boot_ns // self._interval_ns
        if slot == self._slot:
            return False
        self._slot = slot
        return True

    def _is_due(self, boot_ns: int) -> bool:
        return self._begins(boot_ns) if self._interval_ns else not self._on_change

    def _fields(self, telegram: bytes) -> Fields | None:
        try:
            return self._decode(telegram, None)
        except DecodeError:
            return None

    def _has_changed(self, fields: Fields) -> bool:
        return any(self._differs(name, much, fields) for name, much in self._on_change.items())

    def _differs(self, name: str, much: float, fields: Fields) -> bool:
        now, before = fields.get(name), self._last.get(name)
        if self._is_first or now is None or before is None:
            return self._is_first or now is not before
        if much and _is_number(now.value) and _is_number(before.value):
            return abs(float(now.value or 0) - float(before.value or 0)) >= much
        return now.value != before.value

    def _count(self, fields: Fields) -> None:
        for name in self._summarise:
            found = fields.get(name)
            if found is None or not _is_number(found.value):
                continue
            assert isinstance(found.value, int | float)
            if name in self._sums and self._units[name] == found.unit:
                self._sums[name].add(found.value)
            else:
                self._sums[name], self._units[name] = Sum(found.value), found.unit

    def _summary(self) -> Fields:
        out: Fields = {}
        for name, found in self._sums.items():
            unit, mean = self._units[name], float(f"{found.total / found.count:.12g}")
            values = (("min", found.low), ("mean", mean), ("max", found.high))
            out |= {f"{name}_{word}": Value(value, unit, derived=True) for word, value in values}
            out[f"{name}_samples"] = Value(found.count, derived=True)
        self._sums.clear()
        return out


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
