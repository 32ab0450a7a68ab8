import os
import sqlite3
from pathlib import Path

from tests.daemon.outbox_fakes import AT, open_log, put
from torhaus.daemon.outbox import migrate
from torhaus.daemon.outbox.state import Flush, State
from torhaus.daemon.outbox.wear import WalMeter

BLOCK = 4096
FRAME = 4096 + 24


def database(path: Path) -> sqlite3.Connection:
    conn = migrate.connect(path)
    conn.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, data BLOB)")
    return conn


def blocks(start: int, end: int) -> int:
    return (-(-end // BLOCK) - start // BLOCK) * BLOCK


def test_a_commit_costs_the_blocks_that_its_frames_touch(tmp_path: Path) -> None:
    conn = database(tmp_path / "a.db")
    meter = WalMeter(tmp_path / "a.db")
    assert meter.written == 0  # what was there before the watch is not counted
    before = (tmp_path / "a.db-wal").stat().st_size
    for _ in range(5):
        conn.execute("INSERT INTO t (data) VALUES (?)", (b"x" * 10,))
        meter.look()
        after = (tmp_path / "a.db-wal").stat().st_size
        assert after > before
        assert meter.written >= blocks(before, after) > 0
        meter.written, before = 0, after
    meter.look()
    assert meter.written == 0
    conn.close()
    meter.close()


def test_a_checkpoint_costs_each_page_once(tmp_path: Path) -> None:
    conn = database(tmp_path / "a.db")
    meter = WalMeter(tmp_path / "a.db")
    conn.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    for _ in range(3):
        conn.execute("INSERT INTO t (data) VALUES (?)", (b"x" * 10,))
        meter.look()
    appended, meter.written = meter.written, 0
    assert appended >= 3 * FRAME
    conn.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    conn.execute("INSERT INTO t (data) VALUES (?)", (b"x" * 10,))  # the write-ahead log begins anew
    meter.look()
    assert meter.written == BLOCK + blocks(0, 32 + FRAME)  # thrice appended, it was one page
    meter.written = 0
    conn.close()
    meter.close()
    assert meter.written == BLOCK  # the one page that was still to be folded in
    meter.close()
    assert meter.written == BLOCK


def test_what_cannot_be_read_is_not_counted(tmp_path: Path) -> None:
    meter = WalMeter(tmp_path / "none.db")
    meter.look()
    meter.close()
    (tmp_path / "odd.db-wal").write_bytes(b"short")
    odd = WalMeter(tmp_path / "odd.db")
    (tmp_path / "odd.db-wal").write_bytes(os.urandom(10_000))
    odd.look()
    odd.close()
    (tmp_path / "zero.db-wal").write_bytes(bytes(10_000))
    zero = WalMeter(tmp_path / "zero.db")
    zero.look()
    zero.close()
    assert meter.written == zero.written == 0
    assert odd.written <= 10_000 + 2 * BLOCK


def test_a_log_and_the_state_tell_what_they_have_written(tmp_path: Path) -> None:
    log = open_log(tmp_path / "log")
    before = log.room.written
    put(log, 1, weight=40_000)
    once = log.room.written - before
    assert once >= 40_000
    log.segment_bytes = 1
    log.roll(AT.wall_ns)
    assert log.room.written >= before + 2 * 40_000  # into the write-ahead log, and from there
    log.close()
    assert log.room.written > before + 2 * 40_000
    state = State(tmp_path / "state.db")
    created = state.meter.written
    state.save(Flush(settled={("mqtt", "main"): [(0, 5)]}))
    assert state.meter.written - created >= FRAME
    state.close()
