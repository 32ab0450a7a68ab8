"""Keeping things running: full-jitter back-off in one place, and a component that ends is started again."""

import asyncio
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
        bound = min(self._longest_s, self._first_s * 2.0 ** min(self.tries, 30))
        self.tries += 1
        return bound * self._rand()

    def reset(self) -> None:
        """It worked."""
        self.tries = 0


class Told:
    """Whom `keep_running` tells. `gone` is an expected end, `defect` is not."""

    def gone(self, name: str, detail: str) -> None:
        """The device or far side is gone for now."""

    def defect(self, name: str, error: BaseException) -> None:
        """Something that must not happen happened; the component is started again, the others go on."""


async def keep_running(
    name: str, run: Callable[[], Awaitable[None]], clock: Clock, told: Told, backoff: Backoff | None = None
) -> None:
    """Run a component for ever: again after a pause whenever it ends. Only cancelling ends this."""
    pause = backoff or Backoff()
    while True:
        began = clock.boot_ns()
        try:
            await run()
            told.gone(name, "ended")
        except DriverGone as e:
            told.gone(name, str(e) or "gone")
        except asyncio.CancelledError as e:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            told.defect(name, e)  # something inside was cancelled, not we: ending here would end it for good, unseen
        except Exception as e:  # noqa: BLE001 - one component's defect must not end the others; it is logged and counted
            told.defect(name, e)
        if clock.boot_ns() - began > STABLE_S * 1e9:
            pause.reset()
        await clock.sleep(pause.next_s())
