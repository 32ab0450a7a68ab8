"""Blocking calls of device libraries, kept off the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Worker:
    """One thread of one link that makes its blocking calls, one after the other.

    A call whose caller was cancelled still runs to its end, and what follows waits its turn: so a port that was about
    to be opened is closed. A thread of its own, because a device that hangs must not hold up the other links.
    """

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `function` returns or raises."""
        return await asyncio.shield(asyncio.wrap_future(self._pool.submit(function, *args, **kwargs)))

    def leave(self, last: Callable[[], None]) -> Future[None]:
        """Do `last` after everything else, then end the thread. `last` must not raise."""
        future = self._pool.submit(last)
        self._pool.shutdown(wait=False)
        return future
