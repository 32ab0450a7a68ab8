"""What the tests of thinning are made of: records, forwarders without a far side, an outbox to be thinned."""

from pathlib import Path
from typing import Final

from tests.daemon.outbox_fakes import Box
from torhaus.codecs.model import Value
from torhaus.daemon.forward.backlog import Backlog
from torhaus.daemon.forward.cursor import Cursor
from torhaus.daemon.forward.settle import Tally
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.record import Record, Stored
from torhaus.daemon.outbox.state import Flush
from torhaus.daemon.outbox.store import MAIN, Limits

LIMITS: Final = Limits(commit_window_s=0)


def record(what: str, n: int) -> Record:
    made = Record("reading", "gw", what if what in "abc" else "a", fields={"n": Value(n)}, alarm=what == "!")
    if what == "e":
        made.kind = "event"
    return made


def number(stored: Stored) -> int:
    assert stored.record.fields is not None
    value = stored.record.fields["n"].value
    assert isinstance(value, int)
    return value


async def forwarder(box: Box, name: str, *, ordered: bool = False) -> Cursor:
    """As build.py makes one, but for the runner."""
    found: Ranges | None = await box.on_state(lambda s: s.settled(name, MAIN))
    settled = found if found is not None else Ranges()
    box.adopt(MAIN, name, settled, is_new=found is None)
    cursor = Cursor(settled, box.logs[MAIN].tail, holes=box.holes_of(MAIN), ordered=ordered)
    box.cursors[MAIN].append(cursor)

    def collect(flush: Flush) -> None:
        changes = cursor.changes()
        if changes is not None:
            flush.settled[name, MAIN] = changes

    box.before_flush.append(collect)
    box.subscribe(MAIN, lambda batch: setattr(cursor, "tail", max(cursor.tail, batch[-1].pos + 1)))
    return cursor


def backlog(box: Box, cursor: Cursor) -> Backlog:
    return Backlog(box, MAIN, cursor, lambda _: "reading", Tally(), box.fake)


async def put(box: Box, *whats: str, start: int = 0) -> None:
    """One commit, and a segment of its own."""
    box.logs[MAIN].segment_bytes = 1
    assert await box.store(*[record(w, start + i) for i, w in enumerate(whats)])
    await box.settled()


async def ready(path: Path) -> Box:
    box = Box(path, LIMITS)
    await box.open()
    box.scanned_to = 1 << 62
    return box
