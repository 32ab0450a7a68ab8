import sqlite3
from pathlib import Path

import pytest

from tests.daemon.damage_fakes import mend
from tests.daemon.outbox_fakes import AT, numbers, open_log, put, read_all
from torhaus.daemon.outbox import migrate
from torhaus.daemon.outbox.folder import SKIP_AFTER_DAMAGE
from torhaus.daemon.outbox.log import Log
from torhaus.daemon.outbox.retention import Limit
from torhaus.daemon.outbox.segment import path_of


def filled(folder: Path, *, segments: int = 4) -> Log:
    log = open_log(folder)
    for n in range(segments):
        put(log, *range(n * 10, n * 10 + 10))
        if n < segments - 1:
            log.segment_bytes = 1
            log.roll(AT.wall_ns)
            log.segment_bytes = 1 << 30
    return log


def test_what_is_taken_out_is_a_hole_until_it_is_back(tmp_path: Path) -> None:
    log = filled(tmp_path)
    assert log.withdraw(10, AT.wall_ns)
    assert (log.segments, log.waiting, list(log.holes)) == ((0, 20, 30), (10,), [(10, 20)])
    assert (log.records, log.is_waiting(0, 10), log.is_waiting(19, 25)) == (30, False, True)
    assert numbers(read_all(log)) == [*range(10), *range(20, 40)]
    mend(log, 10)
    assert (log.segments, log.waiting, list(log.holes), log.records) == ((0, 10, 20, 30), (), [], 40)
    assert numbers(read_all(log)) == [*range(40)]
    log.close()


def test_the_newest_is_taken_out_too_and_the_log_goes_on(tmp_path: Path) -> None:
    log = filled(tmp_path)
    store = log.store
    assert log.withdraw(30, AT.wall_ns)
    (new,) = put(log, 40)
    assert (new.pos, new.seq, new.store) == (40, 40, store)
    mend(log, 30)
    assert numbers(read_all(log)) == [*range(41)]
    assert not log.withdraw(40, AT.wall_ns) or log.segments[-1] == 41
    log.close()


def test_one_with_nothing_in_it_is_not_taken_out(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    assert not log.withdraw(0, AT.wall_ns)
    assert not log.withdraw(77, AT.wall_ns)
    assert log.segments == (0,)
    log.close()


def test_one_that_cannot_be_taken_out_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = filled(tmp_path)

    def refused(*_: object) -> Path:
        raise OSError("read-only file system")

    monkeypatch.setattr(migrate, "set_aside", refused)
    with pytest.raises(OSError, match="read-only"):
        log.withdraw(10, AT.wall_ns)
    assert (log.segments, log.waiting, list(log.holes)) == ((0, 10, 20, 30), (), [])
    assert numbers(read_all(log)) == [*range(40)]
    log.close()


def test_the_oldest_one_holds_the_head_while_it_is_out(tmp_path: Path) -> None:
    log = filled(tmp_path)
    log.withdraw(0, AT.wall_ns)
    assert log.head == 0
    log.close()
    log = open_log(tmp_path)
    assert (log.head, log.waiting, list(log.holes)) == (0, (0,), [(0, 10)])
    log.give_up(0)
    assert (log.head, log.waiting) == (10, ())
    log.close()


def test_nothing_behind_one_that_is_out_leaves_the_log(tmp_path: Path) -> None:
    log = filled(tmp_path)
    log.withdraw(10, AT.wall_ns)
    log.limit = Limit(max_bytes=1)
    assert [(d.first, d.end) for d in log.excess(None, {})] == [(0, 10)]
    log.unlink_below(30)
    assert log.segments == (20, 30)
    mend(log, 10)
    log.unlink_below(30)
    assert list(log.segments) == [30]
    log.close()


def test_a_verdict_for_one_that_is_out_is_not_an_error(tmp_path: Path) -> None:
    from torhaus.daemon.outbox.record import Verdict

    log = filled(tmp_path)
    log.add_verdicts([(12, Verdict())])
    log.withdraw(10, AT.wall_ns)
    log.add_verdicts([(12, Verdict())])
    mend(log, 10)
    log.add_verdicts([(12, Verdict())])
    log.close()


@pytest.mark.parametrize("when", ["before anything", "renamed without its write-ahead log", "put back, not reported"])
def test_a_crash_in_the_middle_is_gone_on_with(tmp_path: Path, when: str) -> None:
    log = filled(tmp_path)
    conn = sqlite3.connect(path_of(tmp_path, 10))  # has a write-ahead log of its own
    conn.execute("PRAGMA wal_autocheckpoint=0").fetchone()
    conn.execute("INSERT INTO verdict VALUES (1, 1, x'00')")
    conn.commit()
    wal = Path(f"{path_of(tmp_path, 10)}-wal").read_bytes()
    conn.close()
    log.withdraw(10, AT.wall_ns)
    (aside,) = log.set_aside
    if when == "put back, not reported":
        mend(log, 10)
        Path(f"{aside}.report").unlink()
    elif when == "renamed without its write-ahead log":
        Path(f"{path_of(tmp_path, 10)}-wal").write_bytes(wal)
    log.close()
    log = open_log(tmp_path)
    if when == "put back, not reported":
        assert log.waiting == ()
        assert Path(f"{aside}.report").exists()
    else:
        assert log.waiting == (10,)
        assert when == "before anything" or Path(f"{aside}-wal").read_bytes() == wal
        mend(log, 10)
    assert numbers(read_all(log)) == [*range(40)]
    log.close()


def test_a_crash_between_setting_the_newest_aside_and_a_new_one_gives_no_position_again(tmp_path: Path) -> None:
    log = filled(tmp_path)
    store = log.store
    log.close()
    path_of(tmp_path, 30).rename(tmp_path / f"{30:020d}.db.corrupt-17")
    log = open_log(tmp_path)
    assert (log.tail, log.waiting, log.store != store) == (30 + SKIP_AFTER_DAMAGE, (30,), True)
    put(log, 77)
    assert mend(log, 30).salvaged == 10
    assert numbers(read_all(log)) == [*range(40), 77]
    log.close()
    log = open_log(tmp_path)
    assert (numbers(read_all(log)), log.records) == ([*range(40), 77], 41)
    log.close()


def test_a_salvaged_segment_is_never_written_to(tmp_path: Path) -> None:
    log = filled(tmp_path)
    log.close()
    path_of(tmp_path, 30).rename(tmp_path / f"{30:020d}.db.corrupt-17")
    log = open_log(tmp_path)
    mend(log, 30)
    fresh = log.segments[-1]
    log.close()
    path_of(tmp_path, fresh).unlink()
    log = open_log(tmp_path)
    assert log.tail > 40 + SKIP_AFTER_DAMAGE - 1
    assert numbers(read_all(log)) == [*range(40)]
    log.close()
