"""A bound on what a driver has handed over and is not on disk yet: reading stops until there is room again."""

import asyncio

from torhaus.drivers.base import Done


class Window:
    """How much may be handed over before what was handed over is on disk."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._outstanding = 0
        self._settled = asyncio.Event()

    def taken(self, n: int, then: Done | None = None) -> Done:
        """Count `n` as handed over until the returned function is called, which goes on to `then`."""
        self._outstanding += n

        def done(stored: bool) -> None:
            self._outstanding -= n
            self._settled.set()
            if then is not None:
                then(stored)

        return done

    async def room(self) -> None:
        """Wait until fewer than the limit are outstanding."""
        while self._outstanding >= self._limit:
            self._settled.clear()
            await self._settled.wait()
