"""The devices' counters survive, and reading them does not depend on the backlog."""

import sqlite3
from pathlib import Path
from typing import Any

from tests.daemon.outbox_fakes import Box, copy_of, reading, replace, uplink, with_box
from torhaus.daemon.outbox.state import Flush, Session
from torhaus.daemon.outbox.store import MAIN


def test_counters_survive_a_crash_at_any_point(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        changed: dict[str, int] = {}

        def collect(flush: Flush) -> None:
            flush.sessions = [Session(e, "01020304", n) for e, n in changed.items()]
            changed.clear()

        await box.load_sessions()
        box.before_flush.append(collect)
        expected: dict[str, int] = {}
        for n in range(12):
            eui = f"a81758fffe03120{n % 3}"
            changed[eui] = expected[eui] = n
            await box.store(uplink(eui, n), uplink(eui, n - 3, "replay"))
            if n % 4 == 3:
                await box.save()
            copy = copy_of(tmp_path / "a", tmp_path / f"copy{n}")
            other = Box(copy)
            await other.open()
            assert {s.dev_eui: s.fcnt_up for s in await other.load_sessions()} == expected
            await other.close()

    with_box(work, lambda: Box(tmp_path / "a"))


def test_the_snapshot_follows_the_log_also_when_no_counter_moves(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        def upto() -> Any:
            return box.on_state(lambda s: s.sessions()[1].get(MAIN))

        await box.store(uplink("a", 1))
        await box.save()
        assert await upto() is None, "nobody has looked at what was there before"
        assert await box.load_sessions() == [Session("a", "01020304", 1)]
        await box.store(reading(1), reading(2))
        box.logs[MAIN].append([(box.fake.stamp(), uplink("a", 2))], "boot")  # on disk, but nobody was told yet
        await box.save()
        assert await upto() == 3

        def cannot(_: Flush) -> None:
            raise sqlite3.OperationalError("disk I/O error")

        saves = box._save_state
        replace(box, "_save_state", cannot)
        await box.store(reading(3))
        await box.save()
        replace(box, "_save_state", saves)
        await box.save()
        assert await upto() == 5

    with_box(work, lambda: Box(tmp_path))


def test_counters_found_in_the_log_are_saved_before_the_snapshot_moves_on(tmp_path: Path) -> None:
    async def first(box: Box) -> None:
        await box.store(uplink("a", 7), uplink("b", 1))

    async def second(box: Box) -> None:
        assert {s.dev_eui: s.fcnt_up for s in await box.load_sessions()} == {"a": 7, "b": 1}
        box.before_flush.append(lambda f: f.sessions.append(Session("b", "01020304", 2)))
        await box.store(uplink("b", 2))

    async def third(box: Box) -> None:
        reads = []
        replace(box, "read", lambda *args: reads.append(args))
        assert {s.dev_eui: s.fcnt_up for s in await box.load_sessions()} == {"a": 7, "b": 2}
        assert not reads

    for work in (first, second, third):
        with_box(work, lambda: Box(tmp_path))
