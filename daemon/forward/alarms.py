"""Alarms that lie in the log: looked for at the start, and again in what comes back to it when it was salvaged."""

import sqlite3
from collections.abc import Callable
from typing import Final

from torhaus.daemon.clock import Clock
from torhaus.daemon.forward.cursor import Cursor
from torhaus.daemon.forward.settle import Tally
from torhaus.daemon.outbox.store import Outbox

LOOK_S: Final = 1.0


class AlarmSearch:
    """For one forwarder; what it has looked at is not looked at again when the far side comes back."""

    def __init__(
        self, outbox: Outbox, log: str, cursor: Cursor, tally: Tally, clock: Clock, found: Callable[[], None]
    ) -> None:
        self._outbox = outbox
        self._log = log
        self._cursor = cursor
        self._tally = tally
        self._clock = clock
        self._found = found
        self._todo: list[int] | None = None  # first positions of segments
        self._back = 0  # how many that came back have been seen

    async def run(self) -> None:
        """Note them, a segment at a time, between which others may read. Never returns."""
        back = self._outbox.mender.back[self._log]
        if self._todo is None:
            self._todo, self._back = list(self._outbox.logs[self._log].segments), len(back)
        while True:
            self._todo += back[self._back :]
            self._back = len(back)
            if self._todo and await self._look(self._todo[0]):
                del self._todo[0]
            else:
                await self._clock.sleep(LOOK_S)

    async def _look(self, first: int) -> bool:
        """False when it cannot be read just now."""
        try:
            found = await self._outbox.alarms(self._log, first)
        except sqlite3.Error as e:
            self._tally.detail = f"log: {e}"
            return False
        for pos in found:
            self._cursor.note_alarm(pos)
        if found:
            self._found()
        return True
