"""The journal read from the store, by whoever may read that."""

import sqlite3
from pathlib import Path

import pytest

from tests.daemon.evidence_scene import journal_of
from torhaus.daemon.evidence.journal import journal_lines, public_key, verify
from torhaus.daemon.evidence.verifier import check_journal
from torhaus.daemon.scans import evidence


@pytest.fixture
def conn(tmp_path: Path) -> sqlite3.Connection:
    journal_of(tmp_path)
    return sqlite3.connect(tmp_path / "state/scans/scans.db", isolation_level=None)


def test_since_a_time_from_the_root_before(conn: sqlite3.Connection, tmp_path: Path) -> None:
    head = evidence.recorded_head(tmp_path / "state/scans")
    assert head is not None
    whole = list(journal_lines(conn, head, public_key(conn)))
    part = list(journal_lines(conn, head, public_key(conn), head.at - 86_400 * 10**9))
    assert 4 < len(part) < len(whole)
    assert check_journal(part).faults == []
    report = verify(conn, head, since_ns=head.at)
    assert (report.faults, report.entries) == ([], 1)
    assert verify(conn, head, since_ns=1).entries == head.seq
    conn.close()


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("UPDATE scan SET state = 'filed' WHERE seq = 2", "is filed in the store"),
        ("DELETE FROM scan WHERE seq = 2", "not in the store"),
        ("DELETE FROM evidence WHERE seq > 10", "cut off"),
        ("UPDATE root SET signed = x'ff0a'", "neither an entry"),
        ("UPDATE evidence SET hash = zeroblob(32) WHERE seq = 5", "does not have"),
        ("UPDATE evidence SET entry = CAST(x'0a' AS BLOB) WHERE seq = 5", "entry 5 is no entry"),
    ],
)
def test_states_and_journal_must_agree(conn: sqlite3.Connection, tmp_path: Path, sql: str, word: str) -> None:
    conn.execute("PRAGMA foreign_keys = OFF")
    head = evidence.recorded_head(tmp_path / "state/scans")
    assert verify(conn, head).faults == []
    conn.execute(sql)
    texts = [fault.text.replace("do not have", "does not have") for fault in verify(conn, head).faults]
    assert any(word in text for text in texts), texts
    conn.close()


def test_before_the_first_start_there_is_no_key() -> None:
    conn = sqlite3.connect(":memory:")
    conn.execute("CREATE TABLE seen (name TEXT, sha256 TEXT)")
    assert public_key(conn) == ""
    conn.close()
