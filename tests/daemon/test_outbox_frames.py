import random
import sqlite3
import struct
from pathlib import Path

import pytest

from torhaus.daemon.outbox.frames import FRAME_HEADER_BYTES, HEADER_BYTES, Frame, Wal, checksum, page_size_of, read_wal

FRAME = FRAME_HEADER_BYTES + 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database of six commits whose write-ahead log was not folded in, as a crash leaves it."""
    live, path = tmp_path / "live.db", tmp_path / "x.db"
    conn = sqlite3.connect(live, isolation_level=None)
    conn.execute("PRAGMA journal_mode=WAL").fetchone()
    conn.execute("CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB)")
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    for n in range(6):
        conn.execute("INSERT INTO t VALUES (?, ?)", (n, bytes([n]) * 6000))
    for suffix in ("", "-wal"):
        Path(f"{path}{suffix}").write_bytes(Path(f"{live}{suffix}").read_bytes())
    conn.close()
    return path


def wal_of(path: Path) -> Path:
    return Path(f"{path}-wal")


def count_by_sqlite(path: Path) -> int:
    conn = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    (n,) = conn.execute("SELECT count(*) FROM t").fetchone()
    conn.close()
    return int(n)


def commits(wal: Wal) -> int:
    return sum(f.is_commit for f in wal.frames)


def test_a_whole_log_is_what_sqlite_takes_it_for(path: Path) -> None:
    wal = read_wal(path)
    assert (wal.page_size, wal.doubtful, wal.is_cut) == (4096, [], False)
    assert commits(wal) == count_by_sqlite(path) == 6
    assert wal.frames[0].offset == HEADER_BYTES + FRAME_HEADER_BYTES


def test_no_log_is_an_empty_one(tmp_path: Path) -> None:
    assert read_wal(tmp_path / "x.db") == Wal()


def test_a_torn_log_ends_with_its_last_whole_commit(path: Path) -> None:
    whole = wal_of(path).read_bytes()
    rand = random.Random(1)
    for length in [0, 1, 31, 32, 33, *(rand.randrange(len(whole)) for _ in range(30))]:
        wal_of(path).write_bytes(whole[:length])
        wal = read_wal(path)
        assert not wal.is_cut
        assert commits(wal) == count_by_sqlite(path), length
        wal_of(path).write_bytes(whole[:length])


def test_behind_a_changed_byte_everything_is_doubtful_and_nothing_is_forgotten(path: Path) -> None:
    whole = wal_of(path).read_bytes()
    rand = random.Random(2)
    for _ in range(40):
        offset = HEADER_BYTES + rand.randrange(len(whole) - HEADER_BYTES - 6 * FRAME)  # the last may be torn
        data = bytearray(whole)
        data[offset] ^= 1 << rand.randrange(8)
        wal_of(path).write_bytes(data)
        wal = read_wal(path)
        assert commits(wal) == count_by_sqlite(path)
        wal_of(path).write_bytes(data)
        assert wal.is_cut
        changed = (offset - HEADER_BYTES) // FRAME
        there = {f.offset for f in (*wal.frames, *wal.doubtful)}
        missing = {HEADER_BYTES + n * FRAME + FRAME_HEADER_BYTES for n in range(len(whole) // FRAME)} - there
        assert missing <= {HEADER_BYTES + changed * FRAME + FRAME_HEADER_BYTES}


def test_with_a_changed_header_all_frames_are_doubtful(path: Path) -> None:
    whole = wal_of(path).read_bytes()
    for offset in range(HEADER_BYTES):
        data = bytearray(whole)
        data[offset] ^= 4
        wal_of(path).write_bytes(data)
        wal = read_wal(path)
        assert (wal.frames, wal.is_cut, len(wal.doubtful)) == ([], True, len(whole) // FRAME)


def test_frames_of_an_earlier_run_are_not_taken(path: Path) -> None:
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("SELECT count(*) FROM t").fetchone()
    conn.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
    conn.execute("INSERT INTO t VALUES (100, 'short')")  # begins at the front, over what was there
    data = wal_of(path).read_bytes()
    conn.close()
    wal_of(path).write_bytes(data)
    wal = read_wal(path)
    assert (commits(wal), wal.doubtful, wal.is_cut) == (1, [], False)


@pytest.mark.parametrize("seed", range(20))
def test_junk_is_never_proved(path: Path, seed: int) -> None:
    rand = random.Random(seed)
    wal_of(path).write_bytes(rand.randbytes(rand.randrange(60_000)))
    assert read_wal(path).frames == []


def test_the_checksum_is_the_documented_one() -> None:
    assert checksum(struct.pack(">4I", 1, 2, 3, 4), (0, 0), ">") == (1 + 3 + 3, 3 + 7 + 4)
    assert checksum(struct.pack("<2I", 1, 2), (5, 0xFFFFFFFF), "<") == (5, 6)


def test_page_sizes() -> None:
    assert [page_size_of(n) for n in (0, 256, 512, 4096, 5000, 65536, 131072)] == [0, 0, 512, 4096, 0, 65536, 0]
    assert Frame(1, 56, True) == Frame(1, 56, True)
