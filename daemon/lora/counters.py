"""The devices' counters at the start: the newest part of the log is read before anything is taken in.

Where it is long and the snapshot is lost the rest is read beside the work. Until a device's counter is known nobody can
tell its new frames from recordings of old ones: what holds one waits, unacknowledged, and is looked at then.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from torhaus.codecs.model import Frame, Reject
from torhaus.daemon import logs
from torhaus.daemon.lora.network import Network
from torhaus.daemon.outbox.sessions import READ_RECORDS, CounterSearch, begin_search, end_search
from torhaus.daemon.outbox.store import Outbox
from torhaus.daemon.pipeline import RECORD_BYTES, Pipeline
from torhaus.drivers.base import Done, GatewayStats

FIRST_RECORDS: Final = 10_000
"""Records that are read before the daemon is ready: some tenths of a second."""
MAX_WAITING_BYTES: Final = 4 << 20
"""What may wait for a counter: beyond it nothing that needs one is taken."""
_UPLINKS: Final = frozenset({2, 4})
"""MType of data uplinks, the upper three bits of MHDR (LoRaWAN 1.0.4 section 4.2.1)."""
_SHORTEST: Final = 12

Delivery = tuple[str, list[Frame], list[Reject], Done | None, GatewayStats | None]


class Counters:
    """Of one site: made by `load`."""

    def __init__(self, outbox: Outbox, network: Network, search: CounterSearch) -> None:
        self.is_complete = False
        self._outbox = outbox
        self._network = network
        self._search = search
        self._unknown = network.sessions()  # those whose counter is not known, with their DevAddrs
        self._addrs = frozenset(self._unknown.values())
        self._waiting: deque[Delivery] = deque()
        self._bytes = 0
        self._pipeline: Pipeline | None = None

    @classmethod
    async def load(cls, outbox: Outbox, network: Network) -> "Counters":
        """Take over what the snapshot and the newest records say.

        Where there are no sessions the log is not read, however long it is, and the snapshot stays where it was.
        """
        it = cls(outbox, network, await begin_search(outbox))
        await it._look_at_newest()
        return it

    async def _look_at_newest(self) -> None:
        search, left = self._search, FIRST_RECORDS
        if not self._unknown and not search.is_over:
            self.is_complete = True
            return
        while not search.is_over and left > 0:
            await search.look(min(READ_RECORDS, left))
            left -= READ_RECORDS
            self._restore()
        if search.is_over:
            self._end()
        else:
            logs.info("reading the devices' counters from the log", devices=len(self._unknown))

    def guard(self, pipeline: Pipeline) -> dict[str, Callable[[], Awaitable[None]]]:
        """Have what cannot be judged yet kept from it; what is to be run for that, by name."""
        if self.is_complete:
            return {}
        self._pipeline = pipeline
        pipeline.waits = self.waits
        return {"counters": self.run}

    async def run(self) -> None:
        """Read the rest. Never returns."""
        while not self._search.is_over:
            await self._search.look()
            self._restore()
            self._release()
        if not self.is_complete:
            self._end()
            self._release()
            logs.info("the devices' counters are known")
        await asyncio.Event().wait()

    def waits(
        self, driver: str, frames: list[Frame], rejects: list[Reject], done: Done | None, stats: GatewayStats | None
    ) -> bool:
        """Whether this delivery is kept until a counter is known, or refused for lack of room."""
        if not self._has_unknown(frames):
            return False
        size = sum(RECORD_BYTES + len(f.data) for f in frames) + sum(RECORD_BYTES + len(r.data) for r in rejects)
        if self._bytes + size > MAX_WAITING_BYTES:
            self._outbox.report.refused(len(frames) + len(rejects) + (stats is not None), "backlog")
            if done is not None:
                done(False)
            return True
        self._bytes += size
        self._waiting.append((driver, frames, rejects, done, stats))
        return True

    def _has_unknown(self, frames: list[Frame]) -> bool:
        return any(
            len(f.data) >= _SHORTEST
            and f.data[0] >> 5 in _UPLINKS
            and int.from_bytes(f.data[1:5], "little") in self._addrs
            for f in frames
        )

    def _restore(self) -> None:
        """Take over what was found of those that are not known."""
        known = [session for id_ in list(self._unknown) if (session := self._search.found.get(id_)) is not None]
        self._network.restore(known)
        for session in known:
            del self._unknown[session.dev_eui]
        self._addrs = frozenset(self._unknown.values())

    def _end(self) -> None:
        """All is known: what the log does not have is as the snapshot says, or new."""
        sessions = self._search.sessions()
        self._network.restore([s for s in sessions if s.dev_eui in self._unknown])
        self._unknown, self._addrs = {}, frozenset()
        proved = self._network.resave()  # these may be further by now
        end_search(self._outbox, self._search, [s for s in sessions if s.dev_eui not in proved])
        self.is_complete = True

    def _release(self) -> None:
        """Pass on what need not wait any longer, each device's frames in their order."""
        if self._pipeline is None:
            return
        waiting, self._waiting, self._bytes = self._waiting, deque(), 0
        if self.is_complete:
            self._pipeline.waits = None
        for delivery in waiting:
            self._pipeline.accept(*delivery)  # what still has to wait comes back
