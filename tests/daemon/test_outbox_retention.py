from pathlib import Path

from tests.daemon.outbox_fakes import SITE
from torhaus.codecs.model import Stamp
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.record import Record, pack, seed
from torhaus.daemon.outbox.retention import LEAST_AGE_NS, LEAST_RECORDS, Ages, Dropped, Limit, excess
from torhaus.daemon.outbox.segment import Segment, path_of


def segment(folder: Path, first: int, at: Stamp, boot: str = "boot") -> None:
    s = Segment.create(folder, SITE, "3f2a91c0", first, first, 0)
    s.append(
        first, 1, first, boot, at.wall_ns, 0, pack([(at, Record("frame", "gw"))], first, first, seed("3f2a91c0", boot))
    )
    s.close()


def test_by_size_the_oldest_go_until_it_is_enough_and_never_the_newest() -> None:
    sizes = {0: 10, 5: 20}
    assert excess((0, 5, 9), sizes, 0, 0) == []
    assert excess((0, 5, 9), sizes, 10, 0) == [Dropped(0, 5, "size")]
    assert excess((0, 5, 9), sizes, 11, 0) == [Dropped(0, 5, "size"), Dropped(5, 9, "size")]
    assert excess((0, 5, 9), sizes, 999, 0) == [Dropped(0, 5, "size"), Dropped(5, 9, "size")]
    assert excess((0, 5, 9), sizes, 10, 2) == [Dropped(0, 5, "size"), Dropped(5, 9, "age")]
    assert excess((9,), {}, 999, 0) == []


def test_only_known_times_make_old(tmp_path: Path) -> None:
    segment(tmp_path, 0, Stamp(100, 5, True))
    segment(tmp_path, 1, Stamp(100, 5, False), "lost boot")
    segment(tmp_path, 2, Stamp(0, 5, False), "known boot")
    path_of(tmp_path, 3).write_bytes(b"x" * 5000)
    segment(tmp_path, 4, Stamp(900, 5, True))
    names = (0, 1, 2, 3, 4, 5)
    boots = {"known boot": 495}
    assert Ages(tmp_path).aged(names, 50, boots) == 0
    assert Ages(tmp_path).aged(names, 101, boots) == 1
    assert Ages(tmp_path).aged(names, 500, boots) == 1
    assert Ages(tmp_path).aged(names, 501, boots) == 3  # the one in between is older, whatever its clock said
    assert Ages(tmp_path).aged(names, 901, boots) == 5
    assert Ages(tmp_path).aged(names, 901, {}) == 5
    ages = Ages(tmp_path)
    assert ages.aged(names[:2], 901, boots) == 1
    path_of(tmp_path, 0).unlink()
    assert ages.aged(names[:2], 901, boots) == 1  # looked at once
    ages.forget(0)
    assert ages.aged(names[:2], 901, boots) == 0


def test_a_clock_that_was_put_back_for_a_while_makes_nothing_old(tmp_path: Path) -> None:
    segment(tmp_path, 0, Stamp(100, 7_000, True), "this boot")  # stamped while the clock was years behind
    boots = {"this boot": 2_000}
    assert Ages(tmp_path).aged((0, 1), 8_999, boots) == 0
    assert Ages(tmp_path).aged((0, 1), 9_001, boots) == 1
    assert Ages(tmp_path).aged((0, 1), 8_999, {}) == 1


def test_by_count_the_oldest_go_and_holes_are_no_records() -> None:
    segments, sizes = (0, 10, 20, 30), {0: 5, 10: 5, 20: 5}
    assert excess(segments, sizes, 0, 0, 1) == [Dropped(0, 10, "records")]
    assert excess(segments, sizes, 0, 0, 11) == [Dropped(0, 10, "records"), Dropped(10, 20, "records")]
    holes = Ranges([(2, 10)])
    assert excess(segments, sizes, 0, 0, 3, holes) == [Dropped(0, 10, "records"), Dropped(10, 20, "records")]
    assert excess(segments, sizes, 6, 3, 1) == [
        Dropped(0, 10, "size"),
        Dropped(10, 20, "size"),
        Dropped(20, 30, "age"),
    ]


def test_a_limit_sets_how_much_a_segment_has() -> None:
    assert (Limit(max_bytes=1).segment_records, Limit(max_bytes=1).segment_age_ns) == (0, 0)
    limit = Limit(max_bytes=1, max_records=80_000, max_age_ns=8 * 3600 * 10**9)
    assert (limit.segment_records, limit.segment_age_ns) == (10_000, 3600 * 10**9)
    small = Limit(max_bytes=1, max_records=1, max_age_ns=1)
    assert (small.segment_records, small.segment_age_ns) == (LEAST_RECORDS, LEAST_AGE_NS)
