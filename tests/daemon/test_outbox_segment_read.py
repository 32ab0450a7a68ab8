import contextlib
import sqlite3
from pathlib import Path

import pytest

from tests.daemon.outbox_fakes import AT, numbers, pending, reading
from tests.daemon.segment_fakes import STORE, change, create, fill, told
from torhaus.codecs.model import Value
from torhaus.daemon.outbox import migrate
from torhaus.daemon.outbox.record import Damaged, Stored, Verdict, pack, seed
from torhaus.daemon.outbox.segment import Segment, path_of


def test_rows_are_read_from_any_position_and_in_any_portion(tmp_path: Path) -> None:
    segment = create(tmp_path, 50)
    end = fill(segment, 3, 1, 4)
    assert segment.end() == (58, 1008)
    for pos in range(50, 59):
        for most in range(1, 10):
            assert numbers(segment.read(pos, end, most)) == list(range(pos, min(pos + most, end)))
    assert numbers(segment.read(50, 54, 100)) == [50, 51, 52, 53]
    assert numbers(segment.read(50, end, 100, max_bytes=1)) == [50, 51, 52]
    segment.close()


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("DELETE FROM batch WHERE first = 3", [0, 1, 2, (3, 1), 4, 5, 6, 7]),
        ("DELETE FROM batch WHERE first = 0", [(0, 3), 3, 4, 5, 6, 7]),
        ("DELETE FROM batch WHERE first = 4", [0, 1, 2, 3, (4, 4)]),
        ("UPDATE batch SET n = 1 WHERE first = 0", [0, 1, 2, 3, 4, 5, 6, 7]),
        ("UPDATE batch SET n = 1000 WHERE first = 0", [0, 1, 2, 3, 4, 5, 6, 7]),
        ("UPDATE batch SET seq = 9 WHERE first = 0", [(0, 3), 3, 4, 5, 6, 7]),
        ("UPDATE batch SET seq = -1 WHERE first = 0", [(0, 3), 3, 4, 5, 6, 7]),
        ("UPDATE batch SET first = 2 WHERE first = 3", [0, 1, 2, (3, 1), 4, 5, 6, 7]),
        ("UPDATE batch SET first = 6 WHERE first = 3", [0, 1, 2, (3, 1), 4, 5, 6, 7]),
        ("UPDATE batch SET boot = 'boos' WHERE first = 3", [0, 1, 2, (3, 1), 4, 5, 6, 7]),
        ("UPDATE batch SET boot = CAST(x'ff' AS TEXT) WHERE first = 3", [0, 1, 2, (3, 1), 4, 5, 6, 7]),
        ("UPDATE batch SET data = substr(data, 1, length(data) - 1) WHERE first = 4", [0, 1, 2, 3, 4, 5, 6, (7, 1)]),
        ("UPDATE batch SET data = x'' WHERE first = 0", [(0, 3), 3, 4, 5, 6, 7]),
    ],
)
def test_what_was_changed_is_damaged_and_its_neighbours_are_not(
    tmp_path: Path, statement: str, expected: list[int | tuple[int, int]]
) -> None:
    segment = create(tmp_path)
    end = fill(segment, 3, 1, 4)
    segment.close()
    change(path_of(tmp_path, 0), statement)
    segment = Segment.open(path_of(tmp_path, 0), read_only=True)
    assert told(segment.read(0, end, 100)) == expected
    one_by_one: list[int | tuple[int, int]] = []
    pos = 0
    while pos < end:
        found = segment.read(pos, end, 1)
        assert found, "an empty answer means the end of the log"
        one_by_one += told(found)
        pos = found[-1].pos + (found[-1].count if isinstance(found[-1], Damaged) else 1)
    assert [x for x in one_by_one if isinstance(x, int)] == [x for x in expected if isinstance(x, int)]
    segment.close()


def test_a_row_of_wrong_types_is_damaged(tmp_path: Path) -> None:
    segment = create(tmp_path)
    end = fill(segment, 1, 1, 1)
    segment.close()
    with contextlib.closing(sqlite3.connect(path_of(tmp_path, 0))) as conn, conn:  # STRICT is checked on writing only
        conn.execute("PRAGMA writable_schema = ON")
        conn.execute("UPDATE sqlite_master SET sql = replace(replace(sql, 'STRICT', ''), 'NOT NULL', '')")
    change(path_of(tmp_path, 0), "UPDATE batch SET data = 'text', boot = NULL, n = NULL WHERE first = 1")
    change(path_of(tmp_path, 0), "UPDATE batch SET seq = 'text' WHERE first = 2")
    segment = Segment.open(path_of(tmp_path, 0), read_only=True)
    assert told(segment.read(0, end, 10)) == [0, (1, 2)]
    segment.close()


