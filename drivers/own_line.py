"""A line that a driver listens to for as long as it runs, until somebody else wants it to himself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from torhaus.drivers.link import Link


class OwnLine:
    """Of a driver with one link. It holds `_line` while its link is open, and keeps that as `_link`."""

    def __init__(self) -> None:
        self._line = asyncio.Lock()
        self._link: Link | None = None

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Have the line to oneself: the link is closed, which is a loss, and not opened again meanwhile."""
        if self._link is not None:
            await self._link.close()
        async with self._line:
            yield
