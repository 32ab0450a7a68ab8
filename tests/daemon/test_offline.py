import asyncio
import sqlite3
from pathlib import Path

import pytest

from tests.daemon.home import Home, QuickClock, archive, running, stamp, until
from torhaus.daemon.offline import read_letters, read_status
from torhaus.daemon.outbox.folder import SKIP_AFTER_DAMAGE
from torhaus.daemon.outbox.record import Record, Stored
from torhaus.daemon.outbox.state import Flush, SetAside, State
from torhaus.daemon.outbox.store import MAIN, Limits, Outbox
from torhaus.daemon.outbox.trouble import Reporter

LIMITS = {"main": 1000, "strangers": 10}


def fill(folder: Path, count: int) -> None:
    async def go() -> None:
        box = Outbox(folder, "test", QuickClock(), Limits(commit_window_s=0), Reporter())
        await box.open()
        box.put(MAIN, [(stamp(), Record("frame", "x", raw=b"1")) for _ in range(count)], 100)
        done = asyncio.Event()
        box.commit(lambda _: done.set())
        await done.wait()
        key = ("archive", MAIN)
        one = SetAside(1, 3, 0, "no\x1b", Stored(1, "3f2a91c0", 17, "b" * 32, stamp(), Record("frame", "x", "meter")))
        box.flush.merge(Flush(settled={key: [(0, 1), (2, 3)]}, dead={key: [one]}, dropped={("archive", "size"): 4}))
        await box.close()

    asyncio.run(go())


def contents(folder: Path) -> dict[str, bytes]:
    """All but SQLite's own side files, which reading makes."""
    return {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file() and not p.name.endswith(("-wal", "-shm"))}


def test_there_is_no_store_yet(tmp_path: Path) -> None:
    status = read_status(tmp_path / "none", "test", LIMITS)
    assert (status.running, status.ready, status.problems) == (False, False, ["the daemon is not running"])
    assert (status.logs["main"].records, status.forwarders) == (0, {})
    assert read_letters(tmp_path / "none", "test", None) == []
    assert not (tmp_path / "none").exists()


def test_what_the_files_say(tmp_path: Path) -> None:
    fill(tmp_path, 5)
    (tmp_path / "log" / "1 copy.db").write_text("somebody's")
    (tmp_path / "state.db.corrupt-17").write_text("x")
    (tmp_path / "state.db.corrupt-17-wal").write_text("x")
    before = contents(tmp_path)
    status = read_status(tmp_path, "test", LIMITS)
    assert (status.logs["main"].records, status.logs["main"].capacity_bytes) == (5, 1000)
    assert status.logs["main"].bytes > 0
    f = status.forwarders["archive"]
    assert (f.backlog, f.dead_letters, f.set_aside, f.up) == (3, 1, 0, False)
    assert status.dropped == {"archive/size": 4}
    assert [Path(p).name for p in status.set_aside_files] == ["state.db.corrupt-17"]
    [letter] = read_letters(tmp_path, "test", None)
    assert (letter.id, letter.forwarder, letter.device, letter.reason) == (
        "test/3f2a91c0/17",
        "archive",
        "meter",
        "no\x1b",
    )
    assert read_letters(tmp_path, "test", "archive") == [letter]
    assert read_letters(tmp_path, "test", "other") == []
    assert contents(tmp_path) == before


def test_what_was_left_out_after_damage_is_not_counted(tmp_path: Path) -> None:
    fill(tmp_path, 5)
    state = State(tmp_path / "state.db")
    lost = ""
    state.save(Flush(snapshot={MAIN: 7}))  # more is known to have been given out than the log has
    state.close()

    async def go() -> None:
        box = Outbox(tmp_path, "test", QuickClock(), Limits(commit_window_s=0), Reporter())
        await box.open()
        nonlocal lost
        lost = f"test/{box.second.stores[MAIN][0]}/5-6"
        box.put(MAIN, [(stamp(), Record("frame", "x", raw=b"1"))] * 2, 100)
        done = asyncio.Event()
        box.commit(lambda _: done.set())
        await done.wait()
        await box.mender.mend()
        assert (box.logs[MAIN].records, box.logs[MAIN].tail > SKIP_AFTER_DAMAGE) == (7, True)
        await box.close()

    asyncio.run(go())
    status = read_status(tmp_path, "test", LIMITS)
    assert (status.logs["main"].records, status.forwarders["archive"].backlog) == (7, 5)
    assert [p for p in status.problems if "lost" in p] == [
        "log, segment 0: 5 records salvaged, 2 lost: " + lost + "; whether more followed cannot be told"
    ]


def test_damaged_files(tmp_path: Path) -> None:
    fill(tmp_path, 5)
    [segment] = (tmp_path / "log").glob("*.db")
    segment.write_bytes(b"no database")
    assert read_status(tmp_path, "test", LIMITS).logs["main"].records == 0
    (tmp_path / "state.db").write_bytes(b"no database" * 100)
    with pytest.raises(sqlite3.DatabaseError):
        read_status(tmp_path, "test", LIMITS)
    with pytest.raises(sqlite3.DatabaseError):
        read_letters(tmp_path, "test", None)


def test_beside_a_running_daemon_it_is_in_nobodys_way(tmp_path: Path) -> None:
    home = Home(tmp_path, archive(tmp_path))

    async def go() -> None:
        app = home.app({})
        async with running(app):
            status = await asyncio.to_thread(read_status, home.store, "test", LIMITS)
            assert status.logs["main"].records == 0
            await until(app.survey.ready)
            counts = await app.outbox.on_state(State.counts)
            assert counts == {}

    asyncio.run(go())
