"""What the outbox tells the daemon, and the episodes in which it cannot write."""

import errno
import sqlite3
from pathlib import Path
from typing import Final

from torhaus.daemon.outbox.aside import Report

_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Reporter:
    """What the outbox tells the daemon. Every method may be left as it is."""

    def committed(self, records: int, seconds: float) -> None:
        """A commit of so many records took so long."""

    def refused(self, records: int, reason: str) -> None:
        """Records were not stored, and not acknowledged."""

    def dropped(self, log: str, forwarder: str, records: int, reason: str) -> None:
        """Records left the log before this forwarder had them."""

    def not_thinned(self, log: str, first: int, why: str) -> None:
        """A segment that was to be thinned out stays as it is, and is dropped in its turn."""

    def failing(self, what: str | None) -> None:
        """Writing began to fail (what), or works again (None)."""

    def set_aside(self, path: Path) -> None:
        """A damaged file was set aside."""

    def salvaging(self, path: Path) -> None:
        """What is intact in a file that was set aside is being read, or tried again."""

    def salvage_failed(self, path: Path, error: BaseException) -> None:
        """It cannot be done now, and is tried again."""

    def salvaged(self, log: str, report: Report, lost: int) -> None:
        """It is done. `lost` are the records lost that were not reported before."""


class Trouble:
    """The parts that cannot be written at present: told once when it begins and once when all work again."""

    def __init__(self, report: Reporter) -> None:
        self._report = report
        self._parts: dict[str, str] = {}

    @property
    def what(self) -> str | None:
        """What is wrong, for a person; None when nothing is."""
        return next(iter(self._parts.values()), None)

    def failed(self, part: str, error: BaseException) -> None:
        """This part could not be written."""
        is_first = not self._parts
        self._parts[part] = f"{part}: {reason_of(error)}: {error}"
        if is_first:
            self._report.failing(self._parts[part])

    def works(self, part: str) -> None:
        """This part was written."""
        if self._parts.pop(part, None) is not None and not self._parts:
            self._report.failing(None)


def is_full(error: BaseException) -> bool:
    """Whether there is no room; a write that fails for lack of it may also be an I/O error to SQLite."""
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", 0)
        return code & 0xFF == sqlite3.SQLITE_FULL or code == sqlite3.SQLITE_IOERR_SHMSIZE
    return isinstance(error, OSError) and error.errno in _FULL


def is_failed_fsync(error: BaseException) -> bool:
    """Whether the disk did not keep what it was given: what was written before is not proved to be there, either."""
    codes = (sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC)
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) in codes


def reason_of(error: BaseException) -> str:
    """The metric label."""
    if is_full(error):
        return "disk_full"
    return "io_error" if isinstance(error, sqlite3.Error | OSError) else "defect"
