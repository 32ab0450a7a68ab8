"""Reading a blob by pieces, and copying it into a file of a local folder. Blocks."""

from torhaus.daemon.scans.disk import CHUNK_BYTES, Disk
from torhaus.daemon.scans.sealed import Content


def read_piece(path: Content, offset: int, size: int) -> bytes:
    """So many bytes from there on, fewer at the end. Opened each time: who waits for it may be cancelled any moment."""
    with path.open("rb", buffering=0) as file:
        file.seek(offset)
        return file.read(size)


def copy(disk: Disk, source: Content, fd: int) -> None:
    """All bytes of `source` into an open file. Raises OSError."""
    with source.open("rb", buffering=0) as file:
        while chunk := file.read(CHUNK_BYTES):
            disk.write(fd, chunk)
