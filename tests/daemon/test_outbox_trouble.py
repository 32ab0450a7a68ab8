import errno
import sqlite3

from tests.daemon.outbox_fakes import Listener
from torhaus.daemon.outbox.trouble import Trouble, reason_of


def test_an_episode_is_told_once_however_many_parts_fail() -> None:
    told = Listener()
    trouble = Trouble(told)
    trouble.works("main")
    trouble.failed("main", OSError(errno.ENOSPC, "No space left on device"))
    trouble.failed("main", OSError(errno.EIO, "I/O error"))
    trouble.failed("state", OSError(errno.EIO, "I/O error"))
    trouble.works("main")
    assert str(trouble.what) == "state: io_error: [Errno 5] I/O error"
    trouble.works("state")
    trouble.works("state")
    assert not trouble.what
    assert told.episodes == ["main: disk_full: [Errno 28] No space left on device", None]


def test_reasons() -> None:
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    assert [reason_of(e) for e in (full, sqlite3.OperationalError("x"), OSError(), ValueError())] == [
        "disk_full",
        "io_error",
        "io_error",
        "defect",
    ]
