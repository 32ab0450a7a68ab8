"""A store with several segments to be damaged, and what must come back of it whatever is done to it.

What may be missing is told without any knowledge of trees: every record repeats its number all over its bytes, so the
bytes of a page say whose they are.
"""

import asyncio
import re
import shutil
import threading
from pathlib import Path

import msgspec

from tests.daemon.clocks import FakeClock
from tests.daemon.outbox_fakes import AT, Box, number
from torhaus.codecs.model import Value
from torhaus.daemon.outbox.aside import Report
from torhaus.daemon.outbox.log import Log
from torhaus.daemon.outbox.mending import Salvaging, job_of, put_back
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.record import Damaged, Record, Stored
from torhaus.daemon.outbox.salvage import salvage
from torhaus.daemon.outbox.store import MAIN

PAGE = 4096
FRAME = 24 + PAGE
SEGMENT_BYTES = 96 << 10
MARK = re.compile(rb"<(\d{8})>")
SETTLED = [(0, 50), (60, 130), (131, 200)]


def marked(n: int) -> Record:
    """A record that has its number everywhere; a few are longer than a page."""
    length = 3 if n % 7 else 900 if n % 3 == 0 else 40
    return Record("reading", "gw", f"d{n}", fields={"n": Value(n)}, raw=b"<%08d>" % n * length)


class Truth(msgspec.Struct):
    """What was stored: by position, and which positions share a row."""

    records: dict[int, Stored]
    rows: list[tuple[int, int]]
    tail: int

    def row_of(self, pos: int) -> range:
        return next(range(a, b) for a, b in self.rows if a <= pos < b)

    def on_page(self, page: bytes) -> set[int]:
        """Positions of all records of the rows that have bytes on a page."""
        found = {int(m[1]) for m in MARK.finditer(page)}
        return {p for pos in found for p in self.row_of(pos)}


def build(folder: Path) -> Truth:
    """A store whose newest segment has a write-ahead log, as a crash leaves it; position and number are the same."""
    truth = Truth({}, [], 0)

    async def go() -> None:
        box = Box(folder / "live")
        await box.open()
        await box.load_sessions()
        log = box.logs[MAIN]
        box.subscribe(MAIN, lambda batch: truth.records.update({s.pos: s for s in batch}))
        box.adopt(MAIN, "mqtt", Ranges(), is_new=True)
        for step in range(260):
            log.segment_bytes = SEGMENT_BYTES
            start = truth.tail
            count = 1 + step % 5
            await box.store(*(marked(n) for n in range(start, start + count)))
            truth.tail = start + count
            truth.rows.append((start, truth.tail))
        settled = box.settled_by[MAIN]["mqtt"]
        for a, b in SETTLED:
            settled.add(a, b)
        box.flush.settled["mqtt", MAIN] = list(settled)
        await box.save()
        await box.settled()
        shutil.copytree(folder / "live", folder / "crashed", ignore=shutil.ignore_patterns("*-shm", "reserve"))
        await box.close()

    asyncio.run(go())
    assert len(truth.records) == truth.tail
    return truth


def reopened(folder: Path, clock: FakeClock | None = None) -> tuple[dict[int, Stored], Box]:
    """All that the outbox gives out when it has mended what it finds; the box is closed again."""
    box = Box(folder, clock=clock)

    async def go() -> dict[int, Stored]:
        await box.open()
        try:
            return await everything(box)
        finally:
            await box.close()

    return asyncio.run(go()), box


async def everything(box: Box) -> dict[int, Stored]:
    """Read the main log, mending what is found damaged, until nothing new is found."""
    await box.mender.look_at_ends()
    for _ in range(20):
        await box.mender.mend()
        log = box.logs[MAIN]
        assert not log.waiting
        found: dict[int, Stored] = {}
        pos = log.head
        while batch := await read(box, pos):
            for r in batch:
                pos = r.pos + (r.count if isinstance(r, Damaged) else 1)
                if isinstance(r, Stored):
                    assert number(r) == r.pos
                    found[r.pos] = r
        if not log.waiting:
            return found
    raise AssertionError("damage is found again and again")


def mend(log: Log, first: int) -> Report:
    """Salvage one segment that was set aside, and put it back."""
    report = salvage(job_of(log, first, AT.wall_ns), threading.Event())
    log.trim_readers()
    put_back(log, report)
    return report


async def read(box: Box, pos: int) -> list[Stored | Damaged]:
    """What is there from a position on; mends what is found damaged, and looks again."""
    for _ in range(20):
        try:
            return await box.read(MAIN, pos, 1000)
        except Salvaging:
            await box.mender.mend()
    raise AssertionError("damage is found again and again")


def newest(folder: Path) -> Path:
    return max((folder / "log").glob("0*.db"))


def page_at(path: Path, offset: int) -> bytes:
    """The page or frame of a file that a byte belongs to."""
    data = path.read_bytes()
    if path.name.endswith("-wal"):
        start = 32 + (offset - 32) // FRAME * FRAME if offset >= 32 else 0
        return data[start : start + FRAME] if offset >= 32 else b""
    return data[offset // PAGE * PAGE : (offset // PAGE + 1) * PAGE]


def flip(path: Path, offset: int, mask: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        (byte,) = file.read(1)
        file.seek(offset)
        file.write(bytes([byte ^ mask]))
