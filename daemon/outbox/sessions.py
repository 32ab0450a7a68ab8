"""The last proved uplink counter of every session, after a crash at any moment.

They are in a snapshot (state.db), and in the log from where that ends. Mostly that is a second's worth; after the loss
of the snapshot it is the whole log. It is read from the newest record back, so that what is still in use is known soon.
"""

import sqlite3
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from torhaus.codecs.model import RejectReason
from torhaus.daemon.outbox.flush import Flush, Session
from torhaus.daemon.outbox.joins import session_key
from torhaus.daemon.outbox.keeping import MAIN
from torhaus.daemon.outbox.log import Log
from torhaus.daemon.outbox.record import Damaged, Stored
from torhaus.daemon.outbox.state import State

if TYPE_CHECKING:
    from torhaus.daemon.outbox.store import Outbox

READ_RECORDS: Final = 5000
TRIES: Final = 3
"""So often a stretch of the log that cannot be read is tried: a bad sector must not keep the daemon from starting."""

Read = Callable[[int, int], Awaitable[list[Stored | Damaged]]]


class CounterSearch:
    """The snapshot, which is complete up to `start`, and what the log had behind it when this was made.

    `found` is what the log has said so far: its records are looked at from the newest back, so it is the last word.
    """

    def __init__(self, snapshot: list[Session], log: Log, start: int, read: Read) -> None:
        self.found: dict[str, Session] = {}
        self.start = start
        self.tail = log.tail
        self._snapshot = {s.dev_eui: s for s in snapshot}
        self._log = log
        self._read = read
        self._at = self.tail  # from here on all has been looked at

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to be looked at."""
        return self._at <= max(self.start, self._log.head)

    def sessions(self) -> list[Session]:
        """All that is known; the truth when it is over."""
        return list((self._snapshot | self.found).values())

    async def look(self, records: int = READ_RECORDS) -> None:
        """So many records further back, within one segment."""
        first = max((s for s in self._log.segments if s < self._at), default=self.start)
        there = self._log.holes.gap(first, self._at)  # before the hole, if there is one
        end = there[1] if there is not None else first
        low = max(first, self.start, end - records)
        here: dict[str, Session] = {}
        pos, failed = low, 0
        while pos < end and failed < TRIES:
            try:
                batch = await self._read(pos, min(READ_RECORDS, end - pos))
            except sqlite3.OperationalError:
                failed += 1
                continue
            for r in batch:
                pos = r.pos + (r.count if isinstance(r, Damaged) else 1)
                if isinstance(r, Stored) and r.pos < end:
                    _take(here, r)
            if not batch:
                break
        self.found = here | self.found
        self._at = low


async def last_counters(snapshot: list[Session], log: Log, pos: int, read: Read) -> list[Session]:
    """The snapshot, which is complete up to `pos`, and what the log has from there on."""
    search = CounterSearch(snapshot, log, pos, read)
    while not search.is_over:
        await search.look()
    return search.sessions()


async def begin_search(outbox: "Outbox") -> CounterSearch:
    """Of an open outbox."""
    snapshot, upto = await outbox.on_state(State.sessions)
    return CounterSearch(snapshot, outbox.logs[MAIN], upto.get(MAIN, 0), partial(outbox.read, MAIN))


def end_search(outbox: "Outbox", search: CounterSearch, sessions: list[Session]) -> None:
    """It is over, and `sessions` are what is to be saved of it.

    From then on every save moves the snapshot on, to where feeds have been told: who reports sessions in
    `before_flush` must know them by then.
    """
    if search.start < search.tail:
        outbox.flush.merge(Flush(sessions=sessions, snapshot={MAIN: search.tail}))
    outbox.looked_to = search.tail


def _take(found: dict[str, Session], stored: Stored) -> None:
    record = stored.record
    lora = record.lora
    if lora is None or lora.fcnt is None or lora.dev_addr is None or record.reason == RejectReason.REPLAY.value:
        return  # a repeated frame proves nothing new
    key = record.dev_eui or lora.dev_addr
    if lora.session is not None:
        key = session_key(key, lora.session)
    found[key] = Session(key, lora.dev_addr, lora.fcnt)
