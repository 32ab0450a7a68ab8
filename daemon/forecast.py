"""When a log will be full at the present rate. Pure but for the clock it is given.

What counts is what waits for somebody: a log whose records are all delivered gives its space back, however much comes
in. So the figure that grows is the bytes from the first record that is not settled to the end.
"""

from typing import Final

from torhaus.daemon.clock import Clock
from torhaus.daemon.forward.pace import Pace

LATELY_S: Final = 900.0
LONG_S: Final = 3600.0
LEAST_S: Final = 300.0
"""So long the log is watched before anything is foretold: what comes in at a start says little about the day."""
STEP_S: Final = 30.0
SOON_S: Final = 86_400.0
"""A log that will be full within a day is a problem: after the weekend it would be too late."""


SPARE_BYTES: Final = 256 << 20
"""Less room than this on the disk is a problem, whatever fills it: at 8 MiB nothing is taken in any more."""


class Forecast:
    """The forecast of one log."""

    def __init__(self, clock: Clock) -> None:
        self._pace = Pace(clock, LONG_S, STEP_S)
        self._room_bytes = 0.0

    def look(self, waiting_bytes: float, limit_bytes: int, free_bytes: int) -> None:
        """Note what waits now, what the log may have, and what the file system has left."""
        self._room_bytes = max(0.0, min(limit_bytes - waiting_bytes, free_bytes))
        self._pace.look(waiting_bytes)

    def full_in_s(self) -> float | None:
        """Seconds until records are dropped or refused; None while the log is not growing, or not long enough seen.

        It is the limit or the free space, whichever is nearer, at the rate of the last quarter of an hour or of the
        last hour, whichever is faster.
        """
        lately = self._pace.per_s(LATELY_S, LEAST_S)
        if lately is None or lately <= 0:
            return None
        return self._room_bytes / max(lately, self._pace.per_s(LONG_S, LEAST_S) or 0.0)
