import os
import sqlite3
from pathlib import Path

import pytest

from torhaus.daemon.outbox import migrate


def versions(path: Path) -> tuple[int, int]:
    conn = sqlite3.connect(path)
    try:
        version: int = conn.execute("PRAGMA user_version").fetchone()[0]
        tables: int = conn.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    finally:
        conn.close()
    return version, tables


@pytest.mark.parametrize("kind", ["segment", "state"])
def test_a_new_file_gets_the_current_schema_and_durable_settings(tmp_path: Path, kind: str) -> None:
    conn = migrate.connect(tmp_path / "x.db")
    migrate.upgrade(conn, kind)
    migrate.upgrade(conn, kind)
    assert conn.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert conn.execute("PRAGMA synchronous").fetchone()[0] == 2
    conn.close()
    assert versions(tmp_path / "x.db")[0] == migrate.CURRENT[kind]


def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    conn = migrate.connect(tmp_path / "x.db")
    conn.execute("PRAGMA user_version = 99")
    with pytest.raises(migrate.RefusedError, match="newer"):
        migrate.upgrade(conn, "state")
    conn.close()
    assert versions(tmp_path / "x.db") == (99, 0)


def test_a_foreign_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    conn = migrate.connect(tmp_path / "x.db")
    conn.execute("CREATE TABLE theirs (x)")
    with pytest.raises(migrate.RefusedError, match="not a torhaus"):
        migrate.upgrade(conn, "segment")
    conn.close()
    assert versions(tmp_path / "x.db") == (0, 1)


def test_a_schema_change_is_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step = "CREATE TABLE one (x) STRICT;\nCREATE TABLE two (x TEXT) STRICT;\nPRAGMA user_version = 1;"
    (tmp_path / "half_v1.sql").write_text(step, encoding="utf-8")  # its first line is wrong: STRICT wants a type
    (tmp_path / "late_v1.sql").write_text("CREATE TABLE one (x TEXT);\nCREATE TABEL two;", encoding="utf-8")
    monkeypatch.setattr(migrate, "__file__", str(tmp_path / "migrate.py"))
    for kind in ("half", "late"):
        monkeypatch.setitem(migrate.CURRENT, kind, 1)
        conn = migrate.connect(tmp_path / f"{kind}.db")
        with pytest.raises(sqlite3.OperationalError):
            migrate.upgrade(conn, kind)
        assert not conn.in_transaction
        conn.close()
        assert versions(tmp_path / f"{kind}.db") == (0, 0)


def test_busy_full_and_missing_are_not_damage(tmp_path: Path) -> None:
    (tmp_path / "not.db").write_bytes(b"no database at all, but long enough to be looked at as one" * 20)
    with pytest.raises(sqlite3.DatabaseError) as caught:
        migrate.connect(tmp_path / "not.db")
    assert migrate.is_damage(caught.value)
    with pytest.raises(sqlite3.OperationalError) as missing:
        migrate.connect(tmp_path / "none.db", read_only=True).execute("SELECT * FROM sqlite_master")
    assert not migrate.is_damage(missing.value)
    conn = migrate.connect(tmp_path / "full.db")
    conn.execute("PRAGMA max_page_count = 2")
    with pytest.raises(sqlite3.OperationalError) as full:
        migrate.upgrade(conn, "state")
    conn.close()
    assert not migrate.is_damage(full.value)
    assert not migrate.is_damage(sqlite3.ProgrammingError("Cannot operate on a closed database."))
    assert not migrate.is_damage(migrate.RefusedError())
    assert migrate.is_damage(migrate.SchemaError())


def test_files_set_aside_in_the_same_second_keep_apart(tmp_path: Path) -> None:
    names = set()
    for i in range(3):
        path = tmp_path / "state.db"
        path.write_bytes(b"%d" % i)
        Path(f"{path}-wal").write_bytes(b"w%d" % i)
        target = migrate.set_aside(path, 7_000_000_000)
        assert target.read_bytes() == b"%d" % i
        assert Path(f"{target}-wal").read_bytes() == b"w%d" % i
        names.add(target.name)
    assert len(names) == 3
    assert min(names) == "state.db.corrupt-7"
    assert not (tmp_path / "state.db").exists()


def test_removing_and_measuring_what_is_not_there(tmp_path: Path) -> None:
    migrate.remove(tmp_path / "x.db")
    assert migrate.size(tmp_path / "x.db") == 0
    migrate.make_folder(tmp_path / "a" / "b")
    migrate.make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def test_folders_are_ours_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        migrate.make_folder(tmp_path / "a" / "b")
    finally:
        os.umask(before)
    assert [p.stat().st_mode & 0o777 for p in (tmp_path / "a", tmp_path / "a" / "b")] == [0o700, 0o700]
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError):
        migrate.make_folder(tmp_path / "file")
