"""SQLite files: the settings that promise 1 rests on, all-or-nothing schema changes, and what counts as damage."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Final

from torhaus.daemon.outbox import wal

CURRENT: Final = {"segment": 3, "state": 4}
"""The newest schema of each kind of file. `<kind>_v1.sql` creates it; `<kind>_v<n>.sql` leads from n-1 to n."""

BUSY_TIMEOUT_S: Final = 5.0
SIDE_FILES: Final = ("-wal", "-shm", "-journal")

_DAMAGE: Final = {
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_ERROR,  # our statements never change, so an unknown table or column is a damaged schema
    sqlite3.SQLITE_FORMAT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_TOOBIG,
}


class SchemaError(Exception):
    """This file cannot be used as it is."""


class RefusedError(SchemaError):
    """A whole file that is not for us: written by a newer torhaus, or not torhaus's at all. It is left alone."""


def is_damage(error: BaseException) -> bool:
    """Whether the file's content is at fault; busy, full, missing or unreadable files are not damaged ones."""
    if isinstance(error, SchemaError):
        return not isinstance(error, RefusedError)
    return isinstance(error, sqlite3.DatabaseError) and getattr(error, "sqlite_errorcode", -1) & 0xFF in _DAMAGE


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection with durable settings (WAL, FULL): every commit is on disk when it returns.

    One to read needs a little room on the disk, for the index of the write-ahead log; where there is none, a file that
    nobody writes is read without: it is `frozen` then, and not to be kept.
    """
    if read_only:
        try:
            return _connect(path, "mode=ro", look=True)
        except sqlite3.OperationalError as e:
            if is_damage(e) or wal.has_content(path):
                raise
            return _connect(path, "mode=ro&immutable=1", look=True)
    wal.make_durable(path)
    return _connect(path, "mode=rwc", writes=True)


def frozen(path: Path) -> bool:
    """Whether a file that was just opened to be read is read without an index: others' changes are not seen."""
    return not Path(f"{path}-shm").exists()


def _connect(path: Path, mode: str, *, writes: bool = False, look: bool = False) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?{mode}"
    conn = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT_S)
    try:
        conn.text_factory = _text
        if writes:
            conn.execute("PRAGMA journal_mode=WAL").fetchone()
            conn.execute("PRAGMA synchronous=FULL")
            conn.execute("PRAGMA journal_size_limit=4194304")
        conn.execute("PRAGMA temp_store=MEMORY")
        conn.execute("PRAGMA cache_size=-1024")
        if look:
            conn.execute("PRAGMA user_version").fetchone()
    except sqlite3.Error:
        conn.close()
        raise
    except UnicodeDecodeError:  # the message of an error quotes a schema that was changed on disk
        conn.close()
        raise damaged_schema() from None
    return conn


def damaged_schema() -> sqlite3.DatabaseError:
    """The error that SQLite gives for it, with words that can be read."""
    error = sqlite3.DatabaseError("malformed database schema")
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def _text(data: bytes) -> str:
    """Text that a bad card changed must not look like an error of the connection: its CRC will not match."""
    return data.decode("utf-8", "replace")


def upgrade(conn: sqlite3.Connection, kind: str) -> None:
    """Bring a file to the current schema in one transaction. Raises RefusedError for a newer or foreign one."""
    version, newest = _version(conn, kind), CURRENT[kind]
    if version == newest:
        return
    folder = Path(__file__).parent
    steps = [(folder / f"{kind}_v{n}.sql").read_text(encoding="utf-8") for n in range(version + 1, newest + 1)]
    try:
        conn.executescript("BEGIN IMMEDIATE;\n" + "\n".join(steps) + "\nCOMMIT;")
    except sqlite3.Error:
        if conn.in_transaction:
            conn.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def transaction(conn: sqlite3.Connection) -> Iterator[None]:
    """All that is written within is committed together, or nothing of it is."""
    conn.execute("BEGIN IMMEDIATE")
    try:
        yield
        conn.execute("COMMIT")
    except BaseException:
        if conn.in_transaction:
            conn.execute("ROLLBACK")
        raise


def _version(conn: sqlite3.Connection, kind: str) -> int:
    version: int = conn.execute("PRAGMA user_version").fetchone()[0]
    if version > CURRENT[kind]:
        raise RefusedError(
            f"{kind} schema {version} is newer than this torhaus knows ({CURRENT[kind]}); install the newer one"
        )
    if version < 0 or (version == 0 and conn.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]):
        raise RefusedError(f"not a torhaus {kind} file")
    return version


def refuse_foreign(path: Path, kind: str) -> None:
    """Raises RefusedError for a newer or foreign file, which is not touched; sqlite3.Error for one that is damaged."""
    conn = connect(path, read_only=True)
    try:
        _version(conn, kind)
    finally:
        conn.close()


def make_folder(folder: Path) -> None:
    """A folder for us alone (0700, also those above it that are not there) that outlasts a power cut."""
    missing = [p for p in (folder, *folder.parents) if not p.exists()]
    for made in reversed(missing):  # mkdir(parents=True) would give the ones above the mode of the umask
        made.mkdir(mode=0o700, exist_ok=True)
        sync_folder(made.parent)
    folder.mkdir(mode=0o700, exist_ok=True)  # FileExistsError where it is no folder


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on disk: SQLite does that for its write-ahead log only, not for a new database."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def set_aside(path: Path, now_ns: int) -> Path:
    """Rename a file that cannot be used, with what belongs to it; nothing is deleted or overwritten."""
    base = f"{path.name}.corrupt-{now_ns // 1_000_000_000}"
    target = next(
        t
        for t in (path.with_name(f"{base}.{n}" if n else base) for n in count())
        if not any(Path(f"{t}{s}").exists() for s in ("", *SIDE_FILES))
    )
    path.rename(target)
    for suffix in SIDE_FILES:
        side = Path(f"{path}{suffix}")
        if side.exists():
            side.rename(f"{target}{suffix}")
    sync_folder(path.parent)
    return target


def remove(path: Path) -> None:
    """Delete a database with what belongs to it: the data first, so that it is never there without its log."""
    for name in (path, *(Path(f"{path}{suffix}") for suffix in SIDE_FILES)):
        name.unlink(missing_ok=True)


def size(path: Path, *, sides: bool = True) -> int:
    """Bytes of a database, with write-ahead log and index; 0 when it is not there."""
    total = 0
    for name in (path, *(Path(f"{path}{suffix}") for suffix in SIDE_FILES if sides)):
        try:
            total += name.stat().st_size
        except FileNotFoundError:
            continue
    return total
