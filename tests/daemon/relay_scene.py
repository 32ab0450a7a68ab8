"""What the scenes of relay forwarders have in common: a clock that is moved, a forwarder that is watched."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from tests.daemon.clocks import FakeClock
from torhaus.daemon.forward.base import Forwarder, Item
from torhaus.daemon.forward.message import Message
from torhaus.daemon.forward.render import rfc3339


class RelayScene:
    """Made whole by those who have a server."""

    forwarder: Forwarder

    def __init__(self, clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock()

    def at(self, age_s: float) -> str:
        """So long ago."""
        return rfc3339(self.clock.wall_ns() - int(age_s * 1e9))

    def event(self, age_s: float, values: dict[str, Any]) -> Item:
        """A gateway's report."""
        return Item(Message("rathaus/0/2", "event", "rathaus", self.at(age_s), "synced", age_s > 0, event=values))

    async def until(self, condition: Callable[[], object], step_s: float = 0) -> None:
        """Let things happen on the loopback, and time pass."""
        while not condition():
            await asyncio.sleep(0.001)
            self.clock.advance(step_s)

    async def watching(self, body: Callable[[], Awaitable[None]]) -> None:
        """With `gone` running beside it, as under the runner."""
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.forwarder.gone())
            await asyncio.sleep(0)
            try:
                await body()
            finally:
                task.cancel()
