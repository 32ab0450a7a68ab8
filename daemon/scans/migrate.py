"""The schema of scans.db, one file for each version: a store is brought from wherever it is to the newest."""

import os
import sqlite3
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent
VERSION: Final = 3


class StoreRefused(Exception):  # noqa: N818 - a fact about the file
    """The file is not ours to use: made by a newer torhaus, or no scans store."""


def check_ours(conn: sqlite3.Connection) -> int:
    """The version of a file, 0 of an empty one. Nothing is written. Raises StoreRefused."""
    version: int = conn.execute("PRAGMA user_version").fetchone()[0]
    if not 0 <= version <= VERSION:
        raise StoreRefused(f"scans.db has version {version}, this torhaus knows {VERSION}")
    if version == 0 and conn.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        raise StoreRefused("scans.db is not a scans store")  # tables, but no version of ours: somebody else's
    return version


def bring_up(conn: sqlite3.Connection) -> None:
    """Make the tables in an empty file, or those that an older one lacks: all or nothing. Raises StoreRefused."""
    version = check_ours(conn)
    if version == VERSION:
        return
    conn.execute("BEGIN IMMEDIATE")
    try:
        for step in range(version + 1, VERSION + 1):
            for statement in (_FOLDER / f"schema_v{step}.sql").read_text(encoding="utf-8").split(";\n"):
                conn.execute(statement)
        if version == 0:
            conn.execute("INSERT INTO store (one, store) VALUES (1, ?)", (os.urandom(4).hex(),))
        conn.execute(f"PRAGMA user_version = {VERSION}")
        conn.execute("COMMIT")
    except BaseException:
        if conn.in_transaction:
            conn.execute("ROLLBACK")
        raise
