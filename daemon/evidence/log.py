"""The four classes of a log that BSI TR-03138 V1.5 wants (A.SC.11), as events of the evidence journal.

a) changes of configuration, accounts and rights: `config.…`, `rights.…`; b) who used it, when and how: `use.…`, and
every step of a document; c) manual work on documents afterwards: `post.…`; d) failed logins and errors: `fault.…`.
Nobody's name is in it: people are numbers of system accounts (`uid:1000`) or pseudonyms.
"""

from collections import Counter
from enum import StrEnum
from typing import Final

from torhaus.daemon.scans.db import Tx
from torhaus.daemon.scans.events import (
    Event,
    IntakeStalled,
    NotTaken,
    StampingChanged,
    StationChanged,
    StoreStalled,
    TargetChanged,
)

MAX_KINDS: Final = 256
"""Kinds of faults that are told apart within one minute; whatever comes on top is counted together."""
OTHERS: Final = ("others", "")


class LogClass(StrEnum):
    """The letter that the guideline gives it."""

    CONFIG = "a"
    USE = "b"
    POST_PROCESSING = "c"
    FAULT = "d"


_PREFIXES: Final = {
    "config": LogClass.CONFIG,
    "rights": LogClass.CONFIG,
    "post": LogClass.POST_PROCESSING,
    "fault": LogClass.FAULT,
}


def class_of(event: str) -> LogClass:
    """By the event's first word."""
    return _PREFIXES.get(event.partition(".")[0], LogClass.USE)


class FaultLog:
    """Counts faults; `enter` writes one entry for each kind, with how often it happened since the last time.

    A flood of failed logins or errors is so one entry a minute, and cannot fill the journal.
    """

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, kind: str, where: str = "") -> None:
        """One fault. `where`: the name of a station or target from the configuration, nothing from outside."""
        key = (kind, where)
        self._counts[key if key in self._counts or len(self._counts) < MAX_KINDS else OTHERS] += 1

    def watch(self, event: Event) -> None:
        """Count what the scan queue tells of errors."""
        match event:
            case StoreStalled(where=where, detail=detail):
                self.add(f"store_{detail}", where)
            case IntakeStalled(station=station, kind=kind):
                self.add(f"intake_{kind}", station)
            case NotTaken(station=station, kind=kind):
                self.add(f"not_taken_{kind}", station)
            case StationChanged(station=station, up=False):
                self.add("station_down", station)
            case StampingChanged(up=False, detail=detail):
                self.add(f"stamp_{detail.partition(':')[0]}")
            case TargetChanged(target=target, up=False):
                self.add("target_down", target)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to enter."""
        return not self._counts

    def take(self) -> Counter[tuple[str, str]]:
        """What was counted; counting begins anew."""
        counts, self._counts = self._counts, Counter()
        return counts

    def give_back(self, counts: Counter[tuple[str, str]]) -> None:
        """They could not be entered: next time."""
        for (kind, where), count in counts.items():
            self._counts[(kind, where) if len(self._counts) < MAX_KINDS else OTHERS] += count


def enter_faults(tx: Tx, counts: Counter[tuple[str, str]], at_ns: int) -> None:
    """An entry for each kind."""
    for (kind, where), count in sorted(counts.items()):
        tx.enter(f"fault.{kind}", at_ns, where=where or None, count=count)
