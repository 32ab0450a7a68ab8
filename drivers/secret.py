"""Secrets come from files or systemd credentials, never from the configuration itself; no message ever shows one.

This is the one place that reads them: drivers, forwarders and scan targets do so anew at each connection.

systemd.exec(5), LoadCredential=: the service finds its credentials in the folder $CREDENTIALS_DIRECTORY.
"""

import os
import re
import stat
from pathlib import Path
from typing import Final

CREDENTIAL: Final = "credential:"
MAX_SECRET_BYTES: Final = 64 << 10
"""Longer than any password, token or key."""

_SERVICE_CREDENTIALS: Final = "/run/credentials/torhaus.service"
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,254}")


class SecretError(ValueError):
    """A secret cannot be had. The text names the file and what to do, never the content."""


def credentials_folder() -> Path:
    """Where the service finds its credentials; the place that systemd uses, where no service asks."""
    return Path(os.environ.get("CREDENTIALS_DIRECTORY") or _SERVICE_CREDENTIALS)


def secret_path(spec: str, base: Path) -> Path:
    """The file that `spec` names: a path (relative to `base`) or `credential:NAME`. Raises SecretError."""
    if not spec.startswith(CREDENTIAL):
        if not spec or "\0" in spec:
            raise SecretError("must be a path or credential:NAME")
        return base / spec
    name = spec.removeprefix(CREDENTIAL)
    if _NAME.fullmatch(name) is None:
        raise SecretError("must be credential:NAME, the name with letters, digits, '.', '_' and '-' only")
    return credentials_folder() / name


def is_credential(path: Path) -> bool:
    """Whether the file lies in the credentials folder: systemd keeps others out, whatever the mode says."""
    return path.parent == credentials_folder()


def read_bounded(path: Path, shown: str, *, forbidden: int, limit: int) -> bytes:
    """The file, if its mode has none of the `forbidden` bits and it is not longer than `limit`. Raises SecretError."""
    try:
        # without O_NONBLOCK a named pipe would be waited for
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise SecretError(f"{shown} is no regular file")
            if mode & forbidden and not is_credential(path):
                raise SecretError(f"{shown} can be read by others (mode {stat.S_IMODE(mode):04o}): chmod 600 {shown}")
            data = file.read(limit + 1)
    except OSError as e:
        raise SecretError(f"{shown} cannot be read: {e.strerror}") from None
    if len(data) > limit:
        raise SecretError(f"{shown} is too long for a secret, must have at most {limit} bytes")
    return data


def read_secret(spec: str, base: Path = Path("/"), *, limit: int = MAX_SECRET_BYTES) -> str:
    """The secret in a file (relative to `base`) or in `credential:NAME`, without one newline at its end.

    Raises SecretError: not there, readable by everybody, longer than `limit` bytes, empty, not UTF-8.
    """
    path = secret_path(spec, base)
    shown = spec if spec.startswith(CREDENTIAL) else str(path)
    data = read_bounded(path, shown, forbidden=stat.S_IRWXO, limit=limit)
    try:
        text = data.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise SecretError(f"{shown} is not UTF-8 text") from None
    if not text:
        raise SecretError(f"{shown} is empty")
    return text
