from pathlib import Path

import pytest

from tests.daemon.damage_fakes import mend
from tests.daemon.outbox_fakes import copy_of, numbers, open_log, put
from torhaus.daemon.outbox.folder import SKIP_AFTER_DAMAGE
from torhaus.daemon.outbox.record import Damaged
from torhaus.daemon.outbox.segment import path_of
from torhaus.daemon.outbox.view import View


def test_there_is_nothing_yet(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "none", tmp_path / "empty"):
        with View(folder) as view:
            assert (view.head, view.tail, view.segments) == (0, 0, ())
            assert view.read(0) == []
            assert list(view.records()) == []
    assert not (tmp_path / "none").exists()


def test_beside_a_log_that_is_written_rolled_and_unlinked(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    log.segment_bytes = 1
    for n in range(6):
        put(log, n)
        if n in {1, 3}:
            log.roll(0)
    with View(tmp_path) as view:
        assert (view.segments, view.head, view.tail) == ((0, 2, 4), 0, 6)
        put(log, 6)
        log.roll(0)
        put(log, 7)
        assert numbers(view.records()) == list(range(6))  # as it was
        assert numbers(view.records(1, 4)) == [1, 2, 3]
        log.unlink_below(2)
        assert numbers(view.records(3)) == [3, 4, 5]
        assert numbers(view.records()) == [2, 3, 4, 5]
    log.close()


def test_after_a_crash_the_write_ahead_log_counts(tmp_path: Path) -> None:
    log = open_log(tmp_path / "log")
    put(log, 0, 1, 2)
    crashed = copy_of(tmp_path / "log", tmp_path / "crashed")
    before = {p.name: p.read_bytes() for p in crashed.iterdir()}
    with View(crashed) as view:
        assert numbers(view.records()) == [0, 1, 2]
    assert {name: (crashed / name).read_bytes() for name in before} == before
    log.close()


def test_holes_are_left_out(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    put(log, 0, 1)
    log.close()
    log = open_log(tmp_path, floor=10)
    put(log, 2)
    with View(tmp_path) as view:
        assert numbers(view.records()) == [2]  # the others wait to be salvaged
    mend(log, 0)
    log.close()
    with View(tmp_path) as view:
        assert view.tail > SKIP_AFTER_DAMAGE
        assert numbers(view.records()) == [0, 1, 2]


@pytest.mark.parametrize("content", [b"", b"no database" * 400])
def test_damage_is_told(tmp_path: Path, content: bytes) -> None:
    log = open_log(tmp_path)
    log.segment_bytes = 1
    put(log, 0, 1)
    log.roll(0)
    put(log, 2)
    log.close()
    path_of(tmp_path, 0).write_bytes(content)
    with View(tmp_path) as view:
        damaged, good = view.records()
        assert isinstance(damaged, Damaged)
        assert (damaged.pos, damaged.count, numbers([good])) == (0, 2, [2])
    path_of(tmp_path, 2).write_bytes(content)
    with View(tmp_path) as view:
        assert view.tail == 2  # whatever it held cannot be known


def test_a_damaged_end(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    put(log, 0)
    put(log, 1)
    log.close()
    path = path_of(tmp_path, 0)
    data = bytearray(path.read_bytes())
    data[data.rindex(b"d1", 0, data.rindex(b"d0"))] = 0  # rows grow from the end of a page; ids elsewhere are random
    path.write_bytes(data)
    with View(tmp_path) as view:
        good, damaged = view.records()
        assert numbers([good]) == [0]
        assert isinstance(damaged, Damaged)
        assert damaged.pos == 1
