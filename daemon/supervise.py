"""Keeping things running: full-jitter back-off in one place, and tasks with names."""

import random
from collections.abc import Awaitable, Callable
from typing import Final

from torhaus.daemon.clock import Clock
from torhaus.drivers.base import DriverGone

FIRST_S: Final = 0.5
LONGEST_S: Final = 60.0
STABLE_S: Final = 30.0
"""A run that lasted so long counts as a success: the next pause is short again."""


class Backoff:
    """Pauses with full jitter: each anywhere between nothing and a bound that doubles up to `longest_s`."""

    def __init__(
        self, first_s: float = FIRST_S, longest_s: float = LONGEST_S, rand: Callable[[], float] = random.random
    ) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._rand = rand
        self.tries = 0

    def next_s(self) -> float:
        """The next pause in seconds."""
        bound = min(self._longest_s, self._first_s * 2 ** min(self.tries, 30))
        self.tries += 1
        return bound * self._rand()

    def reset(self) -> None:
        """It worked."""
        self.tries = 0


async def keep_running(
    run: Callable[[], Awaitable[None]], clock: Clock, gone: Callable[[str], None], backoff: Backoff | None = None
) -> None:
    """Run a driver for ever: again after a pause whenever its device is gone. Anything else it raises is a defect."""
    pause = backoff or Backoff()
    while True:
        began = clock.boot_ns()
        try:
            await run()
            gone("ended")
        except DriverGone as e:
            gone(str(e) or "gone")
        if clock.boot_ns() - began > STABLE_S * 1e9:
            pause.reset()
        await clock.sleep(pause.next_s())
