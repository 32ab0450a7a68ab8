"""A second copy of what matters most of state.db, in a small file beside it, for the day on which that is damaged.

Written at most once a minute, when something has changed, and at the end. It is older than state.db, and consistent in
itself: what it says is settled was settled or kept as a copy (`owned`) when it was written. So believing it can repeat
records, and lose none.
"""

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from torhaus.daemon.outbox import aside, migrate
from torhaus.daemon.outbox.joins import DeviceJoins
from torhaus.daemon.outbox.ranges import Ranges

if TYPE_CHECKING:
    from torhaus.daemon.outbox.state import State

FILE: Final = "settled.json"
WRITE_NS: Final = 60_000_000_000
"""How often it is written at most: it is for damage, not for crashes."""
MAX_BYTES: Final = 16 << 20
MAX_STORES: Final = 64
"""Store ids that are remembered for each log; there is a new one after damage only."""

Spans = list[tuple[int, int]]


class Copy(msgspec.Struct, frozen=True):
    """By (forwarder, log) what is settled, and of that what forwarders keep themselves: set aside, dead letters."""

    settled: list[tuple[str, str, Spans]] = []
    owned: list[tuple[str, str, Spans]] = []
    snapshot: dict[str, int] = {}
    boots: dict[str, int] = {}
    stores: dict[str, list[str]] = {}
    joins: dict[str, DeviceJoins] = {}


def read_copy(folder: Path) -> Copy | None:
    """The copy; None when there is none, or it is damaged."""
    try:
        with (folder / FILE).open("rb") as file:
            data = aside.unsealed(file.read(MAX_BYTES))
    except OSError:
        return None
    try:
        return None if data is None else msgspec.json.decode(data, type=Copy)
    except (msgspec.DecodeError, ValueError):
        return None


class SecondCopy:
    """Writes it. On the writer thread."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._written_ns: int | None = None
        self._is_old = False
        self.stores: dict[str, list[str]] = {}
        self.problem: str | None = None
        self.written = 0  # bytes since the start

    def size(self) -> int:
        """Bytes on disk."""
        return migrate.size(self._path)

    def remember(self, copy: Copy | None) -> None:
        """Go on with the store ids of the copy that is there."""
        self.stores = {log: list(ids) for log, ids in copy.stores.items()} if copy is not None else {}
        self._is_old = copy is None

    def renamed(self) -> None:
        """A forwarder has another name: the copy on disk speaks of the old one, and is written anew at once."""
        self._is_old = True
        self._written_ns = None

    def use(self, log: str, store: str) -> None:
        """A log gives out ids of this store."""
        known = self.stores.setdefault(log, [])
        if store not in known:
            known.append(store)
            del known[:-MAX_STORES]
            self._is_old = True
            self._written_ns = None  # records that only this proves may come at once

    def outdated(self) -> None:
        """Something was saved that it does not have: it is to be written when it is time."""
        self._is_old = True

    def write(self, state: "State", now_ns: int, *, changed: bool, at_once: bool = False) -> None:
        """Write it if something has changed and it is time; `problem` says why it could not be. `now_ns`: boot time."""
        self._is_old |= changed
        is_due = at_once or self._written_ns is None or now_ns - self._written_ns >= WRITE_NS
        if self._is_old and is_due:
            self._written_ns = now_ns
            try:
                data = aside.sealed(msgspec.json.encode(self._copy(state)))
                aside.write_file(self._path, data)
                self.written += len(data)
            except (OSError, sqlite3.Error) as e:
                self.problem = f"{FILE}: {e}"
            else:
                self._is_old, self.problem = False, None

    def _copy(self, state: "State") -> Copy:
        return Copy(
            settled=[(name, log, list(settled)) for name, log, settled in state.forwarders()],
            owned=[(name, log, list(spans)) for (name, log), spans in state.owned().items()],
            snapshot=state.sessions()[1],
            boots=state.boots(),
            stores=self.stores,
            joins=state.joins()[0],
        )


def ranges_of(spans: list[tuple[str, str, Spans]]) -> dict[tuple[str, str], Ranges]:
    """By (forwarder, log)."""
    return {(name, log): Ranges(ranges) for name, log, ranges in spans}
