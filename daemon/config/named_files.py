"""What `torhaus check` says of the files that the configuration names: passwords, tokens, keys and certificates.

The daemon itself starts without them, keeps what it hears and tries again: they can be renewed while it runs.
"""

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from torhaus.daemon.config.lines import KeyPath
from torhaus.drivers.secret import SecretError, is_credential, read_secret

_SECRET: Final = re.compile(r"(?:^|_)(?:password|token|secret|(?<!host_)key)_file\Z")  # a server's host key is public
_OURS_ALONE: Final = "must be a file that torhaus can read and others cannot: chmod 600"
_FOLDER: Final = "must be a folder that torhaus can read"
_READABLE: Final = "must be a file that torhaus can read"


def look_at(files: Mapping[KeyPath, Path]) -> tuple[dict[KeyPath, str], list[str]]:
    """Faults by key, and notes, of what `…_file` and `…_dir` keys name. A secret must not be readable by everybody.

    Without $CREDENTIALS_DIRECTORY a service's credential cannot be looked at from here: a note.
    """
    faults: dict[KeyPath, str] = {}
    notes = []
    for key, path in files.items():
        name = str(key[-1])
        if is_credential(path) and not os.environ.get("CREDENTIALS_DIRECTORY"):
            notes.append(f"{name} {path}: not checked, a credential that only the service can read")
            continue
        try:
            if name.endswith("_dir"):
                any(path.iterdir())
            elif _SECRET.search(name):
                read_secret(str(path))
            else:
                _open_and_close(path)
        except SecretError as e:
            hint = "" if "chmod" in str(e) else f" ({_OURS_ALONE})"
            faults[key] = f"{e}{hint}"
        except OSError as e:
            rule = _FOLDER if name.endswith("_dir") else _READABLE
            faults[key] = f"{path} cannot be read: {e.strerror} ({rule})"
    return faults, notes


def _open_and_close(path: Path) -> None:
    """Raise OSError where it is no file or cannot be read; its mode and content do not matter."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(0, "is no regular file")
    finally:
        os.close(fd)
