import contextlib
import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torhaus.daemon.outbox.pages import CHAIN_FACTOR, Database, Row, decode, varint

VALUES: list[Any] = [None, 0, 1, -1, 127, -129, 40_000, 1 << 40, -(1 << 62), 1.5, "", "tür", b"", b"\xff" * 30]


def rows_of(path: Path) -> list[Row]:
    with contextlib.closing(Database(path)) as database:
        return list(database.rows())


def connect(path: Path, page_size: int = 4096) -> sqlite3.Connection:
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute(f"PRAGMA page_size={page_size}")
    conn.execute("CREATE TABLE t (k INTEGER PRIMARY KEY, a, b)")
    conn.execute("CREATE TABLE w (a TEXT, b, c, PRIMARY KEY (a)) WITHOUT ROWID")
    return conn


def fill(conn: sqlite3.Connection, count: int, seed: int = 1) -> tuple[set[Any], set[Any]]:
    """Rows of both kinds, some of them longer than a page; what is in each table."""
    rand = random.Random(seed)
    table, index = set(), set()
    conn.execute("BEGIN")
    for n in range(count):
        long = rand.randbytes(rand.choice((0, 5, 100, 1000, 9000, 30_000)))
        row = (n * 3 - 50, rand.choice(VALUES), long)
        conn.execute("INSERT INTO t VALUES (?, ?, ?)", row)
        table.add(row)
        other = (f"key {n} {long.hex()[:400]}", rand.choice(VALUES), long[:2000])
        conn.execute("INSERT INTO w VALUES (?, ?, ?)", other)
        index.add(other)
    conn.execute("COMMIT")
    return table, index


def found(path: Path) -> tuple[set[Any], set[Any]]:
    whole = [r for r in rows_of(path) if r.is_whole and len(r.values) == 3]
    return (
        {(r.rowid, *r.values[1:]) for r in whole if r.rowid is not None and r.values[0] is None},
        {r.values for r in whole if r.rowid is None},
    )


@pytest.mark.parametrize("page_size", [512, 1024, 4096, 65536])
def test_all_rows_of_a_whole_file_are_found(tmp_path: Path, page_size: int) -> None:
    conn = connect(tmp_path / "x.db", page_size)
    there = fill(conn, 300)
    conn.close()
    assert found(tmp_path / "x.db") == there


def test_the_write_ahead_log_counts(tmp_path: Path) -> None:
    conn = connect(tmp_path / "x.db")
    conn.execute("PRAGMA journal_mode=WAL").fetchone()
    conn.execute("PRAGMA wal_autocheckpoint=0").fetchone()
    there = fill(conn, 200)
    assert found(tmp_path / "x.db") == there
    conn.execute("DELETE FROM t WHERE k < 100")
    table, _ = found(tmp_path / "x.db")
    assert table >= {row for row in there[0] if row[0] >= 100}
    conn.close()


