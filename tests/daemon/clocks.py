"""A clock that stands still until a test moves it."""

import asyncio
import heapq
from itertools import count

from torhaus.codecs.model import Stamp

WALL_NS = 1_795_000_000 * 10**9
BOOT_NS = 1_000 * 10**9


class FakeClock:
    """torhaus.daemon.clock.Clock. Who sleeps is woken by `advance`, in the order in which the sleeps end."""

    def __init__(
        self, wall_ns: int = WALL_NS, boot_ns: int = BOOT_NS, *, synced: bool = True, boot_id: str = "b" * 32
    ) -> None:
        self.boot_id = boot_id
        self.is_synced = synced
        self._wall_ns = wall_ns
        self._boot_ns = boot_ns
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = count()

    def wall_ns(self) -> int:
        return self._wall_ns

    def boot_ns(self) -> int:
        return self._boot_ns

    def synced(self) -> bool:
        return self.is_synced

    def stamp(self) -> Stamp:
        return Stamp(self._wall_ns, self._boot_ns, self.is_synced)

    async def sleep(self, seconds: float) -> None:
        """Return once the clock has passed it; a sleep of nothing only lets others go first."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._boot_ns + round(seconds * 1e9), next(self._order), future))
        await future

    @property
    def sleeping(self) -> int:
        """How many are asleep."""
        return sum(1 for _, _, future in self._sleepers if not future.done())

    def next_ns(self) -> int | None:
        """When the next sleep ends, since boot."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    def advance(self, seconds: float) -> None:
        """Let time pass: both clocks move, and whose sleep is over is woken."""
        until = self._boot_ns + round(seconds * 1e9)
        while self._sleepers and self._sleepers[0][0] <= until:
            due, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                self._move(max(due, self._boot_ns))
                future.set_result(None)
        self._move(until)

    def _move(self, boot_ns: int) -> None:
        self._wall_ns += boot_ns - self._boot_ns
        self._boot_ns = boot_ns

    async def pass_s(self, seconds: float, step_s: float = 0.1, turns: int = 20) -> None:
        """Advance in small steps and let the loop turn in between, so that who sleeps again is woken again."""
        left = seconds
        while left > 0:
            self.advance(min(step_s, left))
            left -= step_s
            for _ in range(turns):
                await asyncio.sleep(0)

    def step_wall(self, seconds: float) -> None:
        """Set the wall clock, as NTP or a person would; time since boot does not notice."""
        self._wall_ns += round(seconds * 1e9)
