"""The scans store's schema: from nothing, from each older version, and never from a newer or foreign one."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from torhaus.daemon.scans import migrate
from torhaus.daemon.scans.migrate import VERSION, StoreRefused, bring_up, check_ours


@pytest.fixture
def conn() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as conn:
        yield conn


def schema(conn: sqlite3.Connection) -> dict[str, list[str]]:
    names = [name for (name,) in conn.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    return {name: [column[1] for column in conn.execute(f"PRAGMA table_info({name})")] for name in names}


def only_version(conn: sqlite3.Connection, version: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(migrate, "VERSION", version)
        bring_up(conn)


@pytest.mark.parametrize("old", range(1, VERSION))
def test_an_older_store_becomes_what_a_new_one_is_and_keeps_what_it_has(
    conn: sqlite3.Connection, old: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_version(conn, old, monkeypatch)
    (store,) = conn.execute("SELECT store FROM store").fetchone()
    conn.execute("INSERT INTO evidence (seq, entry, hash) VALUES (1, X'7B7D', X'00')")
    bring_up(conn)
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as new:
        bring_up(new)
        assert schema(conn) == schema(new)
    assert conn.execute("SELECT store FROM store").fetchone() == (store,)
    assert conn.execute("SELECT seq, entry FROM evidence").fetchall() == [(1, b"{}")]
    assert check_ours(conn) == VERSION


def test_a_step_that_fails_leaves_the_store_as_it_was(
    conn: sqlite3.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_version(conn, 1, monkeypatch)
    before = schema(conn)
    (tmp_path / "schema_v2.sql").write_text("CREATE TABLE one (x TEXT);\nCREATE TABEL two", encoding="utf-8")
    monkeypatch.setattr(migrate, "_FOLDER", tmp_path)
    monkeypatch.setattr(migrate, "VERSION", 2)
    with pytest.raises(sqlite3.OperationalError):
        bring_up(conn)
    assert (schema(conn), check_ours(conn), conn.in_transaction) == (before, 1, False)


@pytest.mark.parametrize("sql", [f"PRAGMA user_version = {VERSION + 1}", "CREATE TABLE letters (id)"])
def test_a_newer_or_foreign_file_is_left_alone(conn: sqlite3.Connection, sql: str) -> None:
    conn.execute(sql)
    before = schema(conn)
    with pytest.raises(StoreRefused):
        bring_up(conn)
    assert schema(conn) == before
