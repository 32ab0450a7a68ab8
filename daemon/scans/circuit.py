"""Whether a target may be asked just now: down for a while after it failed, then one try, then all again.

Pure but for the clock and the dice that it is given.
"""

import random
from typing import Final

from torhaus.daemon.clock import Clock

BASE_S: Final = 2.0
CAP_S: Final = 600.0
"""Back-off: a random time between 0 and min(CAP_S, BASE_S · 2ⁿ) (full jitter)."""
MAX_AFTER_S: Final = 3600.0
"""A target that asks to be left alone, or not to be asked for a document, for longer is asked again after this."""


def backoff_s(tries: int, rng: random.Random) -> float:
    """Seconds until attempt `tries` + 1."""
    return rng.uniform(0, min(CAP_S, BASE_S * 2 ** min(tries, 32)))


class Circuit:
    """`since_ns` and `retry_ns` (boot time) say since when the target is down and when it is tried again."""

    def __init__(self, clock: Clock, rng: random.Random) -> None:
        self._clock = clock
        self._rng = rng
        self._tries = 0
        self.since_ns = 0
        self.retry_ns = 0

    @property
    def is_up(self) -> bool:
        """Whether its last word was not that it takes nothing."""
        return self._tries == 0

    def allows(self, under_way: int) -> bool:
        """Whether one more document may be tried: while the target is down only one at a time, and only when due."""
        return self.is_up or (under_way == 0 and self._clock.boot_ns() >= self.retry_ns)

    def failed(self, after_s: float) -> bool:
        """It takes nothing for now; it asked for this pause. Whether that is new."""
        now = self._clock.boot_ns()
        is_new = self.is_up
        if is_new:
            self.since_ns = now
        elif now < self.retry_ns:  # others were under way when it went down: their failures are the same one
            self.retry_ns = max(self.retry_ns, now + int(min(after_s, MAX_AFTER_S) * 1e9))
            return False
        wait_s = max(backoff_s(self._tries, self._rng), min(after_s, MAX_AFTER_S))
        self._tries += 1
        self.retry_ns = now + int(wait_s * 1e9)
        return is_new

    def worked(self) -> bool:
        """It answered. Whether that is new."""
        was_down = not self.is_up
        self._tries = 0
        return was_down
