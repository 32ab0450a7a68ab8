"""Between the outbox and the forwarders of readings: what may still be heard by another gateway waits a moment.

Whole committed batches wait, in order, so that nothing overtakes within a forwarder; alarms go out at once. What waits
is on disk, and unknown to the forwarders' cursors: a backlog that is read ends before it.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Final

from torhaus.daemon.clock import Clock
from torhaus.daemon.lora.merge import Merging
from torhaus.daemon.lora.network import Device
from torhaus.daemon.outbox.commit import guarded
from torhaus.daemon.outbox.record import Stored
from torhaus.daemon.outbox.store import MAIN, Feed, Outbox

if TYPE_CHECKING:
    from torhaus.daemon.watch import Watch

MAX_HELD: Final = 8192
"""Records that wait at a time; beyond it the oldest do not."""
WRITE_NS: Final = 10**9
"""So long after its time a batch waits for receptions that are being written: a disk in trouble holds up nothing."""
STEP_S: Final = 0.005

Overtake = Callable[[Stored], None]


class Hold:
    """Passes on what the outbox feeds: at once as long as one gateway is heard, else when the window is over."""

    def __init__(self, outbox: Outbox, clock: Clock, merging: Merging | None, are_several: Callable[[], bool]) -> None:
        """`merging` puts receptions together; None: nothing waits. `are_several`: gateways that may hear the same."""
        self._outbox = outbox
        self._clock = clock
        self.merging = merging
        self._are_several = are_several
        self._loop = asyncio.get_running_loop()
        self._feeds: list[Feed] = []
        self._overtakes: list[Overtake] = []
        self._held: deque[tuple[int, list[Stored]]] = deque()  # boot time at which it is due
        self._count = 0
        self._tail = 0  # what has come, and
        self._passed = 0  # what was passed on: everything below
        self._came = asyncio.Event()
        if merging is not None:
            outbox.subscribe(MAIN, self._feed)

    @classmethod
    def build(cls, outbox: Outbox, clock: Clock, window_s: float, devices: Iterable[Device], watch: "Watch") -> "Hold":
        """With what puts receptions together behind it, unless it is not wanted, or there is no LoRaWAN."""
        is_wanted = window_s > 0 and any(d.dev_eui is not None or d.session is not None for d in devices)
        merging = Merging(outbox, clock, window_s, watch) if is_wanted else None
        return cls(outbox, clock, merging, watch.gateways.are_several)

    def parts(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """What is to be run, by name."""
        return {"merge window": self.run} if self.merging is not None else {}

    def subscribe(self, feed: Feed, overtake: Overtake) -> None:
        """Have `feed` called as an outbox would, later; and `overtake` at once with alarms that are to be fed later."""
        if self.merging is None:
            self._outbox.subscribe(MAIN, feed)
            return
        self._feeds.append(feed)
        self._overtakes.append(overtake)

    async def run(self) -> None:
        """Pass on what is due. Never returns."""
        while True:
            if not self._held:
                self._came.clear()
                await self._came.wait()
                continue
            left_s = (self._held[0][0] - self._clock.boot_ns()) / 1e9
            await self._clock.sleep(left_s if left_s > 0 else STEP_S)
            self._pass_due()

    def release(self) -> None:
        """Pass on everything now: the daemon stops."""
        while self._held:
            self._pass_first()

    def _feed(self, batch: list[Stored]) -> None:
        if batch[0].pos < self._tail:
            self._answered(batch)
            return
        self._tail = batch[-1].pos + 1
        if self._held:
            self._pass_due()
        due_ns = self._due_ns(batch)
        if due_ns <= self._clock.boot_ns() and not self._held:
            self._pass(batch)
            return
        self._held.append((due_ns, batch))
        self._count += len(batch)
        self._came.set()
        for stored in batch:
            if stored.record.alarm:
                self._overtake(stored)
        while self._count > MAX_HELD:
            self._pass_first()

    def _due_ns(self, batch: list[Stored]) -> int:
        """When it need not wait any longer; 0 for what no other gateway can hear."""
        if self.merging is None or not self._are_several():
            return 0
        heard = [s.at.boot_ns for s in batch if s.record.lora is not None]
        return max(heard) + self.merging.window_ns if heard else 0

    def _answered(self, batch: list[Stored]) -> None:
        """Scripts have answered. What still waits is fed with the answer in it."""
        passed = [s for s in batch if s.pos < self._passed]
        if len(passed) < len(batch):
            for stored in batch:
                if stored.pos >= self._passed and stored.record.alarm:
                    self._overtake(stored)
        if passed:
            self._pass(passed)

    def _pass_due(self) -> None:
        now = self._clock.boot_ns()
        while self._held:
            due_ns, batch = self._held[0]
            if now < due_ns or (now < due_ns + WRITE_NS and self._is_writing(batch)):
                return
            self._pass_first()

    def _is_writing(self, batch: list[Stored]) -> bool:
        return self.merging is not None and self.merging.is_writing(batch[0].pos, batch[-1].pos + 1)

    def _pass_first(self) -> None:
        _, batch = self._held.popleft()
        self._count -= len(batch)
        self._pass(batch)

    def _pass(self, batch: list[Stored]) -> None:
        self._passed = max(self._passed, batch[-1].pos + 1)
        for feed in self._feeds:
            guarded(self._loop, feed, batch)

    def _overtake(self, stored: Stored) -> None:
        for overtake in self._overtakes:
            guarded(self._loop, overtake, stored)
