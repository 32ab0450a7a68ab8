"""What the tests of the outbox are made of: records, a reporter that listens, a box on a folder, crashes."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from tests.daemon.clocks import FakeClock
from torhaus.codecs.model import Stamp, Value
from torhaus.daemon.outbox.log import Log
from torhaus.daemon.outbox.record import Damaged, Lora, Record, Stored
from torhaus.daemon.outbox.sessions import begin_search, end_search
from torhaus.daemon.outbox.state import Session
from torhaus.daemon.outbox.store import MAIN, Limits, Outbox, Reporter

SITE = "rathaus"
AT = Stamp(1_795_000_000_000_000_000, 1_000_000_000_000, True)
MACHINE = "m1"


def reading(n: int, *, weight: int = 0) -> Record:
    """A record that tells its number."""
    return Record("reading", "gw", f"d{n}", fields={"n": Value(n)}, raw=bytes(weight) if weight else None)


def pending(n: int) -> Record:
    return Record("frame", "gw", f"d{n}", codec="script", raw=b"raw", payload=b"x%d" % n, pending=True)


def uplink(dev_eui: str, fcnt: int, reason: str | None = None) -> Record:
    lora = Lora(868_100_000, "LORA", "SF7BW125", dev_addr="01020304", fcnt=fcnt)
    return Record("frame", "gw", "d", dev_eui, lora=lora, reason=reason, raw=b"r")


def number(stored: Stored | Damaged) -> int:
    assert isinstance(stored, Stored), stored
    assert stored.record.device is not None
    return int(stored.record.device[1:])


def numbers(found: Iterable[Stored | Damaged]) -> list[int]:
    return [number(r) for r in found]


def open_log(folder: Path, *, max_bytes: int = 1 << 30, floor: int = 0, machine: str = MACHINE) -> Log:
    return Log(folder, SITE, max_bytes=max_bytes, max_age_ns=0, now_ns=AT.wall_ns, floor=floor, machine=machine)


def put(log: Log, *n: int, weight: int = 0) -> list[Stored]:
    return log.append([(AT, reading(i, weight=weight)) for i in n], "boot")


def read_all(log: Log, pos: int | None = None, most: int = 1000) -> list[Stored | Damaged]:
    """Everything from `pos` on, in as many reads as it takes; checks that it comes without a gap."""
    out: list[Stored | Damaged] = []
    at = log.head if pos is None else pos
    while found := log.read(at, most):
        for r in found:
            assert r.pos == at or at in log.holes or log.holes.count(at, r.pos) == r.pos - at
            at = r.pos + (r.count if isinstance(r, Damaged) else 1)
        out += found
    return out


def copy_of(folder: Path, target: Path) -> Path:
    """What a power cut would leave: the files as they are, nothing closed."""
    shutil.copytree(folder, target, ignore=shutil.ignore_patterns("*-shm", "reserve"))
    return target


def replace(what: object, name: str, other: object) -> None:
    """Have another method in place of one of this object's."""
    setattr(what, name, other)


class Listener(Reporter):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.commits: list[int] = []
        self.refusals: list[tuple[int, str]] = []
        self.drops: list[tuple[str, str, int, str]] = []
        self.episodes: list[str | None] = []
        self.unthinned: list[tuple[str, int, str]] = []

    def committed(self, records: int, seconds: float) -> None:
        self.commits.append(records)

    def refused(self, records: int, reason: str) -> None:
        self.refusals.append((records, reason))

    def dropped(self, log: str, forwarder: str, records: int, reason: str) -> None:
        self.drops.append((log, forwarder, records, reason))

    def not_thinned(self, log: str, first: int, why: str) -> None:
        self.unthinned.append((log, first, why))

    def failing(self, what: str | None) -> None:
        self.episodes.append(what)


async def load_sessions(outbox: Outbox) -> list[Session]:
    """As the daemon does it, but the whole log at once."""
    search = await begin_search(outbox)
    while not search.is_over:
        await search.look()
    end_search(outbox, search, search.sessions())
    return search.sessions()


class Box(Outbox):
    """An outbox without a window, so that nothing waits."""

    def __init__(
        self, path: Path, limits: Limits | None = None, clock: FakeClock | None = None, machine: str = MACHINE
    ) -> None:
        self.told = Listener()
        self.fake = clock or FakeClock()
        super().__init__(path, SITE, self.fake, limits or Limits(commit_window_s=0), self.told, machine)

    async def store(self, *records: Record, log: str = MAIN) -> bool:
        """Put records in one commit and wait for the answer."""
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.put(log, [(self.fake.stamp(), r) for r in records], 100 * len(records))
        self.commit(answer.set_result)
        done = await answer
        await asyncio.sleep(0)
        return done

    async def load_sessions(self) -> list[Session]:
        return await load_sessions(self)

    async def everything(self, log: str = MAIN) -> list[Stored | Damaged]:
        out: list[Stored | Damaged] = []
        pos = self.logs[log].head
        while found := await self.read(log, pos, 1000):
            out += found
            pos = found[-1].pos + (found[-1].count if isinstance(found[-1], Damaged) else 1)
        return out

    async def until(self, what: Callable[[], bool]) -> None:
        """Let loop and threads go on until something is so."""
        for n in range(1_000_000):
            if what():
                return
            await asyncio.sleep(0 if n % 50 else 0.001)  # a loop that only turns keeps the interpreter from threads
        raise AssertionError("it never came")

    async def settled(self) -> None:
        """Wait until nothing is under way on the writer thread."""
        for _ in range(3):
            await self.on_state(lambda _: None)
            await asyncio.sleep(0)


def with_box(work: Callable[[Box], Awaitable[None]], box: Callable[[], Box]) -> None:
    """Open a box, work with it, close it."""

    async def go() -> None:
        b = box()
        await b.open()
        try:
            await work(b)
        finally:
            await b.close()

    asyncio.run(go())
