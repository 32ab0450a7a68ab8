"""A far side with bad manners, and an outbox with a runner on it, for the tests of forwarders."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.daemon.clocks import FakeClock
from torhaus.codecs.model import Value
from torhaus.daemon.forward.base import Item, Options, Outcome, Unavailable
from torhaus.daemon.forward.cursor import Cursor
from torhaus.daemon.forward.hold import Hold
from torhaus.daemon.forward.message import Message
from torhaus.daemon.forward.runner import Runner
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.record import Record, Stored
from torhaus.daemon.outbox.state import DeadLetter
from torhaus.daemon.outbox.store import MAIN, Limits, Outbox, Reporter

Script = Callable[[list[Item]], Outcome]


def take_all(batch: list[Item]) -> Outcome:
    return Outcome(list(range(len(batch))))


class FarSide:
    """A forwarder that does what `script` says with each batch. `arrived` is what the far side has, in order."""

    concurrency = 2
    note: str | None = None

    def __init__(self, script: Script = take_all, max_batch: int = 8) -> None:
        self.script = script
        self.max_batch = max_batch
        self.refuse_open = False
        self.hung_up = asyncio.Event()
        self.hanging = False
        self.opened = 0
        self.is_open = False
        self.calls: list[list[Item]] = []
        self.arrived: list[Message] = []

    async def open(self) -> None:
        if self.refuse_open:
            raise Unavailable("nobody there")
        self.opened += 1
        self.is_open = True
        self.hung_up = asyncio.Event()  # of the loop that runs now

    async def send(self, batch: list[Item]) -> Outcome:
        assert self.is_open
        assert 1 <= len(batch) <= self.max_batch
        self.calls.append(batch)
        if self.hanging:
            await asyncio.Event().wait()
        await asyncio.sleep(0)
        outcome = self.script(batch)
        self.arrived += [batch[i].message for i in sorted(outcome.accepted)]
        return outcome

    async def gone(self) -> None:
        await self.hung_up.wait()
        self.hung_up.clear()
        raise Unavailable("hung up")

    async def close(self) -> None:
        self.is_open = False

    @property
    def seqs(self) -> list[int]:
        return [seq_of(m) for m in self.arrived]


def seq_of(message: Message) -> int:
    return int(message.id.rpartition("/")[2])


class Site:
    """An outbox on disk and what runs on it."""

    def __init__(self, path: Path, clock: FakeClock | None = None, limits: Limits | None = None) -> None:
        self.clock = clock or FakeClock()
        self.drops: Counter[tuple[str, str, str]] = Counter()  # log, forwarder, reason
        reporter = Reporter()
        reporter.dropped = self._dropped  # type: ignore[method-assign]
        self.outbox = Outbox(path, "rathaus", self.clock, limits or Limits(commit_window_s=0), reporter)
        self.tasks: list[asyncio.Task[None]] = []
        self.fed: list[Stored] = []
        self.hold: Hold | None = None

    def _dropped(self, log: str, forwarder: str, records: int, reason: str) -> None:
        self.drops[log, forwarder, reason] += records

    async def put(self, records: Iterable[Record], log: str = MAIN) -> None:
        """Commit them one by one."""
        for record in records:
            await self.put_together([record], log)
        for _ in range(5):
            await asyncio.sleep(0)

    async def put_together(self, records: Iterable[Record], log: str = MAIN) -> None:
        """Commit them at once."""
        done = asyncio.get_running_loop().create_future()
        self.outbox.put(log, [(self.clock.stamp(), record) for record in records], 100)
        self.outbox.commit(done.set_result)
        assert await done

    async def readings(self, n: int, device: str = "flur") -> None:
        await self.put(reading(i, device) for i in range(n))

    async def start(self, far_side: FarSide, *, log: str = MAIN, **options: object) -> Runner:
        """A runner as the daemon makes it."""
        values = {"name": "city", "backfill_per_s": 0} | options
        name = str(values["name"])
        settled = await self.outbox.on_state(lambda s: s.settled(name, log)) or Ranges()
        ordered = values.get("order", "live_first") != "live_first"
        cursor = Cursor(settled, self.outbox.logs[log].tail, holes=self.outbox.holes_of(log), ordered=ordered)
        given: Any = Options(**values)  # type: ignore[arg-type]
        runner = Runner(given, far_side, self.outbox, log, cursor, self.clock, self.hold)
        self.tasks.append(asyncio.create_task(runner.run()))
        return runner

    async def until(self, condition: Callable[[], bool], *, step_s: float = 0.05, limit_s: float = 10_000) -> None:
        """Let everything work, and time pass, until it is so."""
        passed = 0.0
        while not condition():
            for _ in range(30):
                await asyncio.sleep(0)
            await self.outbox.on_state(lambda _: None)  # the writer has had its turn
            assert all(not t.done() for t in self.tasks), [t for t in self.tasks if t.done()]
            assert passed < limit_s, "it never came to be so"
            self.clock.advance(step_s)
            passed += step_s

    async def rest(self, seconds: float = 1, step_s: float = 0.05) -> None:
        """Let time pass."""
        end = self.clock.boot_ns() + seconds * 1e9
        await self.until(lambda: self.clock.boot_ns() >= end, step_s=step_s)

    async def stop_runners(self) -> None:
        for task in self.tasks:
            task.cancel()
        if self.tasks:
            await asyncio.wait(self.tasks)
        self.tasks.clear()


@asynccontextmanager
async def site(path: Path, clock: FakeClock | None = None, limits: Limits | None = None) -> AsyncIterator[Site]:
    it = Site(path, clock, limits)
    await it.outbox.open()
    it.outbox.subscribe(MAIN, it.fed.extend)
    try:
        yield it
    finally:
        await it.stop_runners()
        await it.outbox.close()


def reading(n: int, device: str = "flur") -> Record:
    return Record("reading", "roof", device, None, "elsys", {"n": Value(n)}, raw=bytes((n & 0xFF,)))


def alarm(n: int, device: str = "keller") -> Record:
    record = reading(n, device)
    record.alarm = True
    return record


Body = Callable[[Site], Coroutine[Any, Any, None]]


def on_site(path: Path, body: Body) -> None:
    async def main() -> None:
        async with asyncio.timeout(60), site(path) as s:
            await body(s)

    asyncio.run(main())


async def dead_letters(s: Site) -> list[DeadLetter]:
    await s.outbox.save()
    found: list[DeadLetter] = await s.outbox.on_state(lambda state: state.dead_letters())
    return found


def number(item: Item) -> int:
    fields = item.message.fields
    assert fields is not None
    value = fields["n"].value
    assert isinstance(value, int)
    return value
