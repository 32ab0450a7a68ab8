"""When the log is nearly full: one segment after the other is thinned out (thinning.py), with everybody's hands off it.

Begun one segment's size below the limit, so that dropping, which begins at the limit, finds nothing left to do. What is
thinned out is counted before it goes; a crash just after that counts it once more, when it is thinned out again.
"""

import asyncio
import sqlite3
from functools import partial
from typing import Final

from torhaus.daemon.outbox.folder import WORKSHOP
from torhaus.daemon.outbox.keeping import MAIN, Holder
from torhaus.daemon.outbox.migrate import SchemaError
from torhaus.daemon.outbox.ranges import count_union
from torhaus.daemon.outbox.retention import PART
from torhaus.daemon.outbox.segment import path_of
from torhaus.daemon.outbox.state import State
from torhaus.daemon.outbox.store import Outbox
from torhaus.daemon.outbox.thinning import Thinned, choose, rewrite, swap

LOOK_S: Final = 1.0
REASON: Final = "thinned"


class Thinner:
    """Thins one log of an open outbox, keeping every `every`-th record."""

    def __init__(self, outbox: Outbox, log: str, every: int) -> None:
        self._outbox = outbox
        self._name = log
        self._log = outbox.logs[log]
        self._every = every
        self._passed: set[int] = set()
        """Segments that stay as they are: damaged, or too little would go."""

    async def run(self) -> None:
        """Never returns."""
        while True:
            await self._outbox.clock.sleep(LOOK_S)
            while self.is_due() and await self.look():
                pass

    def is_due(self) -> bool:
        """Whether the log comes near to a limit."""
        log, limit = self._log, self._log.limit
        near = log.room.over(limit.max_bytes) > -log.segment_bytes
        return near or (limit.max_records > 0 and log.records > limit.max_records - limit.max_records // PART)

    async def look(self) -> bool:
        """Thin the next segment that nobody has in hand. True when one was."""
        log, outbox = self._log, self._outbox
        self._passed &= set(log.segments)
        busy = set[int]()
        while (first := choose(log.segments, log.room.sizes, log.steps, self._every, self._passed | busy)) is not None:
            end = next((s for s in log.segments if s > first), first)
            if not self._is_even(first, end) or not self._hold(first, end):
                busy.add(first)
                continue
            outbox.thinning.add(self._name)
            alarms = None
            try:
                made = await self._thin(first, end)
                alarms = made.alarms if made is not None else None
            finally:
                outbox.thinning.discard(self._name)
                for cursor in outbox.cursors[self._name]:
                    cursor.let_go(first, end, alarms)
            return made is not None
        return False

    def _is_even(self, first: int, end: int) -> bool:
        """Whether each forwarder has all of it or nothing, and no script or session still needs it."""
        outbox, holes = self._outbox, self._log.holes
        there = end - first - holes.count(first, end)
        for settled in outbox.settled_by[self._name].values():
            if count_union(first, end, settled, holes) - holes.count(first, end) not in {0, there}:
                return False
        if self._name != MAIN:
            return True
        return end <= outbox.decoded_to() and (outbox.looked_to is None or end <= outbox.looked_to)

    def _hold(self, first: int, end: int) -> bool:
        """All cursors, or none."""
        held = list[Holder]()
        for cursor in self._outbox.cursors[self._name]:
            if not cursor.hold(first, end):
                for h in held:
                    h.let_go(first, end, None)
                return False
            held.append(cursor)
        return True

    async def _thin(self, first: int, end: int) -> Thinned | None:
        """With all hands off it. None when it stays as it is."""
        outbox, log = self._outbox, self._log
        copies = partial(State.has_copies, log=self._name, start=first, end=end)
        if not await outbox.on_writer(partial(log.let_go, first)):
            return None
        if await outbox.on_state(copies) or self._has_new_copies(first, end):  # they are known by their positions
            self._pass_over(first, "records of it were set aside")
            return None
        hole = log.holes.gap(first, end)
        upto = hole[1] if hole is not None else first
        try:
            made = await asyncio.to_thread(rewrite, log.folder, first, upto, end, self._every)
        except (OSError, sqlite3.Error, SchemaError) as e:
            self._pass_over(first, str(e))
            return None
        if made is None:
            self._passed.add(first)  # it is as thin as it gets
            return None
        self._count(made)
        for name, log_name, settled in await outbox.on_state(State.forwarders):
            is_other = log_name == self._name and name not in outbox.settled_by[self._name]
            if is_other and settled.count(first, end) not in {0, end - first}:  # one that is not configured at present
                settled.remove(first, end)  # its positions are about to mean other records: all comes again
                outbox.flush.settled[name, log_name] = list(settled)
        await outbox.save()
        if outbox.failing is not None:
            return None
        try:
            await outbox.on_reader(partial(self._put_in_place, made))
        except OSError as e:
            if path_of(log.folder / WORKSHOP, first).exists():  # else it is in its place, if not for a power cut
                self._pass_over(first, str(e))
                return None
        await outbox.on_writer(partial(log.thinned, made))
        return made

    def _has_new_copies(self, first: int, end: int) -> bool:
        """Records of it that were set aside, or refused, since the last save."""
        flush = self._outbox.flush
        waiting = [*flush.set_aside.items(), *flush.dead.items()]
        return any(log == self._name and any(first <= one.pos < end for one in items) for (_, log), items in waiting)

    def _pass_over(self, first: int, why: str) -> None:
        self._passed.add(first)
        self._outbox.report.not_thinned(self._name, first, why)

    def _put_in_place(self, made: Thinned) -> None:
        """On the reader thread, so that nobody reads meanwhile, and what was read before has been told."""
        self._log.forget_reader(made.first)
        swap(self._log.folder, made.first)

    def _count(self, made: Thinned) -> None:
        outbox, name = self._outbox, self._name
        for forwarder, settled in outbox.settled_by[name].items():
            if made.first not in settled:
                outbox.count_drop(name, forwarder, made.removed, REASON)
        if not outbox.settled_by[name]:
            outbox.count_drop(name, "", made.removed, REASON)
