"""What is read of the log for one forwarder: each record goes to one lane, once."""

import asyncio
from pathlib import Path

from tests.daemon.forward_fakes import Site, alarm, on_site
from torhaus.codecs.model import Value
from torhaus.daemon.forward.backlog import Backlog
from torhaus.daemon.forward.cursor import Cursor
from torhaus.daemon.forward.message import Kind
from torhaus.daemon.forward.settle import Tally
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.record import Record, Stored, Verdict
from torhaus.daemon.outbox.store import MAIN


def as_reading(stored: Stored) -> Kind | None:
    return None if stored.record.device == "unwanted" else "reading"


def backlog(s: Site, cursor: Cursor, tally: Tally | None = None) -> Backlog:
    return Backlog(s.outbox, MAIN, cursor, as_reading, tally or Tally())


def test_two_lanes_that_read_at_the_same_time_share_the_records(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        await s.put([alarm(0)])
        await s.readings(5)
        cursor = Cursor(Ranges(), 6)
        reader = backlog(s, cursor)
        (one, _), (other, upto) = await asyncio.gather(reader.read(0, 1, 10), reader.read(0, 6, 10))
        assert [r.pos for r in one] == [0]
        assert [r.pos for r in other] == [1, 2, 3, 4, 5]
        assert upto == 6
        assert cursor.gap(0) is None
        assert list(cursor.settled) == []

    on_site(tmp_path, body)


def test_what_is_not_wanted_is_settled_and_counted(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        await s.readings(2)
        await s.readings(3, "unwanted")
        cursor, tally = Cursor(Ranges(), 5), Tally()
        batch, upto = await backlog(s, cursor, tally).read(0, 5, 10)
        assert ([r.pos for r in batch], upto) == ([0, 1], 5)
        assert (list(cursor.settled), tally.skipped) == ([(2, 5)], 3)

    on_site(tmp_path, body)


def test_what_waits_for_its_script_is_left_to_it_unless_it_answers_meanwhile(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        pending = Record("frame", "gw", "flur", codec="script", raw=b"raw", payload=b"x", pending=True)
        await s.put([pending])
        cursor = Cursor(Ranges(), 1)
        reader = backlog(s, cursor)
        reading = asyncio.ensure_future(reader.read(0, 1, 10))
        await asyncio.sleep(0)
        reader.answered(0)
        assert await reading == ([], 1)
        assert cursor.gap(0) == (0, 1), "it is read again"
        assert await reader.read(0, 1, 10) == ([], 1)
        assert cursor.first_waiting() == 0
        (one,) = await s.outbox.pending(0, 10)
        s.outbox.put_verdict(one, Verdict({"n": Value(1)}))

    on_site(tmp_path, body)


def test_positions_that_were_dropped_while_it_looked_are_done_with(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        await s.readings(2)
        cursor = Cursor(Ranges(), 9)
        assert await backlog(s, cursor).read(5, 9, 10) == ([], 9)
        assert list(cursor.settled) == [(5, 9)]

    on_site(tmp_path, body)
