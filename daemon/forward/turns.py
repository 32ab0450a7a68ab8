"""Who may send next: so many at once, the most urgent of those that wait first."""

import asyncio
import contextlib
import heapq
from collections.abc import AsyncIterator
from itertools import count
from typing import Final

ALARM: Final = 0
LIVE: Final = 1
BACKLOG: Final = 2
"""Urgencies: a lower number goes first."""


class Turns:
    """`count` turns at a time; where that is more than one, an alarm has one more, so that it waits for nobody."""

    def __init__(self, count_: int) -> None:
        self._free = max(1, count_)
        self._spare = count_ > 1
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._numbers = count()

    @contextlib.asynccontextmanager
    async def turn(self, urgency: int) -> AsyncIterator[None]:
        """Wait for a turn and have it."""
        if urgency == ALARM and self._spare and not self._free:
            self._spare = False
            try:
                yield
            finally:
                self._spare = True
            return
        await self._wait(urgency)
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, urgency: int) -> None:
        if self._free:
            self._free -= 1
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (urgency, next(self._numbers), mine))
        try:
            await mine
        except asyncio.CancelledError:
            if not mine.cancelled():  # the turn was given in the same moment
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        while self._waiting:
            _, _, who = heapq.heappop(self._waiting)
            if not who.done():
                who.set_result(None)
                return
        self._free += 1
