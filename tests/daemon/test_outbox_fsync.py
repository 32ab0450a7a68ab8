"""What an fsync that failed leaves behind is not built on."""

import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.outbox_fakes import copy_of, numbers, open_log, put, read_all, replace
from torhaus.daemon.outbox import wal
from torhaus.daemon.outbox.folder import SKIP_AFTER_DAMAGE
from torhaus.daemon.outbox.record import Stored
from torhaus.daemon.outbox.segment import path_of


def failed_fsync() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
    return error


def test_after_an_fsync_that_failed_nothing_is_built_on_what_it_left(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    put(log, 1, 2)
    store, append = log.store, log._newest.append

    def unproved(*row: Any) -> None:
        """The commit is in the file, as after a crash it may be, and SQLite was told that it is not."""
        append(*row)
        raise failed_fsync()

    replace(log._newest, "append", unproved)
    with pytest.raises(sqlite3.OperationalError):
        put(log, 3)
    assert numbers(read_all(log)) == [1, 2]
    again = put(log, 4)
    assert again[0].store != store
    assert again[0].pos == 2 + SKIP_AFTER_DAMAGE
    assert log.holes.count(0, log.tail) == SKIP_AFTER_DAMAGE
    assert numbers(read_all(log)) == [1, 2, 4]
    assert log.records == 3
    log.close()
    log = open_log(tmp_path)
    found = [r for r in read_all(log) if isinstance(r, Stored)]
    assert numbers(found) == [1, 2, 3, 4]  # what was not acknowledged came to be there after all, as after a crash
    assert len({(r.store, r.seq) for r in found}) == 4
    log.close()


def test_an_fsync_that_fails_for_the_first_records_leaves_an_empty_segment(tmp_path: Path) -> None:
    log = open_log(tmp_path)

    def fail(*_: Any) -> None:
        raise failed_fsync()

    replace(log._newest, "append", fail)
    with pytest.raises(sqlite3.OperationalError):
        put(log, 1)
    put(log, 2)
    assert numbers(read_all(log)) == [2]
    log.unlink_below(log.tail)
    assert len(log.segments) == 1
    assert numbers(read_all(log)) == [2]
    log.close()


def test_a_write_ahead_log_that_is_found_is_brought_to_the_disk_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel may have it in memory only: a page that could not be written counts as clean."""
    log = open_log(tmp_path / "a")
    put(log, *range(100), weight=20_000)
    copy = copy_of(tmp_path / "a", tmp_path / "b")
    log.close()
    log_file = wal.path_of(path_of(copy, 0))
    before, written = log_file.read_bytes(), bytearray()
    write, fsync, flushed = os.pwrite, os.fsync, []

    def pwrite(fd: int, data: bytes, at: int) -> int:
        assert at == len(written)
        written.extend(data[:100_000])
        return write(fd, data[:100_000], at)  # a disk may take less than it was given

    def note(fd: int) -> None:
        flushed.append(str(Path(f"/proc/self/fd/{fd}").readlink()))
        fsync(fd)

    monkeypatch.setattr(os, "pwrite", pwrite)
    monkeypatch.setattr(os, "fsync", note)
    wal.make_durable(path_of(copy, 0))
    assert len(before) > 1 << 20
    assert written == before == log_file.read_bytes()
    assert flushed == [str(log_file)]
    written.clear()
    log = open_log(copy)
    assert flushed.count(str(log_file)) == 2  # so it is whenever a file is opened to be written
    assert numbers(read_all(log)) == list(range(100))
    log.close()
