"""Honest time: notices when the clock comes to be synchronised, so that records stamped before can be corrected."""

from torhaus.daemon import logs
from torhaus.daemon.clock import Clock
from torhaus.daemon.outbox.store import Outbox

CHECK_S = 5.0
STEP_NS = 1_000_000_000
"""A difference between wall clock and boot time that changed by more than this is a step, not drift."""


class Timekeeper:
    """Keeps, for this boot, wall clock minus boot time as soon as the clock is synchronised."""

    def __init__(self, clock: Clock, outbox: Outbox) -> None:
        self._clock = clock
        self._outbox = outbox
        self.steps = 0
        self._offset: int | None = None
        self._is_known = False

    def look(self) -> None:
        """Compare the two clocks once."""
        stamp = self._clock.stamp()
        offset = stamp.wall_ns - stamp.boot_ns
        if self._offset is not None and abs(offset - self._offset) > STEP_NS:
            self.steps += 1
            logs.warning("clock stepped", seconds=round((offset - self._offset) / 1e9, 3), synced=stamp.synced)
        self._offset = offset
        boot = self._clock.boot_id
        if stamp.synced and not self._is_known:
            self._is_known = True
            if boot not in self._outbox.boots:
                logs.info("clock synchronised")
                self._outbox.flush.boots[boot] = offset  # used once it is on disk, so that a crash cannot change it

    async def run(self) -> None:
        """Look every few seconds. Never returns."""
        while True:
            self.look()
            await self._clock.sleep(CHECK_S)
