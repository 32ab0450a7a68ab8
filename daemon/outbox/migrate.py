"""Opening SQLite files: the settings that promise 1 rests on, and all-or-nothing schema changes."""

import sqlite3
from importlib import resources
from pathlib import Path
from typing import Final

CURRENT: Final = {"segment": 1, "state": 1}
"""The newest schema of each kind of file. `<kind>_v1.sql` creates it; `<kind>_v<n>.sql` leads from n-1 to n."""

BUSY_TIMEOUT_S: Final = 5.0


class SchemaError(Exception):
    """This file cannot be used: written by a newer torhaus, or not ours at all."""


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection with durable settings (WAL, FULL): every commit is on disk when it returns."""
    uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
    conn = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT_S)
    try:
        if not read_only:
            conn.execute("PRAGMA journal_mode=WAL").fetchone()
            conn.execute("PRAGMA synchronous=FULL")
            conn.execute("PRAGMA journal_size_limit=4194304")
        conn.execute("PRAGMA temp_store=MEMORY")
        conn.execute("PRAGMA cache_size=-1024")
    except sqlite3.Error:
        conn.close()
        raise
    return conn


def upgrade(conn: sqlite3.Connection, kind: str) -> None:
    """Bring a file to the current schema in one transaction. Raises SchemaError for a newer one."""
    version: int = conn.execute("PRAGMA user_version").fetchone()[0]
    newest = CURRENT[kind]
    if version == newest:
        return
    if version > newest:
        raise SchemaError(f"{kind} schema {version} is newer than this torhaus knows ({newest}); install the newer one")
    if version == 0 and conn.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise SchemaError(f"not a torhaus {kind} file")
    files = resources.files("torhaus.daemon.outbox")
    steps = [files.joinpath(f"{kind}_v{n}.sql").read_text(encoding="utf-8") for n in range(version + 1, newest + 1)]
    try:
        conn.executescript("BEGIN IMMEDIATE;\n" + "\n".join(steps) + "\nCOMMIT;")
    except sqlite3.Error:
        if conn.in_transaction:
            conn.execute("ROLLBACK")
        raise
