"""Reading a blob by pieces, and copying it into a file of a local folder. Blocks."""

import os
from pathlib import Path

from torhaus.daemon.scans.disk import CHUNK_BYTES, Disk


def read_piece(path: Path, offset: int, size: int) -> bytes:
    """So many bytes from there on, fewer at the end. Opened each time: who waits for it may be cancelled any moment."""
    with path.open("rb", buffering=0) as file:
        file.seek(offset)
        return file.read(size)


def copy(disk: Disk, source: Path, fd: int) -> None:
    """All bytes of `source` into an open file. Raises OSError."""
    source_fd = disk.open_read(source)
    try:
        while chunk := os.read(source_fd, CHUNK_BYTES):
            disk.write(fd, chunk)
    finally:
        os.close(source_fd)
