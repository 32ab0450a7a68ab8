"""A file that comes in pieces: written, hashed on the way, flushed, and cut back when a piece turns out to be bad."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Self

import msgspec

from torhaus.daemon.scans.disk import CHUNK_BYTES, Disk

if TYPE_CHECKING:
    from hashlib import _Hash


class Shorter(OSError):  # noqa: N818 - a fact about the file
    """The file has fewer bytes than were flushed to disk: not ours any more, or a broken disk."""


class Mark(msgspec.Struct, frozen=True, gc=False):
    """How far a file had come, and the hash of all up to there. `sha256` is never changed: who goes on copies it."""

    size_bytes: int
    sha256: "_Hash"


class Part:
    """One open file. All calls block (run them in a thread) and raise OSError."""

    def __init__(self, disk: Disk, path: Path, fd: int, mark: Mark) -> None:
        self._disk = disk
        self.path = path
        self._fd = fd
        self.size_bytes = mark.size_bytes
        self._sha256 = mark.sha256.copy()

    @classmethod
    def create(cls, disk: Disk, path: Path) -> Self:
        """A new file, empty."""
        return cls(disk, path, disk.create(path), Mark(0, hashlib.sha256()))

    @classmethod
    def reopen(cls, disk: Disk, path: Path, size_bytes: int, known: Mark | None = None) -> Self:
        """A file of which so many bytes are good; what lies behind is cut off. `known` spares reading it.

        Raises Shorter, FileNotFoundError.
        """
        fd = disk.open_write(path)
        try:
            mark = known if known is not None and known.size_bytes == size_bytes else _read(fd, size_bytes)
            _check_size(fd, size_bytes)
            disk.truncate(fd, size_bytes)
            return cls(disk, path, fd, mark)
        except BaseException:
            os.close(fd)
            raise

    def append(self, pieces: Iterable[bytes]) -> None:
        """Write at the end."""
        data = b"".join(pieces)
        os.lseek(self._fd, self.size_bytes, os.SEEK_SET)
        self._disk.write(self._fd, data)
        self._sha256.update(data)
        self.size_bytes += len(data)

    def mark(self) -> Mark:
        """Where it is now."""
        return Mark(self.size_bytes, self._sha256.copy())

    def back_to(self, mark: Mark) -> None:
        """Cut off what came since."""
        self._disk.truncate(self._fd, mark.size_bytes)
        self.size_bytes = mark.size_bytes
        self._sha256 = mark.sha256.copy()

    def sync(self) -> None:
        """Force it to the disk."""
        self._disk.fsync(self._fd)

    @property
    def sha256(self) -> str:
        """Of all so far, hex."""
        return self._sha256.hexdigest()

    def read(self, offset: int) -> bytes:
        """Some bytes from there; none at the end."""
        return os.pread(self._fd, CHUNK_BYTES, offset)

    def close(self) -> None:
        """Give back the descriptor; may be called twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _check_size(fd: int, size_bytes: int) -> None:
    if os.fstat(fd).st_size < size_bytes:
        raise Shorter


def _read(fd: int, size_bytes: int) -> Mark:
    digest, offset = hashlib.sha256(), 0
    while offset < size_bytes:
        chunk = os.pread(fd, min(CHUNK_BYTES, size_bytes - offset), offset)
        if not chunk:
            raise Shorter
        digest.update(chunk)
        offset += len(chunk)
    return Mark(size_bytes, digest)
