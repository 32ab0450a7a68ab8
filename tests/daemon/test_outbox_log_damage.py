import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.daemon.damage_fakes import mend
from tests.daemon.outbox_fakes import AT, copy_of, number, numbers, open_log, pending, put, read_all
from torhaus.daemon.outbox import migrate
from torhaus.daemon.outbox.folder import SKIP_AFTER_DAMAGE
from torhaus.daemon.outbox.log import Log
from torhaus.daemon.outbox.record import Damaged, Stored
from torhaus.daemon.outbox.segment import path_of


def three_segments(folder: Path) -> Log:
    log = open_log(folder)
    for n in (0, 10, 20):
        put(log, *range(n, n + 10))
        log.segment_bytes = 1 if n < 20 else 1 << 20
        log.roll(AT.wall_ns)
    assert log.segments == (0, 10, 20)
    return log


@pytest.mark.parametrize("damage", ["zeros", "cut", "empty", "junk"])
def test_a_newest_file_that_cannot_be_opened_is_set_aside(tmp_path: Path, damage: str) -> None:
    log = three_segments(tmp_path)
    store = log.store
    log.close()
    path = path_of(tmp_path, 20)
    data = path.read_bytes()
    path.write_bytes({"zeros": bytes(len(data)), "cut": data[:3000], "empty": b"", "junk": b"x" * len(data)}[damage])
    broken = path.read_bytes()
    log = open_log(tmp_path)
    (aside,) = log.set_aside
    assert damage == "empty" or aside.read_bytes() == broken
    assert log.store != store
    assert log.tail == 20 + SKIP_AFTER_DAMAGE
    (new,) = put(log, 77)
    assert (new.pos, new.seq) == (20 + SKIP_AFTER_DAMAGE, 0)
    assert numbers(read_all(log)) == [*range(20), 77]
    assert log.records == 21
    log.close()
    log = open_log(tmp_path)
    assert not log.set_aside
    assert numbers(read_all(log)) == [*range(20), 77]
    assert log.records == 21
    log.close()


def test_a_newest_file_whose_end_is_damaged_is_set_aside_until_it_is_salvaged(tmp_path: Path) -> None:
    log = three_segments(tmp_path)
    store = log.store
    put(log, 30)
    log.close()
    conn = sqlite3.connect(path_of(tmp_path, 20))
    conn.execute("UPDATE batch SET seq = seq - 5 WHERE first = 30")
    conn.commit()
    conn.close()
    log = open_log(tmp_path)
    assert log.store != store
    assert len(log.set_aside) == 1
    put(log, 77)
    assert numbers(read_all(log)) == [*range(20), 77]
    report = mend(log, 20)
    assert (report.salvaged, report.lost) == (11, [])  # the number of the last row is told from its key
    assert numbers(read_all(log)) == [*range(31), 77]
    log.close()


@pytest.mark.parametrize("lost", ["log", "end", "newest"])
def test_a_log_that_ends_before_what_others_know_never_gives_out_a_position_again(tmp_path: Path, lost: str) -> None:
    folder = tmp_path / "log"
    log = three_segments(folder)
    store = log.store
    log.close()
    if lost == "log":
        shutil.rmtree(folder)
    elif lost == "newest":
        migrate.remove(path_of(folder, 20))
    else:
        conn = sqlite3.connect(path_of(folder, 20))
        conn.execute("DELETE FROM batch")
        conn.commit()
        conn.close()
    log = open_log(folder, floor=30)
    assert log.store != store
    assert log.tail > 30
    put(log, 77)
    assert numbers(r for r in read_all(log) if isinstance(r, Stored))[-1] == 77
    log.close()


def test_another_machine_gets_another_store(tmp_path: Path) -> None:
    for full in (True, False):
        folder = tmp_path / str(full)
        log = open_log(folder, machine="m1")
        if full:
            put(log, 1, 2)
        store = log.store
        log.close()
        log = open_log(folder, machine="m1")
        assert log.store == store
        log.close()
        log = open_log(folder, machine="m2")
        assert log.store != store
        put(log, 3)
        assert numbers(read_all(log)) == ([1, 2, 3] if full else [3])
        log.close()
        log = open_log(folder, machine="m2")
        assert numbers(read_all(log))[-1] == 3
        log.close()


def test_a_torn_write_ahead_log_costs_only_its_end(tmp_path: Path) -> None:
    log = open_log(tmp_path / "log")
    for n in range(40):
        put(log, n, weight=500)
    folder = copy_of(tmp_path / "log", tmp_path / "copy")
    log.close()
    wal = Path(f"{path_of(folder, 0)}-wal")
    whole, base = wal.read_bytes(), path_of(folder, 0).read_bytes()
    rand = random.Random(4)
    seen = set()
    for cut in [0, 1, 31, 32, len(whole), *(rand.randrange(len(whole)) for _ in range(25))]:
        shutil.rmtree(folder)
        folder.mkdir()
        path_of(folder, 0).write_bytes(base)
        wal.write_bytes(whole[:cut])
        log = open_log(folder)
        assert numbers(read_all(log)) == list(range(log.records))
        assert (not log.set_aside, log.damaged) == (True, 0)
        seen.add(log.records)
        put(log, 99)
        log.close()
    assert {0, 40} <= seen
    assert len(seen) > 10


def test_flipped_bits_are_reported_and_never_returned(tmp_path: Path) -> None:
    log = open_log(tmp_path / "log")
    for n in range(0, 200, 4):
        put(log, *range(n, n + 4), weight=50)
    log.segment_bytes = 1
    log.roll(AT.wall_ns)
    put(log, 200)
    log.close()
    before = path_of(tmp_path / "log", 0).read_bytes()
    rand = random.Random(11)
    kept = 0
    for _ in range(150):
        data = bytearray(before)
        bit = rand.randrange(len(data) * 8)
        data[bit // 8] ^= 1 << bit % 8
        path_of(tmp_path / "log", 0).write_bytes(data)
        log = open_log(tmp_path / "log")
        found = read_all(log, 0)
        for r in found:
            if isinstance(r, Stored):
                assert number(r) == r.pos
                assert (r.seq, r.at) == (r.pos, AT)
        damaged = [r for r in found if isinstance(r, Damaged)]
        assert len([r for r in found if isinstance(r, Stored)]) + sum(r.count for r in damaged) == 201
        kept += len([r for r in found if isinstance(r, Stored)])
        log.close()
    assert kept > 150 * 201 * 0.9


def test_an_append_into_a_damaged_file_goes_on_in_a_new_one(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    for n in range(300):
        put(log, n, weight=300)
    log.close()
    path = path_of(tmp_path, 0)
    data = bytearray(path.read_bytes())
    log = open_log(tmp_path)
    store = log.store
    conn = sqlite3.connect(path)
    root = conn.execute("SELECT rootpage FROM sqlite_master WHERE name = 'batch_pending'").fetchone()[0]
    conn.close()
    data[(root - 1) * 4096 : (root - 1) * 4096 + 12] = b"\xff" * 12
    log.close()
    path.write_bytes(data)
    log = open_log(tmp_path)
    assert (log.store, log.tail) == (store, 300)
    (s,) = log.append([(AT, pending(300))], "boot")  # the index of pending ones is what is broken
    assert (s.pos, s.seq, s.store) == (300, 300, store)
    assert log.segments == (0, 300)
    assert numbers(read_all(log)) == list(range(301))
    log.close()
