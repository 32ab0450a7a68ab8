"""Devices that must be asked: whose turn it is, one talk at a time on a bus, and less often those that do not answer.

`Schedule` is pure. `Bus` opens the link for a round of talks, and lets go of it between rounds.
"""

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Annotated, Final

import msgspec

from torhaus.drivers.base import DeviceChanged, DriverGone, Host, LinkChanged
from torhaus.drivers.link import Link, LinkSpec, open_link
from torhaus.drivers.said import Telling

PATIENCE: Final = 3
"""Talks in a row that may fail before a device is asked less often."""
MAX_STRETCH: Final = 16
"""Times its interval at which a device that does not answer is asked at least …"""
MAX_PAUSE_S: Final = 3600.0
"""… but no more than so long apart, unless its interval is longer."""
LINGER_S: Final = 10.0
"""The link is held for talks that are due so soon; many gateways hang up on a connection that is idle for longer."""

_S: Final = 1_000_000_000

Interval = Annotated[
    float, msgspec.Meta(ge=1, le=604_800, description="seconds from 1 to 604800 (a week) between two readings")
]
Jitter = Annotated[float, msgspec.Meta(ge=0, le=3600, description="seconds from 0 to 3600")]


class NoAnswer(Telling):
    """A device did not answer, or not usably: `str()` says how, in one line."""


class Rhythm(msgspec.Struct, frozen=True):
    """How often devices are asked.

    `align`: at whole multiples of the interval by the wall clock, as at each full quarter of an hour. `jitter_s`: up to
    so much later, by chance, anew each time: for many boxes that ask one far side.
    """

    interval_s: float
    align: bool = True
    jitter_s: float = 0.0


class Schedule:
    """Who is asked next. Times are nanoseconds since boot, the wall clock is only looked at to align.

    A step of the clock moves each device's next talk but one. A talk that came too late is not made up for.
    """

    def __init__(
        self, names: Iterable[str], rhythm: Rhythm, boot_ns: int, rand: Callable[[], float] = random.random
    ) -> None:
        self.rhythm = rhythm
        self._rand = rand
        self._due = dict.fromkeys(names, boot_ns)  # everybody at once when it starts: a technician waits for it
        self._failed = dict.fromkeys(self._due, 0)
        self._up: dict[str, bool | None] = dict.fromkeys(self._due)

    def next(self) -> tuple[str, int]:
        """The device whose turn is first, and when. Who has waited longest comes first: so all get a turn."""
        name = min(self._due, key=self._due.__getitem__)
        return name, self._due[name]

    def answered(self, name: str, boot_ns: int, wall_ns: int) -> bool:
        """A talk went well; whether that is news."""
        self._failed[name] = 0
        self._due[name] = self._after(boot_ns, wall_ns, 1)
        return self._turned(name, up=True)

    def failed(self, name: str, boot_ns: int, wall_ns: int) -> bool:
        """A talk failed; whether that is news."""
        self._failed[name] += 1
        beyond = min(max(self._failed[name] - PATIENCE + 1, 0), 10)
        bound = max(1, int(MAX_PAUSE_S / self.rhythm.interval_s))
        self._due[name] = self._after(boot_ns, wall_ns, min(2**beyond, MAX_STRETCH, bound))
        return self._turned(name, up=False)

    def lost(self, name: str, boot_ns: int) -> None:
        """The link was lost, which is not its fault: it is asked as soon as there is one, after all who wait longer."""
        self._due[name] = max(self._due[name], boot_ns)

    def is_up(self, name: str) -> bool | None:
        """Whether it answered the last time; None: not asked yet."""
        return self._up[name]

    def _turned(self, name: str, *, up: bool) -> bool:
        was, self._up[name] = self._up[name], up
        return was is not up

    def _after(self, boot_ns: int, wall_ns: int, times: int) -> int:
        interval_ns = int(self.rhythm.interval_s * _S)
        wait_ns = interval_ns * times
        if self.rhythm.align:
            wait_ns -= wall_ns % interval_ns
        return boot_ns + wait_ns + int(self._rand() * self.rhythm.jitter_s * _S)


