"""One batch: rendered, sent once, settled; a forwarder's defect costs the record on which it is met."""

import asyncio
from pathlib import Path

import pytest

from tests.daemon.forward_fakes import FarSide, Site, dead_letters, number, on_site
from torhaus.daemon.forward.base import Item, Outcome, Unavailable
from torhaus.daemon.forward.cursor import Cursor
from torhaus.daemon.forward.message import Kind
from torhaus.daemon.forward.sender import Sender
from torhaus.daemon.forward.settle import Settlement
from torhaus.daemon.forward.turns import BACKLOG, LIVE
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.record import Stored
from torhaus.daemon.outbox.store import MAIN


def as_reading(_: Stored) -> Kind | None:
    return "reading"


def sender(s: Site, far: FarSide, cursor: Cursor) -> Sender:
    books = Settlement("city", s.outbox, MAIN, cursor, s.clock)
    far.is_open = True
    return Sender("city", far, s.outbox, books, cursor, as_reading, s.clock)


async def batch_of(s: Site, count: int, cursor: Cursor) -> list[Stored]:
    await s.readings(count)
    for stored in s.fed:
        cursor.take(stored.pos)
    cursor.tail = count
    return list(s.fed)


def test_what_is_taken_is_settled_and_the_lane_is_in_the_message(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        far, cursor = FarSide(), Cursor(Ranges(), 0)
        batch = await batch_of(s, 4, cursor)
        it = sender(s, far, cursor)
        assert await it.send(batch[:2], late=False, urgency=LIVE)
        assert await it.send(batch[2:], late=True, urgency=BACKLOG)
        assert [m.late for m in far.arrived] == [False, False, True, True]
        assert list(cursor.settled) == [(0, 4)]
        assert it.under_way == []

    on_site(tmp_path, body)


@pytest.mark.parametrize("how", ["unavailable", "cancelled"])
def test_what_was_not_sent_is_given_back(tmp_path: Path, how: str) -> None:
    def script(_: list[Item]) -> Outcome:
        raise Unavailable("lost")

    async def body(s: Site) -> None:
        far, cursor = FarSide(script), Cursor(Ranges(), 0)
        batch = await batch_of(s, 3, cursor)
        it = sender(s, far, cursor)
        far.hanging = how == "cancelled"
        task = asyncio.ensure_future(it.send(batch, late=True, urgency=BACKLOG))
        await asyncio.sleep(0)
        if far.hanging:
            task.cancel()
        with pytest.raises((Unavailable, asyncio.CancelledError)):
            await task
        assert cursor.gap(0) == (0, 3)
        assert it.under_way == []

    on_site(tmp_path, body)


def test_a_defect_is_found_by_halves(tmp_path: Path) -> None:
    def script(batch: list[Item]) -> Outcome:
        if any(number(item) == 5 for item in batch):
            raise TypeError("five")
        return Outcome(list(range(len(batch))))

    async def body(s: Site) -> None:
        far, cursor = FarSide(script), Cursor(Ranges(), 0)
        batch = await batch_of(s, 8, cursor)
        assert await sender(s, far, cursor).send(batch, late=True, urgency=BACKLOG)
        assert [r.pos for r in await dead_letters(s)] == [5]
        assert list(cursor.settled) == [(0, 8)]

    on_site(tmp_path, body)
