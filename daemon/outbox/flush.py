"""What goes into state.db: records set aside, dead letters, sessions, and all that has changed since the last save."""

import msgspec

from torhaus.daemon.outbox.counters import DeviceCounters
from torhaus.daemon.outbox.joins import DeviceJoins
from torhaus.daemon.outbox.record import Stored


class SetAside(msgspec.Struct, gc=False):
    """A record that one forwarder could not get rid of: tried again at `retry_at_ns` (wall clock)."""

    pos: int
    tries: int
    retry_at_ns: int
    reason: str
    stored: Stored


class DeadLetter(msgspec.Struct, gc=False):
    """A record that a far side refused for good."""

    number: int
    forwarder: str
    log: str
    pos: int
    at_ns: int
    reason: str
    stored: Stored


class Session(msgspec.Struct, frozen=True, gc=False):
    """The last proved uplink counter of a device's session."""

    dev_eui: str
    dev_addr: str
    fcnt_up: int


class Flush(msgspec.Struct):
    """What has changed since the last flush and goes into one commit."""

    settled: dict[tuple[str, str], list[tuple[int, int]]] = {}  # (forwarder, log) to ranges
    set_aside: dict[tuple[str, str], list[SetAside]] = {}
    dead: dict[tuple[str, str], list[SetAside]] = {}
    resolved: dict[tuple[str, str], list[int]] = {}  # exceptions that are done with
    sessions: list[Session] = []
    snapshot: dict[str, int] = {}
    boots: dict[str, int] = {}
    dropped: dict[tuple[str, str], int] = {}  # (forwarder, reason) to records since the last flush
    at_ns: int = 0
    joins: dict[str, DeviceJoins] = {}  # by DevEUI
    counters: dict[str, DeviceCounters] = {}  # by device

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in self.__struct_fields__ if name != "at_ns")

    def merge(self, newer: "Flush") -> None:
        """Add what came while this one could not be written; newer values win, but for boots."""
        self.settled |= newer.settled
        self.snapshot |= newer.snapshot
        self.joins |= newer.joins
        self.counters |= newer.counters
        self.boots = newer.boots | self.boots  # what was once told of a boot stays
        for mine, theirs in ((self.set_aside, newer.set_aside), (self.dead, newer.dead)):
            for key, items in theirs.items():
                mine.setdefault(key, []).extend(items)
        for key, positions in newer.resolved.items():
            self.resolved.setdefault(key, []).extend(positions)
        self.sessions = list({s.dev_eui: s for s in (*self.sessions, *newer.sessions)}.values())
        for drop, n in newer.dropped.items():
            self.dropped[drop] = self.dropped.get(drop, 0) + n
