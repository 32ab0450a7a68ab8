from pathlib import Path

import pytest

from tests.daemon.outbox_fakes import MACHINE, SITE, reading
from torhaus.codecs.model import Stamp
from torhaus.daemon.outbox.log import Log
from torhaus.daemon.outbox.segment import path_of
from torhaus.daemon.outbox.times import stretch

S = 10**9


def fill(folder: Path, *segments: list[tuple[int, bool]]) -> tuple[int, ...]:
    """Records with these wall seconds and synced flags; boot time is the position."""
    log = Log(folder, SITE, max_bytes=1 << 30, max_age_ns=0, now_ns=0, machine=MACHINE)
    log.segment_bytes = 1
    for n, segment in enumerate(segments):
        if n:
            log.roll(0)
        for wall, synced in segment:
            log.append([(Stamp(wall * S, log.tail * S, synced), reading(0))], "boot")
    log.close()
    return log.segments


def find(folder: Path, segments: tuple[int, ...], since: int, until: int | None = None, **boots: int) -> object:
    looked: list[tuple[int, int]] = []
    end = None if until is None else until * S
    found = stretch(folder, segments, since * S, end, boots, lambda n, of: looked.append((n, of)))
    return found, len(looked)


def right(*walls: int) -> list[tuple[int, bool]]:
    return [(w, True) for w in walls]


def test_an_orderly_log_is_read_back_to_the_first_segment_that_is_too_old(tmp_path: Path) -> None:
    segments = fill(tmp_path, right(1, 2), right(3, 4), right(5, 6), right(7, 8))
    assert find(tmp_path, segments, 6) == ((5, 8), 3)
    assert find(tmp_path, segments, 0) == ((0, 8), 4)
    assert find(tmp_path, segments, 9) == (None, 1)
    assert find(tmp_path, segments, 4, 7) == ((3, 6), 4)
    assert find(tmp_path, segments, 4, 4) == (None, 4)  # nothing is before itself


def test_a_clock_that_was_set_back(tmp_path: Path) -> None:
    segments = fill(tmp_path, right(100, 101, 50, 51), right(52, 102))
    assert find(tmp_path, segments, 101) == ((1, 6), 2)  # what lies between goes along
    assert find(tmp_path, segments, 100, 102) == ((0, 2), 2)


def test_times_before_synchronisation_are_corrected(tmp_path: Path) -> None:
    segments = fill(tmp_path, [(0, False), (0, False), (1002, True)])
    assert find(tmp_path, segments, 1001, boot=1000 * S) == ((1, 3), 1)
    assert find(tmp_path, segments, 1001) == ((2, 3), 1)


def test_unknown_times_do_not_end_the_search(tmp_path: Path) -> None:
    segments = fill(tmp_path, right(100), [(0, False)] * 2, right(101))
    assert find(tmp_path, segments, 100) == ((0, 4), 3)


@pytest.mark.parametrize("content", [b"", b"no database" * 400])
def test_damage_does_not_end_it_either(tmp_path: Path, content: bytes) -> None:
    segments = fill(tmp_path, right(100), right(101), right(102))
    path_of(tmp_path, 1).write_bytes(content)
    assert find(tmp_path, segments, 100) == ((0, 3), 3)
    path_of(tmp_path, 2).unlink()  # removed while we look
    assert find(tmp_path, segments, 100) == ((0, 1), 3)


def test_rows_that_claim_anything(tmp_path: Path) -> None:
    import sqlite3

    segments = fill(tmp_path, right(100, 101))
    conn = sqlite3.connect(path_of(tmp_path, 0))
    conn.execute("INSERT INTO batch VALUES (-5, 1, 0, 'boot', 0, 0, x'00')")
    conn.execute("INSERT INTO batch VALUES (9223372036854775807, 1, 0, 'boot', 0, 0, ?)", (b"\xff" * 4000,))
    conn.execute("INSERT INTO batch VALUES (7, 1, 0, 'boot', 0, 0, ?)", (b"\xff" * 5,))
    conn.commit()
    conn.close()
    assert find(tmp_path, segments, 100) == ((0, 2), 1)


def test_an_empty_newest_segment_does_not_end_the_search(tmp_path: Path) -> None:
    segments = fill(tmp_path, right(1, 2), right(3, 4), [])
    assert find(tmp_path, segments, 2) == ((1, 4), 3)