def test_a_page_that_sqlite_cannot_read_costs_what_is_on_it(tmp_path: Path) -> None:
    segment = create(tmp_path)
    end = fill(segment, *[1] * 400, weight=300)
    segment.close()
    path = path_of(tmp_path, 0)
    data = bytearray(path.read_bytes())
    page = len(data) // 4096 // 2
    data[page * 4096 : page * 4096 + 8] = b"\xff" * 8
    path.write_bytes(data)
    segment = Segment.open(path, read_only=True)
    found = segment.read(0, end, 1000, 1 << 30)
    segment.close()
    damaged = [r for r in found if isinstance(r, Damaged)]
    good = numbers(r for r in found if isinstance(r, Stored))
    assert 0 < sum(r.count for r in damaged) < 20
    lost = {p for r in damaged for p in range(r.pos, r.pos + r.count)}
    assert good == [p for p in range(end) if p not in lost]


@pytest.mark.parametrize("column", ["store = '3f2a91c1'", "first = 1", "first_seq = 1", "machine = 'm2'", "site = 'x'"])
def test_a_changed_description_is_damage(tmp_path: Path, column: str) -> None:
    create(tmp_path).close()
    change(path_of(tmp_path, 0), f"UPDATE meta SET {column}")
    with pytest.raises(migrate.SchemaError, match="description") as e:
        Segment.open(path_of(tmp_path, 0))
    assert migrate.is_damage(e.value)


@pytest.mark.parametrize("column", ["n = 2", "n = 4", "seq = 5", "first = 9", "boot = 'x'", "data = x'00'"])
def test_an_end_that_is_not_proved_is_none(tmp_path: Path, column: str) -> None:
    segment = create(tmp_path)
    fill(segment, 2, 3)
    segment.close()
    change(path_of(tmp_path, 0), f"UPDATE batch SET {column} WHERE first = 2")
    segment = Segment.open(path_of(tmp_path, 0))
    with pytest.raises(migrate.SchemaError, match="last row"):
        segment.end()
    assert segment.newest() is None
    assert segment.extent() >= 2
    segment.close()


def test_verdicts_are_applied_when_read(tmp_path: Path) -> None:
    segment = create(tmp_path)
    rows = [(AT, pending(0)), (AT, reading(1)), (AT, pending(2)), (AT, pending(3))]
    segment.append(0, 4, 1000, "boot", AT.wall_ns, 3, pack(rows, 0, 1000, seed(STORE, "boot")))
    assert [s.pos for s in segment.pending(0, 10)] == [0, 2, 3]
    assert [s.pos for s in segment.pending(1, 1)] == [2]
    fields = {"t": Value(21.5, "Cel")}
    segment.add_verdicts([(0, Verdict(fields)), (2, Verdict(None, "script_error", "bad"))])
    segment.add_verdicts([(2, Verdict(None, "script_time"))])  # the later one counts
    assert [s.pos for s in segment.pending(0, 10)] == [3]
    found = segment.read(0, 4, 10)
    records = [r.record for r in found if isinstance(r, Stored)]
    assert [(r.kind, r.pending, r.reason) for r in records] == [
        ("reading", False, None),
        ("reading", False, None),
        ("frame", False, "script_time"),
        ("frame", True, None),
    ]
    assert records[0].fields == fields
    segment.close()


@pytest.mark.parametrize("column", ["crc = crc + 1", "data = x'93c0'", "pos = 7"])
def test_a_damaged_verdict_is_none(tmp_path: Path, column: str) -> None:
    segment = create(tmp_path)
    segment.append(0, 1, 1000, "boot", AT.wall_ns, 1, pack([(AT, pending(0))], 0, 1000, seed(STORE, "boot")))
    segment.add_verdicts([(0, Verdict({"x": Value(1)}))])
    segment.close()
    change(path_of(tmp_path, 0), f"UPDATE verdict SET {column}")
    segment = Segment.open(path_of(tmp_path, 0))
    (one,) = segment.pending(0, 10)
    assert one.record == pending(0)
    segment.close()
