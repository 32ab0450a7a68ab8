"""The few file operations the scan queue is built from, in one place: what changes the disk goes through a Disk.

Tests put a Disk in front that fails, fills up or dies between two operations.
"""

import contextlib
import ctypes
import errno
import hashlib
import os
import stat
from pathlib import Path
from typing import Final

CHUNK_BYTES: Final = 1 << 20
"""Bytes per read: large enough for full disk speed, small enough for a Raspberry Pi's memory."""

_AT_FDCWD: Final = -100
_RENAME_NOREPLACE: Final = 1
FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""errno values that mean "no room here"."""


class Disk:
    """The machine's disk. All calls block: run them in a thread. All raise OSError."""

    def __init__(self, libc: ctypes.CDLL | None = None) -> None:
        self._libc = libc or ctypes.CDLL(None, use_errno=True)

    def open_read(self, path: Path) -> int:
        """Open a regular file for reading; a symlink raises ELOOP, anything else that is no file raises EINVAL."""
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise OSError(errno.EINVAL, "not a regular file")
        return fd

    def create(self, path: Path, mode: int = 0o600) -> int:
        """Create a file that is not there yet, for writing and reading back."""
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)

    def open_write(self, path: Path) -> int:
        """Open a file of ours, for writing and reading back; FileNotFoundError when it is not there."""
        return os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)

    def truncate(self, fd: int, size_bytes: int) -> None:
        """Cut off what lies behind."""
        os.ftruncate(fd, size_bytes)

    def write(self, fd: int, data: bytes) -> None:
        """Write all of `data`."""
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]

    def fsync(self, fd: int) -> None:
        """Force a file to the disk."""
        os.fsync(fd)

    def fsync_dir(self, path: Path) -> None:
        """Force a directory's entries to the disk. File systems that have no such thing (EINVAL) are let off."""
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
        finally:
            os.close(fd)

    def make_dir(self, path: Path) -> None:
        """Make a directory for us alone (0700) if it is not there, and force its entry to the disk."""
        if not path.is_dir():
            path.mkdir(mode=0o700, exist_ok=True)  # another thread may be about to make it, too
            self.fsync_dir(path.parent)

    def rename(self, old: Path, new: Path) -> None:
        """Atomic; replaces `new`."""
        old.rename(new)

    def rename_new(self, old: Path, new: Path) -> None:
        """Atomic; FileExistsError when `new` is there. Falls back to link and unlink where the file system cannot."""
        if self._libc.renameat2(_AT_FDCWD, os.fsencode(old), _AT_FDCWD, os.fsencode(new), _RENAME_NOREPLACE) == 0:
            return
        code = ctypes.get_errno()
        if code not in {errno.EINVAL, errno.ENOSYS}:
            raise OSError(code, os.strerror(code))
        new.hardlink_to(old)
        old.unlink()

    def link(self, old: Path, new: Path) -> None:
        """A second name for the same file."""
        new.hardlink_to(old)

    def keep(self, path: Path, data: bytes) -> None:
        """Have a small file of ours (0600) hold this, or what it held before, whatever happens meanwhile."""
        draft = path.with_name(f"{path.name}.{os.urandom(4).hex()}")
        fd = self.create(draft)
        try:
            try:
                self.write(fd, data)
                self.fsync(fd)
            finally:
                os.close(fd)
            self.rename(draft, path)
        except OSError:  # on a full disk it is tried again every minute
            with contextlib.suppress(OSError):
                self.unlink(draft)
            raise
        self.fsync_dir(path.parent)

    def free(self, path: Path) -> int:
        """Bytes that the file system of `path` still has for us (statvfs(3), f_bavail: without root's own)."""
        found = os.statvfs(path)
        return found.f_bavail * found.f_frsize

    def unlink(self, path: Path) -> None:
        """Remove a file; FileNotFoundError when it is not there."""
        path.unlink()


def hash_fd(fd: int) -> tuple[str, int]:
    """SHA-256 (hex) and size of an open file, read from its start."""
    digest, size = hashlib.sha256(), 0
    while chunk := os.pread(fd, CHUNK_BYTES, size):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size


def hash_file(disk: Disk, path: Path) -> str:
    """SHA-256 (hex) of a regular file."""
    fd = disk.open_read(path)
    try:
        return hash_fd(fd)[0]
    finally:
        os.close(fd)


def errno_name(error: OSError) -> str:
    """ENOSPC and the like: what may be shown of an OSError, whose text can hold a file's name."""
    return errno.errorcode.get(error.errno or 0, "OSError")
