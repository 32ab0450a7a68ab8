"""A little room on the disk that is kept for the hour when there is none.

What has been delivered may only be unlinked once that is on record, and a full disk takes no record: the reserve does.
"""

import contextlib
import os
from pathlib import Path
from typing import Final

RESERVE_BYTES: Final = 4 << 20


class Reserve:
    """A file that occupies room and holds nothing."""

    def __init__(self, path: Path, size: int = RESERVE_BYTES) -> None:
        self._path = path
        self._size = size

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
        except OSError:
            self.release()
            return False
        return True

    def size(self) -> int:
        """Bytes it occupies."""
        try:
            return self._path.stat().st_size
        except FileNotFoundError:
            return 0

    def release(self) -> bool:
        """Give the room back. True when there was any."""
        if not self._path.exists():
            return False
        with contextlib.suppress(OSError):
            self._path.unlink()
        return True
