import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.outbox_fakes import AT, copy_of, numbers, open_log, put, read_all
from torhaus.daemon.outbox import migrate
from torhaus.daemon.outbox.log import Log
from torhaus.daemon.outbox.readers import MAX_OPEN
from torhaus.daemon.outbox.record import Damaged, Stored
from torhaus.daemon.outbox.segment import Segment, path_of


def segments(folder: Path, count: int) -> Log:
    log = open_log(folder)
    for n in range(count):
        put(log, n)
        log.segment_bytes = 1
        log.roll(AT.wall_ns)
    return log


def test_a_segment_is_read_while_it_is_written_rolled_and_unlinked(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    log.segment_bytes = 1
    for n in range(20):
        put(log, n)
        assert numbers(log.read(n, 100)) == [n]
        assert numbers(read_all(log)) == list(range(log.head, n + 1))
        if n % 2:
            log.roll(AT.wall_ns)
            assert numbers(read_all(log)) == list(range(log.head, n + 1))
        if n % 5 == 4:
            log.unlink_below(n - 2)
            log.trim_readers()
            assert numbers(log.read(0, 1000)) == list(range(log.head, min(log.segments[1], n + 1)))
    log.close()


def test_what_was_closed_in_the_middle_is_read_with_its_write_ahead_log(tmp_path: Path) -> None:
    log = open_log(tmp_path / "a")
    put(log, 0, 1)
    log.read(0, 10)  # the reader keeps the file open, so closing it does not fold its write-ahead log in
    log.segment_bytes = 1
    log.roll(AT.wall_ns)
    put(log, 2)
    copy = copy_of(tmp_path / "a", tmp_path / "b")
    assert Path(f"{path_of(copy, 0)}-wal").stat().st_size > 0
    other = open_log(copy)
    assert numbers(read_all(other)) == [0, 1, 2]
    other.close()
    log.close()


def test_only_a_few_are_open_and_none_that_is_gone(tmp_path: Path) -> None:
    log = segments(tmp_path, 10)
    read_all(log)
    assert len(log._readers._open) == MAX_OPEN
    log.unlink_below(log.tail)
    log.trim_readers()
    assert not log._readers._open
    log.close()


def test_a_missing_or_unusable_segment_is_one_damaged_stretch(tmp_path: Path) -> None:
    log = segments(tmp_path, 4)
    path_of(tmp_path, 1).unlink()
    path_of(tmp_path, 2).write_bytes(b"x" * 9000)
    found = read_all(log)
    assert [(r.pos, r.count) for r in found if isinstance(r, Damaged)] == [(1, 1), (2, 1)]
    assert numbers(r for r in found if isinstance(r, Stored)) == [0, 3]
    assert log.pending(0, 10) == []
    log.close()


def operational(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("not now")
    error.sqlite_errorcode = code
    return error


def test_a_file_that_cannot_be_opened_now_is_not_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = segments(tmp_path, 2)
    with monkeypatch.context() as m:
        m.setattr(Segment, "open", lambda *_, **__: (_ for _ in ()).throw(operational(sqlite3.SQLITE_CANTOPEN)))
        for _ in range(3):
            with pytest.raises(sqlite3.OperationalError):
                log.read(0, 10)
            with pytest.raises(sqlite3.OperationalError):
                log.pending(0, 10)
    assert numbers(read_all(log)) == [0, 1]
    log.close()


def test_a_bad_sector_is_given_up_once_the_disk_has_proved_to_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = open_log(tmp_path)
    for n in range(6):
        put(log, n)
    rows = Segment._rows

    def bad_sector(self: Segment, statement: str, pos: int) -> object:
        for row in rows(self, statement, pos):
            if row[0] == 3:
                raise operational(sqlite3.SQLITE_IOERR)
            yield row

    monkeypatch.setattr(Segment, "_rows", bad_sector)
    assert numbers(log.read(0, 10)) == [0, 1, 2]
    for _ in range(3):  # as when the whole disk is gone
        with pytest.raises(sqlite3.OperationalError):
            log.read(3, 10)
    put(log, 6)
    found = log.read(3, 10)
    assert found[0] == Damaged(3, 1, "not now")
    assert numbers(found[1:]) == [4, 5, 6]
    log.close()


def no_index(path: Path, mode: str, connect: Any = migrate._connect, **options: bool) -> sqlite3.Connection:
    """A disk that has no room for the index of a write-ahead log."""
    if mode == "mode=ro":
        raise sqlite3.OperationalError("disk I/O error")
    found: sqlite3.Connection = connect(path, mode, **options)
    return found


def test_on_a_full_disk_closed_segments_are_read_without_an_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = segments(tmp_path, 3)
    put(log, 3)
    with monkeypatch.context() as patch:
        patch.setattr(migrate, "_connect", no_index)
        assert numbers(log.read(0, 10)) == [0]
        assert not (tmp_path / f"{path_of(tmp_path, 0).name}-shm").exists()
        assert numbers(log.read(0, 10)) == [0]
        path_of(tmp_path, 0).with_name(f"{path_of(tmp_path, 0).name}-wal").write_bytes(b"x")
        with pytest.raises(sqlite3.OperationalError):  # somebody writes it: not to be read that way
            log.read(0, 10)
        assert numbers(log.read(1, 10)) == [1]
    path_of(tmp_path, 0).with_name(f"{path_of(tmp_path, 0).name}-wal").unlink()
    assert numbers(read_all(log)) == [0, 1, 2, 3]
    log.close()