def test_rows_are_found_whatever_has_become_of_the_tree(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    conn = connect(path)
    there = fill(conn, 300)
    conn.close()
    data = bytearray(path.read_bytes())
    for start in range(4096, len(data), 4096):  # every page that only leads to others
        if data[start] == 5:
            data[start : start + 4096] = bytes(4096)
    data[:100] = b"\xff" * 100
    path.write_bytes(data)
    assert found(path) == there


@pytest.mark.parametrize("size", [0x0200, 0x0800, 0x2000, 0x8000, 0x0001, 0x1001])
def test_a_changed_page_size_is_seen_through(tmp_path: Path, size: int) -> None:
    path = tmp_path / "x.db"
    conn = connect(path)
    there = fill(conn, 200)
    conn.close()
    data = bytearray(path.read_bytes())
    data[16:18] = size.to_bytes(2, "big")
    path.write_bytes(data)
    assert found(path) == there


def test_of_a_truncated_file_what_is_there_is_found_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    conn = connect(path)
    there = fill(conn, 60)
    conn.close()
    data = path.read_bytes()
    rand = random.Random(3)
    seen = []
    for length in [0, 1, 99, 100, 512, *(rand.randrange(len(data)) for _ in range(60)), len(data)]:
        path.write_bytes(data[:length])
        table, index = found(path)
        assert table <= there[0]
        assert index <= there[1]
        seen.append((length, len(table)))
    assert max(seen)[1] == 60
    assert len({n for _, n in seen}) > 10


def test_changed_bytes_cost_the_rows_of_their_page_at_most(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    conn = connect(path)
    conn.execute("BEGIN")
    there = {(n, f"{n:06d}" * 8) for n in range(2000)}
    conn.executemany("INSERT INTO t VALUES (?, NULL, ?)", sorted(there))
    conn.execute("COMMIT")
    conn.close()
    data = path.read_bytes()
    rand = random.Random(4)
    for _ in range(60):
        changed = bytearray(data)
        offset = rand.randrange(4096, len(data))
        changed[offset] ^= 1 << rand.randrange(8)
        path.write_bytes(changed)
        page = data[offset // 4096 * 4096 :][:4096]
        kept = {row for row in there if row[1].encode() not in page}
        assert {(r.rowid, r.values[2]) for r in rows_of(path) if len(r.values) == 3} >= kept


@pytest.mark.parametrize("seed", range(30))
def test_junk_does_not_stop_it(tmp_path: Path, seed: int) -> None:
    rand = random.Random(seed)
    path = tmp_path / "x.db"
    conn = connect(path)
    fill(conn, 40, seed)
    conn.close()
    data = bytearray(path.read_bytes())
    for _ in range(rand.randrange(1, 40)):
        at, size = rand.randrange(len(data)), rand.randrange(1, 3000)
        data[at : at + size] = rand.randbytes(size)
    path.write_bytes(data if seed % 3 else rand.randbytes(50_000))
    Path(f"{path}-wal").write_bytes(rand.randbytes(20_000))
    for row in rows_of(path):
        assert len(row.values) <= 32


def test_rows_that_share_overflow_pages_cannot_make_it_read_for_ever(tmp_path: Path) -> None:
    """Every cell claims a row as long as the file whose pages lead in a circle."""
    pages = 64
    cell = b"\xff\xff\x7f" + b"\x01" + b"\x02\x00" + b"x" * 100
    leaf = bytearray(4096)
    count = 300
    leaf[0:8] = b"\x0d\0\0" + count.to_bytes(2, "big") + (3000).to_bytes(2, "big") + b"\0"
    leaf[8 : 8 + 2 * count] = (3000).to_bytes(2, "big") * count
    leaf[3000 : 3000 + len(cell)] = cell
    data = bytearray(4096) + bytes(leaf) * pages
    for n in range(pages):
        data += ((n + 1) % pages + pages + 2).to_bytes(4, "big") + bytes(4092)
    path = tmp_path / "x.db"
    path.write_bytes(data)
    with contextlib.closing(Database(path)) as database:
        reads = 0
        before = database._page

        def counted(number: int) -> bytes:
            nonlocal reads
            reads += 1
            return before(number)

        database._page = counted  # type: ignore[method-assign]
        assert sum(1 for _ in database.rows()) <= count * pages
        assert reads <= (CHAIN_FACTOR + 1) * (database.pages + 2)


def test_numbers_of_one_to_nine_bytes() -> None:
    assert varint(b"\x05", 0) == (5, 1)
    assert varint(b"\x81\x00", 0) == (128, 2)
    assert varint(b"\xff" * 9, 0) == ((1 << 64) - 1, 9)
    assert varint(b"\xff" * 8, 0) == (0, 8)
    assert varint(b"", 0) == (0, 0)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_record_or_none(payload: bytes) -> None:
    values = decode(payload)
    assert values is None or len(values) <= 32


def test_a_record_that_is_cut_off_has_the_columns_that_begin_in_it() -> None:
    payload = bytes([4, 1, 12 + 2 * 10, 1]) + b"\x07" + b"0123456789" + b"\x09"
    assert decode(payload) == (7, b"0123456789", 9)
    assert decode(payload[:9]) == (7, b"0123")
    assert decode(payload[:2]) is None