Talk = Callable[[Link, str], Awaitable[None]]
"""Asks one device over the open link and delivers what it said. Raises NoAnswer; DriverGone when the link is lost."""


class Bus:
    """One link and the devices behind it. Never two talks at once: each has the bus for itself until it has ended."""

    def __init__(self, spec: LinkSpec, names: Iterable[str], rhythm: Rhythm, linger_s: float = LINGER_S) -> None:
        self.spec = spec
        self._names = tuple(names)
        self._rhythm = rhythm
        self._linger_ns = int(linger_s * _S)
        self._schedule: Schedule | None = None
        self._turn = asyncio.Lock()
        self._link: Link | None = None
        self._up: bool | None = None

    async def run(self, host: Host, talk: Talk) -> None:
        """Ask everybody in turn until cancelled. Raises DriverGone when the link is lost or cannot be opened."""
        if self._schedule is None:  # outlives a lost link: who was dead before is not the first to be asked again
            self._schedule = Schedule(self._names, self._rhythm, host.boot_ns())
        try:
            while True:
                await self._wait(host, self._schedule)
                async with self._turn:
                    name, due_ns = self._schedule.next()
                    if due_ns <= host.boot_ns():  # the bus may have been somebody else's meanwhile
                        await self._ask(host, self._schedule, name, talk)
        except DriverGone as gone:
            self._up = False
            host.event(LinkChanged(up=False, detail=gone.detail))
            raise
        finally:
            await self._let_go()

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Have the bus to oneself: a talk under way is waited for, the link is closed, nobody is asked meanwhile."""
        async with self._turn:
            await self._let_go()
            yield

    async def _wait(self, host: Host, schedule: Schedule) -> None:
        _, due_ns = schedule.next()
        wait_ns = due_ns - host.boot_ns()
        if wait_ns > self._linger_ns and self._link is not None:
            async with self._turn:
                await self._let_go()
        if wait_ns > 0:
            await host.sleep(wait_ns / _S)

    async def _ask(self, host: Host, schedule: Schedule, name: str, talk: Talk) -> None:
        was_open = self._link is not None
        try:
            try:
                await talk(await self._opened(host), name)
            except DriverGone:
                if not was_open:
                    raise
                await self._let_go()  # the far side had hung up since the last talk, which is its right: once more
                await talk(await self._opened(host), name)
        except DriverGone:
            schedule.lost(name, host.boot_ns())
            raise
        except NoAnswer as error:
            stamp = host.stamp()
            if schedule.failed(name, stamp.boot_ns, stamp.wall_ns):
                host.event(DeviceChanged(name, up=False, detail=error.detail))
        else:
            stamp = host.stamp()
            if schedule.answered(name, stamp.boot_ns, stamp.wall_ns):
                host.event(DeviceChanged(name, up=True))

    async def _opened(self, host: Host) -> Link:
        if self._link is None:
            self._link = await open_link(self.spec)
            if not self._up:
                self._up = True
                host.event(LinkChanged(up=True))
        return self._link

    async def _let_go(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            await link.close()


class Asking(ABC):
    """A driver of devices that must be asked: it has a `bus`, and knows how to talk to one of them."""

    bus: Bus

    @property
    def spec(self) -> LinkSpec:
        """Where the bus is."""
        return self.bus.spec

    def taken(self) -> AbstractAsyncContextManager[None]:
        """Have the bus to oneself."""
        return self.bus.taken()

    async def run(self, host: Host) -> None:
        """Ask in turn until cancelled. Raises DriverGone when the link is lost or cannot be opened."""
        await self.bus.run(host, partial(self._talk, host))

    @abstractmethod
    async def _talk(self, host: Host, link: Link, name: str) -> None:
        """Ask one device over the open link, and deliver what it said (`Talk`)."""
