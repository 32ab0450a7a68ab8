"""Write-ahead logs as files: what SQLite does not say about them. Format: sqlite.org/fileformat2.html, section 4."""

import contextlib
import os
import sqlite3
import struct
from pathlib import Path
from typing import Final

_HEADER: Final = struct.Struct(">8I")  # magic, version, page size, checkpoint, salts, checksum of all before it
_FRAME: Final = struct.Struct(">6I")  # page, size of the database after a commit, salts, checksum of all so far
_MAGIC: Final = 0x377F0682
"""The lowest bit says in which byte order checksums are made."""


def path_of(database: Path) -> Path:
    """The write-ahead log of a database."""
    return Path(f"{database}-wal")


def has_content(database: Path) -> bool:
    """Whether a part of this database is in its write-ahead log."""
    try:
        return path_of(database).stat().st_size > 0
    except FileNotFoundError:
        return False


def make_durable(database: Path) -> None:
    """Write a write-ahead log once more, as it is, and have it on disk. Raises OSError.

    After an fsync that failed the kernel may have parts of it in memory only, and takes them for written: the next
    fsync would not bring them to the disk. Who opens the file finds commits in it, and would build on them.
    """
    with contextlib.suppress(FileNotFoundError), path_of(database).open("r+b", buffering=0) as f:
        at = 0
        while data := os.pread(f.fileno(), 1 << 20, at):
            at += os.pwrite(f.fileno(), data, at)
        os.fsync(f.fileno())


def is_torn(database: Path, conn: sqlite3.Connection) -> bool:
    """Whether a write-ahead log holds more than SQLite makes of it: commits that were damaged, or one not finished.

    SQLite reads up to the first frame that is damaged, and says nothing of the rest: the numbers in it would be given
    out again. `conn` has just opened the database, and nothing was written since. Raises sqlite3.Error, OSError.
    """
    frames = _frames(path_of(database))
    if not frames:
        return frames is None
    good: int = conn.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[1]
    return good < frames


def _frames(log: Path) -> int | None:
    """Up to which frame a log was written since it was begun; None when its header is damaged."""
    if not log.exists() or log.stat().st_size <= _HEADER.size:
        return 0
    with log.open("rb", buffering=0) as f:
        size = log.stat().st_size
        header = os.pread(f.fileno(), _HEADER.size, 0)
        magic, _, page_bytes, _, salt1, salt2, *checksum = _HEADER.unpack(header)
        if magic & ~1 != _MAGIC or list(_checksum(header[:24], magic)) != checksum:
            return None
        step, last = _FRAME.size + page_bytes, 0
        for i in range((size - _HEADER.size) // step):
            frame = _FRAME.unpack(os.pread(f.fileno(), _FRAME.size, _HEADER.size + i * step))
            if frame[2] == salt1 or frame[3] == salt2:  # both, but where a bit has flipped
                last = i + 1
    return last


def _checksum(data: bytes, magic: int) -> tuple[int, int]:
    """Section 4.2."""
    a = b = 0
    words = struct.unpack(f"{'>' if magic & 1 else '<'}{len(data) // 4}I", data)
    for x, y in zip(words[::2], words[1::2], strict=True):
        a = (a + x + b) & 0xFFFFFFFF
        b = (b + y + a) & 0xFFFFFFFF
    return a, b
