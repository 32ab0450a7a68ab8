"""What is looked up every few seconds, so that neither a scrape nor `torhaus queue` reads the log or keeps time.

Per forwarder: how fast records are accepted, how fast the backlog shrinks, and when its oldest record came. Per log:
when it will be full.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from torhaus.codecs.model import Stamp
from torhaus.daemon.clock import Clock
from torhaus.daemon.forecast import Forecast
from torhaus.daemon.forward.pace import Pace
from torhaus.daemon.forward.runner import Runner
from torhaus.daemon.outbox.ranges import free
from torhaus.daemon.outbox.record import Damaged
from torhaus.daemon.outbox.store import MAIN, Outbox
from torhaus.daemon.outbox.when import best_wall_ns

LATELY_S: Final = 10.0
MINUTE_S: Final = 60.0
LEAST_S: Final = 5.0
"""Shorter spans say nothing about how long a backlog takes."""
TRIES: Final = 8
"""Damaged stretches that are passed over at one look; the next look goes on behind them."""


def free_bytes(folder: Path) -> int:
    """What the file system lets us write there. Raises OSError."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


class Lane:
    """What is known of one forwarder."""

    def __init__(self, clock: Clock) -> None:
        self.accepted = Pace(clock, MINUTE_S)
        self.backlog = Pace(clock, MINUTE_S)
        self.waiting = 0
        self.oldest: tuple[int, Stamp, str] | None = None  # position, time and boot of the oldest that is not settled

    def eta_s(self) -> float | None:
        """Seconds until the backlog is gone at the rate of the last minute; None while it does not shrink."""
        if not self.waiting:
            return 0.0
        shrinks = self.backlog.per_s(MINUTE_S, LEAST_S)
        return self.waiting / -shrinks if shrinks is not None and shrinks < 0 else None


class Lookout:
    """Looks every few seconds, on the event loop."""

    def __init__(
        self,
        clock: Clock,
        outbox: Outbox,
        runners: dict[str, tuple[str, Runner]],
        room: Callable[[Path], int] = free_bytes,
    ) -> None:
        self.lanes: dict[str, Lane] = {}
        self.room_bytes: int | None = None  # what the file system has left; None before the first look
        self.forecasts: dict[str, Forecast] = {}
        self._clock = clock
        self._outbox = outbox
        self._runners = runners
        self._room = room

    async def look(self) -> None:
        """One look. Raises sqlite3.Error or OSError when the disk cannot be asked just now."""
        for name, (_, runner) in self._runners.items():
            lane = self.lanes.setdefault(name, Lane(self._clock))
            lane.waiting = runner.backlog()
            lane.accepted.look(runner.tally.accepted)
            lane.backlog.look(lane.waiting)
        self._foretell()
        for name, (_, runner) in self._runners.items():
            await self._find_oldest(self.lanes[name], runner)

    def _foretell(self) -> None:
        """Only where somebody waits for what is in the log: else dropping the oldest is its ordinary life."""
        box = self._outbox
        self.room_bytes = self._room(box.logs[MAIN].folder)
        for name, log in box.logs.items():
            if not box.settled_by[name]:
                continue
            low, tail = box.drained_to(name), log.tail
            waiting = max(0, tail - low - log.holes.count(low, tail))
            share = waiting / log.records if log.records > 0 else 0.0
            forecast = self.forecasts.setdefault(name, Forecast(self._clock))
            forecast.look(min(share, 1.0) * log.bytes_on_disk, log.limit.max_bytes, self._room(log.folder))

    def oldest_ns(self, name: str) -> int:
        """Wall clock of the oldest record that waits for a forwarder; 0 when none does."""
        lane = self.lanes.get(name)
        if lane is None or lane.oldest is None:
            return 0
        _, at, boot = lane.oldest
        return best_wall_ns(at, boot, self._outbox.boots)

    async def _find_oldest(self, lane: Lane, runner: Runner) -> None:
        """The log is read only when the lowest open position is another than the last time."""
        log, cursor = self._outbox.logs[runner.log], runner.cursor
        pos = log.head
        for _ in range(TRIES):
            gap = free(pos, cursor.tail, cursor.settled, cursor.holes())
            if gap is None:
                lane.oldest = None
                return
            pos = gap[0]
            if lane.oldest is not None and pos == lane.oldest[0]:
                return
            found = await self._outbox.read(runner.log, pos, 1)
            if not found:
                return  # dropped while we looked
            if not isinstance(found[0], Damaged):
                lane.oldest = pos, found[0].at, found[0].boot
                return
            pos = found[0].pos + found[0].count
