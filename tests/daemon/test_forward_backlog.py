"""What is read of the log for one forwarder: each record goes to one lane, once."""

import asyncio
from pathlib import Path

from tests.daemon.forward_fakes import FarSide, Site, alarm, on_site
from torhaus.codecs.model import Value
from torhaus.daemon.forward.backlog import Backlog
from torhaus.daemon.forward.cursor import Cursor
from torhaus.daemon.forward.message import Kind
from torhaus.daemon.forward.settle import Tally
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.record import Damaged, Record, Stored, Verdict
from torhaus.daemon.outbox.segment import path_of
from torhaus.daemon.outbox.store import MAIN


def as_reading(stored: Stored) -> Kind | None:
    return None if stored.record.device == "unwanted" else "reading"


def backlog(s: Site, cursor: Cursor, tally: Tally | None = None) -> Backlog:
    return Backlog(s.outbox, MAIN, cursor, as_reading, tally or Tally(), s.clock)


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


def test_holes_are_passed_over_and_never_settled(tmp_path: Path) -> None:
    """They may be filled again: a segment in them comes back when it was salvaged."""

    async def body(s: Site) -> None:
        await s.readings(9)
        read = s.outbox.read

        async def with_holes(log: str, pos: int, max_records: int) -> list[Stored | Damaged]:
            found = [r for r in await read(log, pos, max_records) if r.pos not in {0, 1, 4, 5, 8}]
            return [Damaged(2, 1, "CRC") if r.pos == 2 else r for r in found]

        s.outbox.read = with_holes  # type: ignore[method-assign]
        cursor, tally = Cursor(Ranges(), 9), Tally()
        batch, upto = await backlog(s, cursor, tally).read(0, 9, 100)
        assert ([r.pos for r in batch], upto, tally.damaged) == ([3, 6, 7], 8, 1)
        assert list(cursor.settled) == [(2, 3)]
        assert cursor.gap(0) == (0, 2)
        assert cursor.gap(3) == (4, 6)

    on_site(tmp_path, body)


def test_a_damaged_segment_that_cannot_be_taken_out_holds_up_nothing_behind_it(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        log = s.outbox.logs[MAIN]
        for _ in range(3):
            await s.readings(10)
            log.segment_bytes = 1
            await s.outbox.on_writer(lambda: log.roll(s.clock.wall_ns()))
            log.segment_bytes = 1 << 30
        with path_of(log.folder, 10).open("r+b") as file:
            file.write(bytes(4096))
        withdraw = log.withdraw

        def refuse(first: int, now_ns: int) -> bool:
            raise OSError(30, "Read-only file system")

        log.withdraw = refuse  # type: ignore[method-assign]
        far = FarSide()
        runner = await s.start(far)
        await s.until(lambda: len(far.arrived) == 20)
        assert sorted(far.seqs) == [*range(10), *range(20, 30)]
        await s.rest(60, step_s=0.5)
        assert (runner.tally.detail, runner.cursor.backlog(0)) == (
            "log: a damaged segment cannot be taken out: [Errno 30] Read-only file system",
            10,
        )
        assert runner.sender.backlog_pause.tries < 40, "it is not tried without a pause"
        log.withdraw = withdraw  # type: ignore[method-assign]
        await s.until(lambda: log.waiting == (10,), step_s=1)
        await s.outbox.mender.mend()
        await s.until(lambda: len(far.arrived) == 30)
        assert runner.cursor.backlog(0) == 0

    on_site(tmp_path, body)


def test_positions_that_were_dropped_while_it_looked_are_done_with(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        await s.readings(2)
        cursor = Cursor(Ranges(), 9)
        assert await backlog(s, cursor).read(5, 9, 10) == ([], 9)
        assert list(cursor.settled) == [(5, 9)]

    on_site(tmp_path, body)


def test_the_next_stretch_begins_where_the_last_one_ended(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        await s.readings(7)
        cursor = Cursor(Ranges(), 7)
        reader = backlog(s, cursor)
        first, upto = await reader.read(0, 7, 3)
        second, end = await reader.read(upto, 7, 10)
        assert ([r.pos for r in first], upto, [r.pos for r in second], end) == ([0, 1, 2], 3, [3, 4, 5, 6], 7)
        assert cursor.gap(0) is None

    on_site(tmp_path, body)
