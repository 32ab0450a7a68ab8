"""How much SQLite writes for a database: what an SD card is worn by.

Each commit appends whole pages to the write-ahead log, however little has changed; once in a while each page that is
in there is written into the database. Both can be read off the write-ahead log itself: its frames name their pages.
Only that file is opened here. The index (-shm) must not be: closing it would give up SQLite's locks on it.
"""

import os
import struct
from pathlib import Path
from typing import Final

_HEADER_BYTES: Final = 32  # magic, version, page size, sequence, salts, checksum: sqlite.org/fileformat2, section 4
_FRAME: Final = struct.Struct(">I4x8s")  # page number, (size after commit), salts
_FRAME_BYTES: Final = 24
_BLOCK_BYTES: Final = 4096
"""What a disk is written in, whatever less has changed. A frame is a page and its header, so it never fits."""
_PAGE_SIZE: Final = slice(8, 12)
_SALTS: Final = slice(16, 24)


class WalMeter:
    """Watches the write-ahead log of one database. `written` is in bytes, since the start of the watch.

    What a checkpoint writes is counted when the write-ahead log begins anew, or by `close`. What cannot be read is not
    counted: this is a figure for people, and no reason to fail.
    """

    __slots__ = ("_fd", "_page_bytes", "_pages", "_path", "_pos", "_salts", "written")

    def __init__(self, path: Path) -> None:
        self._path = Path(f"{path}-wal")
        self._fd: int | None = None
        self._salts = b""
        self._pages: set[int] = set()  # in the write-ahead log and not yet in the database
        self._page_bytes = 4096
        self._pos = _HEADER_BYTES
        self.written = 0
        self.look()  # what a crash has left there was written before
        self.written = 0

    def look(self) -> None:
        """Count what was written since the last look; look after each commit."""
        try:
            if self._fd is None:
                self._fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            self._look(self._fd)
        except OSError:
            return

    def _look(self, fd: int) -> None:
        head = os.pread(fd, _HEADER_BYTES, 0)
        if len(head) < _HEADER_BYTES:
            return
        if head[_SALTS] != self._salts:  # begun anew: everything before is in the database
            self._checkpointed()
            self._salts, self._pos = head[_SALTS], _HEADER_BYTES
            self._page_bytes = int.from_bytes(head[_PAGE_SIZE], "big")
            begin = 0
        else:
            begin = self._pos
        step = _FRAME_BYTES + self._page_bytes
        while True:
            frame = os.pread(fd, _FRAME.size, self._pos)
            if len(frame) < _FRAME.size:
                break
            page, salts = _FRAME.unpack(frame)
            if salts != self._salts:  # of an earlier round
                break
            self._pages.add(page)
            self._pos += step
        if self._pos > begin:  # the last block was begun by the commit before, and goes to the disk once more
            self.written += -(-self._pos // _BLOCK_BYTES) * _BLOCK_BYTES - begin // _BLOCK_BYTES * _BLOCK_BYTES

    def _checkpointed(self) -> None:
        self.written += len(self._pages) * self._page_bytes
        self._pages.clear()

    def close(self) -> None:
        """The database was closed, and its write-ahead log folded into it."""
        self._checkpointed()
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
