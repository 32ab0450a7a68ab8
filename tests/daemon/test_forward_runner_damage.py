"""A runner meets holes, damage and files that cannot be read just now."""

import sqlite3
from pathlib import Path

from tests.daemon.forward_fakes import FarSide, Site, on_site
from torhaus.codecs.model import Value
from torhaus.daemon.outbox.record import Damaged, Record, Stored, Verdict


def test_holes_and_damage_are_counted_and_passed_over(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        await s.readings(20)
        read = s.outbox.read

        async def bad_read(log: str, pos: int, max_records: int) -> list[Stored | Damaged]:
            found = [r for r in await read(log, pos, max_records) if isinstance(r, Stored)]
            out: list[Stored | Damaged] = [r for r in found if r.pos not in {3, 4, 10, 11, 12, 19}]
            if any(r.pos in {10, 11, 12} for r in found):
                out = [r for r in out if r.pos < 10] + [Damaged(10, 3, "CRC")] + [r for r in out if r.pos > 12]
            return out

        s.outbox.read = bad_read  # type: ignore[method-assign]
        far = FarSide(max_batch=12)
        runner = await s.start(far)
        await s.until(lambda: runner.cursor.backlog(0) == 0, limit_s=60)
        assert far.seqs == [n for n in range(20) if n not in {3, 4, 10, 11, 12, 19}]
        assert runner.tally.damaged == 3
        assert list(runner.cursor.settled) == [(0, 20)]

    on_site(tmp_path, body)


def test_damage_that_begins_before_settles_nothing_else(tmp_path: Path) -> None:
    """A damaged row is reported from its first record on, of which some are on their way from memory."""

    async def body(s: Site) -> None:
        await s.readings(4)
        far = FarSide()
        far.refuse_open = True
        runner = await s.start(far)
        runner.cursor.take(0)

        async def bad_read(log: str, pos: int, max_records: int) -> list[Stored | Damaged]:
            return [Damaged(0, 4, "row")]

        s.outbox.read = bad_read  # type: ignore[method-assign]
        far.refuse_open = False
        await s.until(lambda: runner.tally.damaged == 3, limit_s=60)
        assert list(runner.cursor.settled) == [(1, 4)]

    on_site(tmp_path, body)


def test_a_log_that_cannot_be_read_just_now_is_read_later(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        await s.readings(3)
        read = s.outbox.read
        failures = 3

        async def flaky(log: str, pos: int, max_records: int) -> list[Stored | Damaged]:
            nonlocal failures
            if failures:
                failures -= 1
                raise sqlite3.OperationalError("unable to open database file")
            return await read(log, pos, max_records)

        s.outbox.read = flaky  # type: ignore[method-assign]
        far = FarSide()
        runner = await s.start(far)
        await s.until(lambda: failures == 0)
        assert runner.tally.detail == "log: unable to open database file"
        await s.until(lambda: len(far.arrived) == 3, limit_s=60)
        assert runner.tally.detail == ""
        assert runner.tally.connects == 1

    on_site(tmp_path, body)


def test_an_answer_that_comes_between_reading_and_waiting_is_not_missed(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        await s.put([Record("frame", "roof", "flur", None, "script", payload=b"x", pending=True)])
        (stored,) = await s.outbox.pending(0, 9)
        read = s.outbox.read
        answered = False

        async def slow_read(log: str, pos: int, max_records: int) -> list[Stored | Damaged]:
            nonlocal answered
            found = await read(log, pos, max_records)
            if not answered:
                answered = True
                s.outbox.put_verdict(stored, Verdict({"n": Value(7)}))
                await s.until(lambda: not s.outbox.has_waiting(), step_s=0)
            return found

        s.outbox.read = slow_read  # type: ignore[method-assign]
        far = FarSide()
        await s.start(far)
        await s.until(lambda: far.seqs == [0], limit_s=30)

    on_site(tmp_path, body)
