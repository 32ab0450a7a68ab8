"""A segment that was thinned out: its records have numbers of their own, and above what was kept there is a hole."""

from pathlib import Path

import pytest

from tests.daemon.damage_fakes import mend
from tests.daemon.outbox_fakes import AT, open_log, put, read_all, reading
from torhaus.daemon.outbox.log import Log
from torhaus.daemon.outbox.record import Stored
from torhaus.daemon.outbox.segment import path_of
from torhaus.daemon.outbox.thinning import rewrite, swap


def thinned(folder: Path) -> tuple[Log, list[Stored]]:
    """Of sixty records of three devices every third is left; a segment of its own follows."""
    log = open_log(folder)
    for n in range(60):
        log.append([(AT, reading(n % 3, weight=700))], "boot")
    log.segment_bytes = 1
    log.roll(AT.wall_ns)
    put(log, 99)
    log.close()
    made = rewrite(folder, 0, 60, 60, 3)
    assert made is not None
    swap(folder, 0)
    log = open_log(folder)
    return log, [r for r in read_all(log) if isinstance(r, Stored)]


@pytest.mark.parametrize("page", [0, 1])
def test_it_comes_back_as_thin_as_it_was_and_nothing_is_stated_as_lost(tmp_path: Path, page: int) -> None:
    log, before = thinned(tmp_path)
    holes, steps = list(log.holes), log.steps
    assert 0 < len(before) < 30
    with path_of(tmp_path, 0).open("r+b") as file:
        file.seek(page * 4096)
        file.write(bytes(4096))
    assert log.withdraw(0, AT.wall_ns)
    report = mend(log, 0)
    assert (report.salvaged, report.lost_records) == (len(before) - 1, 0)
    assert [r for r in read_all(log) if isinstance(r, Stored)] == before
    assert (list(log.holes), log.steps) == (holes, steps)
    log.close()


def test_how_many_are_lost_is_said_but_not_which(tmp_path: Path) -> None:
    log, before = thinned(tmp_path)
    path = path_of(tmp_path, 0)
    data = path.read_bytes()
    at = data.index(b"\x82\xa5") if b"\x82\xa5" in data else data.rindex(b"boot") + 60
    path.write_bytes(data[:at] + b"\0\0\0" + data[at + 3 :])
    log.withdraw(0, AT.wall_ns)
    report = mend(log, 0)
    assert report.lost_records >= 1
    assert f" lost: of rathaus/{log.store}, thinned out" in report.text()
    assert len([r for r in read_all(log) if isinstance(r, Stored)]) == len(before) - report.lost_records
    log.close()
