"""A write-ahead log whose end was lost: what was in it may have been sent, so its ids are not given out again."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.daemon.outbox_fakes import copy_of, numbers, open_log, put, read_all
from torhaus.daemon.outbox import wal
from torhaus.daemon.outbox.record import Stored
from torhaus.daemon.outbox.segment import Segment, path_of


@pytest.fixture
def crashed(tmp_path: Path) -> Path:
    """The folder of a log that was killed: eight commits in the write-ahead log, each of two frames or more."""
    log = open_log(tmp_path / "a")
    for n in range(8):
        put(log, n, weight=3000)
    copy = copy_of(tmp_path / "a", tmp_path / "b")
    log.close()
    return copy


def ids(folder: Path) -> dict[int, tuple[str, int]]:
    log = open_log(folder)
    found = [s for s in read_all(log) if isinstance(s, Stored)]
    log.close()
    return dict(zip(numbers(found), [(s.store, s.seq) for s in found], strict=True))


def is_torn(folder: Path) -> bool:
    """What a daemon finds that is started on a copy of it."""
    copy = copy_of(folder, folder.with_name(f"{folder.name}x"))
    segment = Segment.open(path_of(copy, 0))
    found = segment.is_torn()
    segment.close()
    shutil.rmtree(copy)
    return found


def test_a_whole_one_is_not_torn(crashed: Path) -> None:
    assert wal.has_content(path_of(crashed, 0))
    assert not is_torn(crashed)
    log = open_log(crashed)
    assert len(log.segments) == 1
    put(log, 8)
    assert not is_torn(crashed)  # it was begun anew, with what is left of the old one behind
    log.close()
    assert not wal.has_content(path_of(crashed, 0))
    assert not is_torn(crashed)


@pytest.mark.parametrize("byte", [0, 9, 17, 30, 32 + 9, 5000, -4000, -9, -4096 - 24 + 9, -4096 - 24 + 13])
def test_no_id_is_given_out_twice_after_a_bit_has_flipped(crashed: Path, tmp_path: Path, byte: int) -> None:
    before = ids(copy_of(crashed, tmp_path / "c"))
    assert len(before) == 8
    log = wal.path_of(path_of(crashed, 0))
    data = bytearray(log.read_bytes())
    data[byte] ^= 4
    log.write_bytes(data)
    assert is_torn(crashed)
    again = open_log(crashed)
    put(again, 100)
    again.close()
    after = ids(crashed)
    assert after.pop(100) not in before.values()
    assert after.items() <= before.items()


def test_a_cut_that_takes_the_end_of_an_unfinished_commit(crashed: Path) -> None:
    log = wal.path_of(path_of(crashed, 0))
    log.write_bytes(log.read_bytes()[:-5000])
    assert is_torn(crashed)
    assert sorted(ids(crashed)) == list(range(7))


def test_none_at_all(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "x.db").close()
    assert not wal.has_content(tmp_path / "x.db")
    wal.make_durable(tmp_path / "x.db")
    assert not wal.path_of(tmp_path / "x.db").exists()
