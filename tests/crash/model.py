"""What the model test works with: far sides that remember, and an outbox with its runners that can be crashed."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from tests.daemon.clocks import FakeClock
from tests.daemon.forward_fakes import FarSide
from tests.daemon.outbox_fakes import Box, copy_of
from torhaus.daemon.config.load import Loaded
from torhaus.daemon.config.model import ForwarderCommon
from torhaus.daemon.forward.base import Item, Outcome, Unavailable
from torhaus.daemon.forward.build import build_forwarders
from torhaus.daemon.forward.message import Message
from torhaus.daemon.forward.runner import Runner
from torhaus.daemon.outbox.record import Stored
from torhaus.daemon.outbox.store import MAIN, Limits

SEGMENT_BYTES = 30_000
MANNERS = ("take", "reject", "keep", "lose", "hang", "away")


class Remembering(FarSide):
    """A far side with manners that change; it outlives the daemon. `arrived` has what it took, told or not."""

    def __init__(self) -> None:
        super().__init__(self.answer)
        self.manner = "take"

    def change(self, manner: str) -> None:
        self.manner = manner
        self.hanging = manner == "hang"
        self.refuse_open = manner == "away"
        if manner == "away":
            self.hung_up.set()

    def answer(self, batch: list[Item]) -> Outcome:
        numbers = [number_of(item.message) for item in batch]
        bad = {i: "no" for i, n in enumerate(numbers) if n % 3 == 0}
        if self.manner == "lose":
            self.arrived += [item.message for item in batch]
            raise Unavailable("lost before it was answered")
        if self.manner == "reject":
            return Outcome([i for i in range(len(batch)) if i not in bad], rejected=bad)
        if self.manner == "keep":
            return Outcome([i for i in range(len(batch)) if i not in bad], kept=bad)
        return Outcome(list(range(len(batch))))


def number_of(message: Message) -> int:
    assert message.device is not None
    return int(message.device[1:])


class World:
    """One box on disk through all its lives."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.lives = 0
        self.clock = FakeClock()
        self.far_sides = {"a": Remembering(), "b": Remembering()}
        self.enabled: dict[str, bool] = {"a": True}
        """The configuration: which forwarders there are, and whether they run."""
        self.fed: Callable[[list[Stored]], None] = lambda _: None
        self.damaged: dict[str, int] = {"a": 0, "b": 0}  # counted in lives that are over
        self.set_aside = 0
        self.runners: dict[str, Runner] = {}
        self.tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        limits = Limits(max_bytes=1 << 24, max_age_s=86_400, commit_window_s=0)
        self.box = Box(self.root / str(self.lives), limits, self.clock)
        await self.box.open()
        self.set_aside += len(self.box.set_aside)
        self.box.logs[MAIN].segment_bytes = SEGMENT_BYTES
        self.box.subscribe(MAIN, self.fed)
        forwarders = [
            (
                SimpleNamespace(open_forwarder=lambda _, __, name=name: self.far_sides[name]),
                ForwarderCommon(name=name, type="fake", enabled=enabled, backfill_per_s=1e6),
                None,
            )
            for name, enabled in self.enabled.items()
        ]
        loaded = SimpleNamespace(site=SimpleNamespace(id=self.box.site), devices=[], forwarders=forwarders, tagged=dict)
        built = await build_forwarders(cast("Loaded", loaded), self.box, self.clock)
        self.runners = {name: runner for name, (_, runner) in built.runners.items()}
        runs = [runner.run() for runner in self.runners.values()]
        self.tasks = [asyncio.create_task(run) for run in (*runs, self.box.run())]

    async def stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.wait(self.tasks)
        for name, runner in self.runners.items():
            self.damaged[name] += runner.tally.damaged

    async def reopen(self) -> None:
        """As systemd would."""
        await self.stop()
        await self.box.close()
        await self.open()

    async def crash(self, spoil: Callable[[Path], None] = lambda _: None) -> None:
        """Go on with a copy of the files as they are, nothing saved or closed."""
        await self.box.settled()  # a copy of files that change meanwhile is not what a crash leaves
        self.lives += 1
        target = copy_of(self.root / str(self.lives - 1), self.root / str(self.lives))
        await self.stop()
        await self.box.close()
        spoil(target)
        await self.open()

    async def turn(self, seconds: float, steps: int = 5) -> None:
        """Let time pass and everything work."""
        for _ in range(steps):
            self.clock.advance(seconds / steps)
            for _ in range(15):
                await asyncio.sleep(0)
            await self.box.settled()
            if any(log.waiting for log in self.box.logs.values()):
                await self.box.mender.mend()
            broken = [t.exception() for t in self.tasks if t.done()]
            assert not broken, broken

    def done(self) -> bool:
        """Whether every forwarder that runs has dealt with everything."""
        head = self.box.logs[MAIN].head
        return not any(r.cursor.backlog(head) or r.books.aside for r in self.runners.values())

    async def counted(self, name: str) -> int:
        """Records that this forwarder is told not to have got."""
        dropped: dict[tuple[str, str], int] = await self.box.on_state(lambda s: s.dropped())
        runner = self.runners.get(name)
        now = runner.tally.damaged if runner is not None else 0
        return sum(n for (who, _), n in dropped.items() if who == name) + self.damaged[name] + now
