"""Copying a blob into a file of a local folder. Blocks."""

import os
from pathlib import Path

from torhaus.daemon.scans.disk import CHUNK_BYTES, Disk


def copy(disk: Disk, source: Path, fd: int) -> None:
    """All bytes of `source` into an open file. Raises OSError."""
    source_fd = disk.open_read(source)
    try:
        while chunk := os.read(source_fd, CHUNK_BYTES):
            disk.write(fd, chunk)
    finally:
        os.close(source_fd)
