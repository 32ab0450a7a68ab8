"""Keeping things running: full-jitter back-off in one place, and a component that ends is started again."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, TypeVar

from torhaus.daemon.clock import Clock
from torhaus.drivers.base import DriverGone
from torhaus.drivers.said import Said

E = TypeVar("E", bound=Exception)
T = TypeVar("T")

FIRST_S: Final = 0.5
LONGEST_S: Final = 60.0
STABLE_S: Final = 30.0
"""A run that lasted so long counts as a success: the next pause is short again."""

AGAIN_S: Final = 1.0
"""What has not ended by then, and was told to, is told again."""


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


async def end(*tasks: asyncio.Task[None]) -> None:
    """Cancel tasks until they have ended, and leave what they raise meanwhile unsaid.

    Once is not enough: a TaskGroup in which something fails at the very moment at which it is cancelled tells only of
    the failure (before Python 3.13), and who takes that for something to go on after has missed it.
    """
    waiting: set[asyncio.Task[None]] = {t for t in tasks if not t.done()}
    while waiting:
        for task in waiting:
            task.cancel()
        _, waiting = await asyncio.wait(waiting, timeout=AGAIN_S)
    for task in tasks:
        if not task.cancelled():
            task.exception()


async def together(work: dict[str, Callable[[], Awaitable[None]]], expected: type[E]) -> E:
    """Run parts, by name, until one of them raises what is `expected`, which is returned; then all have ended.

    Another exception of a part is raised, in an ExceptionGroup, when all have ended.
    """
    first: asyncio.Future[E] = asyncio.get_running_loop().create_future()

    async def part(run: Callable[[], Awaitable[None]]) -> None:
        try:
            await run()
        except expected as e:
            if not first.done():
                first.set_result(e)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(part(run), name=name) for name, run in work.items()]
        try:
            found = await first
        finally:
            await end(*tasks)
    return found


async def whole(begin: Coroutine[Any, Any, T], undo: Callable[[T], Awaitable[None]]) -> T:
    """Begin something that must not be left half begun: who is cancelled meanwhile waits for it, and undoes it."""
    beginning = asyncio.create_task(begin)
    try:
        return await asyncio.shield(beginning)
    except asyncio.CancelledError:
        await asyncio.wait([beginning])
        if not beginning.cancelled() and beginning.exception() is None:
            await undo(beginning.result())
        raise


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
        task = asyncio.create_task(_awaited(run), name=name)  # of its own: what cancels it is not what cancels us
        try:
            await asyncio.wait([task])
        finally:
            await end(task)
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is None:
            told.gone(name, Said("ended"))
        elif isinstance(error, DriverGone):
            told.gone(name, error.detail or "gone")
        elif isinstance(error, Exception | asyncio.CancelledError):
            told.defect(name, error)  # one component's defect must not end the others; it is logged and counted
        else:
            raise error
        if clock.boot_ns() - began > STABLE_S * 1e9:
            pause.reset()
        await clock.sleep(pause.next_s())


async def _awaited(run: Callable[[], Awaitable[None]]) -> None:
    await run()
