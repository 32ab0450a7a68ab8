"""The next batch of the backlog is read while the last one is being sent: one more in memory, and no line idle."""

import asyncio
from collections.abc import Awaitable, Callable

from torhaus.daemon.outbox.record import Stored


class Ahead:
    """Calls `read` again and again; what it gave and nobody took is given back with `release`."""

    def __init__(self, read: Callable[[], Awaitable[list[Stored]]], release: Callable[[list[Stored]], None]) -> None:
        self._read = read
        self._release = release
        self._next: asyncio.Queue[list[Stored]] = asyncio.Queue(1)

    async def run(self) -> None:
        """Never returns."""
        while True:
            batch = await self._read()
            if not batch:
                continue
            try:
                await self._next.put(batch)
            except BaseException:
                self._release(batch)
                raise

    async def take(self) -> list[Stored]:
        """The next batch, when there is one."""
        return await self._next.get()

    def give_back(self) -> None:
        """Nobody will take what is there."""
        while not self._next.empty():
            self._release(self._next.get_nowait())
