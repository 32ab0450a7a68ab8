from pathlib import Path

import pytest

from tests.daemon.outbox_fakes import open_log, put
from torhaus.daemon.outbox.migrate import SchemaError
from torhaus.daemon.outbox.older import Older, by_segment
from torhaus.daemon.outbox.segment import path_of


def test_it_keeps_one_open(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    for n in range(3):
        put(log, n)
        log.segment_bytes = 1
        log.roll(0)
    closed: list[int] = []
    older = Older(tmp_path, closed.append)
    kept = [older.first]
    one = older.open(0)
    assert older.open(0) is one
    kept.append(older.first)
    assert older.open(1) is not one
    kept.append(older.first)
    assert kept == [None, 0, 1]
    assert closed == [0]
    path_of(tmp_path, 0).write_bytes(b"")
    with pytest.raises(SchemaError):
        older.open(0)
    assert older.first is None
    older.close()
    log.close()


def test_what_belongs_to_which_segment() -> None:
    items = [(4, "a"), (5, "b"), (9, "c"), (7, "d"), (99, "e")]
    assert by_segment((5, 9), items) == {5: [(5, "b"), (7, "d")], 9: [(9, "c"), (99, "e")]}
