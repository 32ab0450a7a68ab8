"""What a backup is made in until it is whole: a file beside the target, and a folder for copies, both hidden.

Whoever makes one has its file locked. So what lies there unlocked was left by one that was killed, and goes.
"""

import contextlib
import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from torhaus.daemon.outbox import migrate

_NAME: Final = re.compile(r"\..+\.torhaus-[0-9]+")
_FOLDER: Final = ".d"


@contextlib.contextmanager
def unfinished(target: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """The open file and the folder; the file gets the target's name at the end, if nothing was raised meanwhile.

    Raises OSError.
    """
    sweep(target.parent)
    path = target.with_name(f".{target.name}.torhaus-{os.getpid()}")
    work = _folder_of(path)
    opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(opened, "w+b") as out:
        try:
            fcntl.flock(out, fcntl.LOCK_EX | fcntl.LOCK_NB)
            work.mkdir(mode=0o700)
            yield out, work
            out.flush()
            os.fsync(out.fileno())
            path.rename(target)
            migrate.sync_folder(target.parent)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        finally:
            shutil.rmtree(work, ignore_errors=True)


def sweep(folder: Path) -> None:
    """Remove what backups that were killed have left in a folder. Raises nothing: what cannot go stays."""
    with contextlib.suppress(OSError):
        names = [p for p in folder.iterdir() if _NAME.fullmatch(p.name.removesuffix(_FOLDER))]
        for path in sorted(names):
            if path.name.endswith(_FOLDER):
                if not path.with_name(path.name.removesuffix(_FOLDER)).exists():
                    shutil.rmtree(path, ignore_errors=True)
            elif _is_left(path):
                shutil.rmtree(_folder_of(path), ignore_errors=True)
                path.unlink(missing_ok=True)


def _is_left(path: Path) -> bool:
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False  # somebody is at it
    finally:
        os.close(opened)
    return True


def _folder_of(path: Path) -> Path:
    return path.with_name(path.name + _FOLDER)
