import random
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.daemon.damage_fakes import mend
from tests.daemon.outbox_fakes import AT, numbers, open_log, pending, put, read_all, reading
from torhaus.codecs.model import Value
from torhaus.daemon.outbox import aside
from torhaus.daemon.outbox.log import Log
from torhaus.daemon.outbox.mending import job_of
from torhaus.daemon.outbox.record import Stored, Verdict
from torhaus.daemon.outbox.salvage import UNFINISHED, StoppedError, salvage
from torhaus.daemon.outbox.segment import Segment, path_of

PAGE = 4096


def filled(folder: Path) -> tuple[Log, list[Stored]]:
    """Segments that begin at 0, 60 and 120; the one in the middle is to be damaged."""
    log = open_log(folder)
    stored = []
    for n in range(0, 180, 3):
        if n in (60, 120):
            log.segment_bytes = 1
            log.roll(AT.wall_ns)
            log.segment_bytes = 1 << 30
        stored += put(log, n, n + 1, n + 2, weight=1500 if n % 4 else 9000)
    assert log.segments == (0, 60, 120)
    return log, stored


def damage(path: Path, change: Callable[[bytearray], None]) -> None:
    data = bytearray(path.read_bytes())
    change(data)
    path.write_bytes(data)


def zeroed(start: int, size: int = PAGE) -> Callable[[bytearray], None]:
    def change(data: bytearray) -> None:
        data[start : start + size] = bytes(size)

    return change


def read_again(folder: Path) -> list[Stored]:
    log = open_log(folder)
    found = [r for r in read_all(log) if isinstance(r, Stored)]
    log.close()
    return found


@pytest.mark.parametrize(
    "change",
    [zeroed(0), zeroed(0, 100), zeroed(100, 2000), zeroed(PAGE), zeroed(2 * PAGE), zeroed(0, 3 * PAGE)],
    ids=["first page", "header", "schema", "meta", "interior page", "all of them"],
)
def test_what_leads_to_the_rows_may_be_lost(tmp_path: Path, change: Callable[[bytearray], None]) -> None:
    log, stored = filled(tmp_path)
    damage(path_of(tmp_path, 60), change)
    assert log.withdraw(60, 17 * 10**9)
    report = mend(log, 60)
    assert (report.salvaged, report.lost_records, report.lost) == (60, 0, [])
    assert [r for r in read_all(log) if isinstance(r, Stored)] == stored
    log.close()
    assert read_again(tmp_path) == stored


@pytest.mark.parametrize("length", [0, 1, 100, 5000, 100_000])
def test_of_a_truncated_file_what_is_there_comes_back(tmp_path: Path, length: int) -> None:
    log, stored = filled(tmp_path)
    path = path_of(tmp_path, 60)
    path.write_bytes(path.read_bytes()[:length])
    log.withdraw(60, AT.wall_ns)
    report = mend(log, 60)
    lost = {p for a, b in report.lost for p in range(a, b)}
    assert [r for r in read_all(log) if isinstance(r, Stored)] == [r for r in stored if r.pos not in lost]
    assert (report.salvaged + report.lost_records, len(lost)) == (60, report.lost_records)
    assert (report.salvaged > 0) == (length == 100_000)
    assert lost <= set(range(60, 120))
    log.close()


def test_the_loss_is_a_number_and_a_range_of_ids(tmp_path: Path) -> None:
    log, stored = filled(tmp_path)
    path = path_of(tmp_path, 60)
    data = path.read_bytes()
    at = data.index(b"d77")
    damage(path, zeroed(at, 3))
    log.withdraw(60, AT.wall_ns)
    report = mend(log, 60)
    assert report.text() == f"59 records salvaged, 1 lost: rathaus/{log.store}/77-77"
    assert [r for r in read_all(log) if isinstance(r, Stored)] == [r for r in stored if r.pos != 77]
    assert aside.reports(tmp_path) == [report]
    log.close()


def test_with_every_description_lost_the_records_prove_their_store(tmp_path: Path) -> None:
    log, stored = filled(tmp_path)
    store = log.store
    for first in (0, 60):
        damage(path_of(tmp_path, first), zeroed(PAGE))
        log.withdraw(first, AT.wall_ns)
    for first in (0, 60):
        job = job_of(log, first, AT.wall_ns, ["00000000", store])
        report = salvage(job, threading.Event())
        assert (report.store, report.salvaged) == (store, 60)
    job = job_of(log, 60, AT.wall_ns)
    assert job.stores == (store,)  # told by the segment after it
    log.close()
    assert len(stored) == 180


def test_junk_is_not_taken_for_records_and_all_of_it_is_stated_as_lost(tmp_path: Path) -> None:
    log, stored = filled(tmp_path)
    path_of(tmp_path, 60).write_bytes(random.Random(1).randbytes(200_000))
    log.withdraw(60, AT.wall_ns)
    report = mend(log, 60)
    assert (report.salvaged, report.lost_records, report.is_end_known) == (0, 60, True)
    assert [r for r in read_all(log) if isinstance(r, Stored)] == [r for r in stored if not 60 <= r.pos < 120]
    log.close()


def test_verdicts_and_alarms_come_back_too(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    loud = reading(1)
    loud.alarm = True
    log.append([(AT, pending(0)), (AT, loud), (AT, pending(2)), (AT, pending(3))], "boot")
    log.add_verdicts([(0, Verdict({"t": Value(1)})), (2, Verdict({"t": Value(2)}, alarm=True))])
    log.segment_bytes = 1
    log.roll(AT.wall_ns)
    put(log, 9)
    before = read_all(log)
    damage(path_of(tmp_path, 0), zeroed(0, 100))
    log.withdraw(0, AT.wall_ns)
    mend(log, 0)
    assert read_all(log) == before
    assert log.alarms(0, 10) == [1, 2]
    assert [r.pos for r in log.pending(0, 10)] == [3]
    log.close()


def test_what_is_salvaged_is_a_segment_like_any_other(tmp_path: Path) -> None:
    log, _ = filled(tmp_path)
    log.withdraw(60, AT.wall_ns)
    mend(log, 60)
    log.close()
    path = path_of(tmp_path, 60)
    segment = Segment.open(path)
    assert (segment.site, segment.store, segment.first_seq, segment.end()) == ("rathaus", log.store, 60, (120, 120))
    segment.close()
    conn = sqlite3.connect(path)
    assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert conn.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    conn.close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_one_that_is_stopped_leaves_everything_as_it_was(tmp_path: Path) -> None:
    log, stored = filled(tmp_path)
    log.withdraw(60, AT.wall_ns)
    stop = threading.Event()
    stop.set()
    with pytest.raises(StoppedError):
        salvage(job_of(log, 60, AT.wall_ns), stop)
    assert log.waiting == (60,)
    log.close()
    log = open_log(tmp_path)
    assert log.waiting == (60,)
    assert not (tmp_path / UNFINISHED).exists()
    assert numbers(read_all(log)) == [*range(60), *range(120, 180)]
    mend(log, 60)
    assert [r for r in read_all(log) if isinstance(r, Stored)] == stored
    log.close()
