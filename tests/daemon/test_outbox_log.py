import sqlite3
from pathlib import Path

import pytest

from tests.daemon.outbox_fakes import AT, SITE, copy_of, numbers, open_log, pending, put, read_all, reading
from torhaus.codecs.model import Value
from torhaus.daemon.outbox import migrate
from torhaus.daemon.outbox.log import Log
from torhaus.daemon.outbox.record import Verdict
from torhaus.daemon.outbox.segment import Segment, path_of


def three_segments(folder: Path) -> Log:
    log = open_log(folder)
    for n in (0, 10, 20):
        put(log, *range(n, n + 10))
        log.segment_bytes = 1 if n < 20 else 1 << 20
        log.roll(AT.wall_ns)
    assert log.segments == (0, 10, 20)
    return log


@pytest.mark.parametrize("error", [sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR])
def test_a_file_that_cannot_be_had_now_is_not_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    three_segments(tmp_path).close()

    def fails(*args: object, **kwargs: object) -> Segment:
        e = sqlite3.OperationalError("not now")
        e.sqlite_errorcode = error
        raise e

    monkeypatch.setattr(Segment, "open", fails)
    with pytest.raises(sqlite3.OperationalError):
        open_log(tmp_path)
    assert len(list(tmp_path.glob("*.db"))) == 3


def test_a_newer_newest_file_is_refused(tmp_path: Path) -> None:
    open_log(tmp_path).close()
    conn = sqlite3.connect(path_of(tmp_path, 0))
    conn.execute(f"PRAGMA user_version = {migrate.CURRENT['segment'] + 1}")
    conn.close()
    with pytest.raises(migrate.RefusedError):
        open_log(tmp_path)
    assert path_of(tmp_path, 0).exists()


def test_a_verdict_finds_its_segment_after_a_roll(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    log.append([(AT, pending(0)), (AT, pending(1))], "boot")
    log.segment_bytes = 1
    log.roll(AT.wall_ns)
    log.append([(AT, pending(2))], "boot")
    assert [s.pos for s in log.pending(0, 10)] == [0, 1, 2]
    log.add_verdicts([(0, Verdict({"x": Value(1)})), (2, Verdict(None, "script_error"))])
    assert [s.pos for s in log.pending(0, 10)] == [1]
    log.unlink_below(2)
    log.add_verdicts([(1, Verdict({"x": Value(1)}))])  # its record is gone
    assert log.pending(0, 10) == []
    log.close()


def test_a_damaged_segment_does_not_keep_verdicts_from_the_others(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    for n in range(2):
        log.append([(AT, pending(n))], "boot")
        log.segment_bytes = 1
        log.roll(AT.wall_ns)
    path_of(tmp_path, 0).write_bytes(b"x" * 8192)
    log.add_verdicts([(0, Verdict({"x": Value(1)})), (1, Verdict({"x": Value(1)}))])
    assert log.pending(1, 10) == []
    log.close()


def test_disk_full_stores_nothing_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    put(log, 0)
    log._newest._conn.execute("PRAGMA max_page_count = 12")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        put(log, 1, weight=100_000)
    assert log.tail == 1
    log._newest._conn.execute("PRAGMA max_page_count = 100000")
    (one,) = put(log, 1, weight=100_000)
    assert (one.pos, one.seq) == (1, 1)
    assert numbers(read_all(log)) == [0, 1]
    log.close()


def test_a_roll_that_fails_leaves_the_old_segment_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = open_log(tmp_path)
    put(log, 0)
    log.segment_bytes = 1

    def fails(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as m:
        m.setattr(migrate, "sync_folder", fails)
        with pytest.raises(OSError, match="No space"):
            log.roll(AT.wall_ns)
    put(log, 1)
    copy = copy_of(tmp_path, tmp_path.parent / "copy")
    assert log.roll(AT.wall_ns)
    put(log, 2)
    assert numbers(read_all(log)) == [0, 1, 2]
    log.close()
    log = open_log(copy)
    assert (log.tail, numbers(read_all(log))) == (2, [0, 1])
    log.close()


def test_sizes_add_up(tmp_path: Path) -> None:
    log = three_segments(tmp_path)
    log.add_verdicts([(n, Verdict({"x": Value("y" * 1000)})) for n in range(10)])
    log.measure()
    assert log.room.closed == sum(migrate.size(path_of(tmp_path, s)) for s in log.segments[:-1])
    assert log.bytes_on_disk >= migrate.size(path_of(tmp_path, 20))
    log.unlink_below(20)
    assert log.room.closed == 0
    assert {p.name[:20] for p in tmp_path.iterdir()} == {f"{20:020d}"}
    log.close()


def test_orphans_and_other_files_do_not_count(tmp_path: Path) -> None:
    three_segments(tmp_path).close()
    Path(f"{path_of(tmp_path, 5)}-wal").write_bytes(b"left by an interrupted unlink")
    (tmp_path / "5.db").write_bytes(b"not ours")
    log = open_log(tmp_path)
    assert log.segments == (0, 10, 20)
    assert not Path(f"{path_of(tmp_path, 5)}-wal").exists()
    assert (tmp_path / "5.db").exists()
    assert log.site == SITE
    assert put(log, 1)[0].record == reading(1)
    log.close()
