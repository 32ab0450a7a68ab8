"""A little room on the disk that is kept for the hour when there is none.

What has been delivered may only be unlinked once that is on record, and a full disk takes no record: the reserve does.
While it is given away nothing is taken in, or new records would eat what the old ones need to leave. For one thread.
"""

import contextlib
import errno
import os
from pathlib import Path
from typing import Final

from torhaus.daemon.outbox.trouble import is_full

RESERVE_BYTES: Final = 4 << 20


def no_room() -> OSError:
    """Why nothing is taken in while the disk is full."""
    return OSError(errno.ENOSPC, "the disk has no room; what is there is still sent, nothing new is taken")


class Reserve:
    """A file that occupies room and holds nothing. `is_short` is set while the disk has no room for new records."""

    def __init__(self, path: Path, size: int = RESERVE_BYTES) -> None:
        self._path = path
        self._size = size
        self.is_short = False

    def fill(self) -> bool:
        """Take the room, if there is enough. True when it is taken."""
        if self._path.exists():
            return True
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, self._size)
            finally:
                os.close(descriptor)
        except OSError as e:
            self._unlink()
            self.is_short = self.is_short or is_full(e)
            return False
        return True

    def size(self) -> int:
        """Bytes it occupies."""
        try:
            return self._path.stat().st_size
        except FileNotFoundError:
            return 0

    def release(self) -> bool:
        """Give the room back, until `has_room` takes it again. True when there was any."""
        if not self._path.exists():
            return False
        self.is_short = True
        self._unlink()
        return True

    def _unlink(self) -> None:
        with contextlib.suppress(OSError):
            self._path.unlink()

    def has_room(self) -> bool:
        """Whether new records may be taken in: always, unless it is short; then once there is ample room again."""
        if self.is_short and self.free() >= 2 * self._size:  # one for the reserve, and one that it does not end at once
            self.is_short = False
            self.fill()
        return not self.is_short

    def need_room(self) -> None:
        """Raises OSError when new records may not be taken in."""
        if not self.has_room():
            raise no_room()

    def is_scarce(self) -> bool:
        """Whether a failed write is explained by how little room there is."""
        return self.free() < self._size

    def free(self) -> int:
        """Bytes that may be used; 0 also when no more files can be made."""
        try:
            found = os.statvfs(self._path.parent)
        except OSError:  # no such folder: that is another trouble
            return 1 << 62
        return found.f_bavail * found.f_frsize if found.f_favail or not found.f_files else 0
