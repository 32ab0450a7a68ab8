"""How many bytes a second go to a target: a bucket that all its transfers draw from."""

import asyncio
from typing import Final

from torhaus.daemon.clock import Clock

BURST_S: Final = 1.0
"""What was not used may be made up for so long: a pause does not become a flood."""
LEAST_BYTES: Final = 1024


class Throttle:
    """`take` returns when so many bytes may go. Without a limit it returns at once."""

    def __init__(self, max_bytes_per_s: int | None, clock: Clock) -> None:
        self._limit = max_bytes_per_s
        self._clock = clock
        self._next_ns = 0
        self._turn = asyncio.Lock()

    def piece(self, most_bytes: int) -> int:
        """How many bytes to send at a time, so that the line is never silent for long."""
        return most_bytes if self._limit is None else min(most_bytes, max(LEAST_BYTES, self._limit // 4))

    def seconds(self, size_bytes: int) -> float:
        """What the limit alone makes of a transfer."""
        return 0.0 if self._limit is None else size_bytes / self._limit

    async def take(self, size_bytes: int) -> None:
        """Wait until these bytes may go; who asks first is served first."""
        if self._limit is None:
            return
        async with self._turn:
            now = self._clock.boot_ns()
            due = max(self._next_ns, now - int(BURST_S * 1e9))
            self._next_ns = due + int(size_bytes / self._limit * 1e9)
            if due > now:
                await self._clock.sleep((due - now) / 1e9)
