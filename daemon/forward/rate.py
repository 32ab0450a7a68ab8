"""How fast the backlog may go: a bucket that fills with time."""

from torhaus.daemon.clock import Clock

BURST_S = 0.1
"""The bucket holds so much of a second's worth, and at least one record."""
SHORTEST_S = 0.01


class Rate:
    """So many records a second on average; 0 means as many as there are."""

    def __init__(self, per_s: float, clock: Clock) -> None:
        self._per_s = per_s
        self._clock = clock
        self._has = 0.0
        self._filled_ns = clock.boot_ns()

    async def allow(self, most: int) -> int:
        """How many may go now, at most `most`: waits until it is at least one."""
        rate = self._per_s
        if not rate:
            return most
        while True:
            now = self._clock.boot_ns()
            self._has = min(max(rate * BURST_S, 1), self._has + (now - self._filled_ns) / 1e9 * rate)
            self._filled_ns = now
            if self._has >= 1:
                return min(most, int(self._has))
            await self._clock.sleep(max(SHORTEST_S, (1 - self._has) / rate))

    def spend(self, records: int) -> None:
        """So many are going."""
        self._has -= records
