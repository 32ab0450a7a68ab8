"""A queue of downlinks whose disk is a dictionary; `again` is what a kill leaves."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable

import msgspec

from tests.daemon.clocks import FakeClock
from torhaus.daemon.lora.queue import DownlinkQueue
from torhaus.daemon.outbox.queued import Changes, Queued

EUI, OTHER = "a81758fffe0312ab", "a81758fffe0312ac"
KNOWN = (EUI, OTHER)


class QueueScene:
    """`works` False: nothing can be written."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.disk: dict[str, bytes] = {}
        self.boots: dict[str, int] = {}
        self.works = True
        self.writes = 0
        self.again()

    async def write(self, changes: Changes) -> None:
        await asyncio.sleep(0)
        if not self.works:
            raise sqlite3.OperationalError("disk full")
        self.writes += 1
        for id_, item in changes.items():
            if item is None:
                self.disk.pop(id_, None)
            else:
                self.disk[id_] = msgspec.json.encode(item)

    def again(self, known: tuple[str, ...] = KNOWN) -> None:
        self.queue = DownlinkQueue(self.clock, self.write, self.boots)
        self.queue.restore(self.stored(), known)

    def stored(self) -> list[Queued]:
        items = (msgspec.json.decode(data, type=Queued) for data in self.disk.values())
        return sorted(items, key=lambda q: q.number)

    async def put(self, payload: bytes = b"\1", dev_eui: str = EUI, expires_s: float = 3600, **more: object) -> Queued:
        item = await self.queue.put(dev_eui, 10, payload, expires_s=expires_s, **more)
        assert item is not None
        return item

    def now(self, item: Queued) -> Queued:
        found = self.queue.find(item.id)
        assert found is not None
        return found

    def states(self, item: Queued) -> list[str]:
        return [r.state for r in self.now(item).untold]


def play(body: Callable[[QueueScene], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(30):
            await body(QueueScene())

    asyncio.run(main())
