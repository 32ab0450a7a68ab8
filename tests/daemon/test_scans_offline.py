import sqlite3
from pathlib import Path

import pytest

from tests.daemon.scans_fakes import Bench, fake_pdf, with_bench
from torhaus.daemon.scans.offline import read_scan, read_scans


def test_no_store(tmp_path: Path) -> None:
    assert read_scans(tmp_path / "scans.db", []) == []
    assert read_scan(tmp_path / "scans.db", "x") is None


def test_it_reads_and_changes_nothing(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        for n in range(3):
            b.put(f"{n}.pdf", fake_pdf(n))
        await b.look()

    with_bench(tmp_path, work)
    path = tmp_path / "state/scans/scans.db"
    before = path.read_bytes()
    rows = read_scans(path, [])
    assert [r.name for r in rows] == ["2.pdf", "1.pdf", "0.pdf"]
    assert read_scans(path, ["verified"]) == []
    assert len(read_scans(path, ["spooled", "held"], limit=2)) == 2
    shown = read_scan(path, rows[0].id)
    assert shown is not None
    assert shown.scan == rows[0]
    assert [e.event for e in shown.entries][:2] == ["arrived", "spooled"]
    assert read_scan(path, "x' OR 1 --") is None
    assert path.read_bytes() == before


def test_a_damaged_store(tmp_path: Path) -> None:
    path = tmp_path / "scans.db"
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(sqlite3.DatabaseError):
        read_scans(path, [])
    with pytest.raises(sqlite3.DatabaseError):
        read_scan(path, "x")
