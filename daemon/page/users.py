"""Who may sign in: names, roles and scrypt hashes (RFC 7914) in a file that is its owner's alone. There is no default.

[user.technik]
role = "admin"
scrypt = "32768:8:1:<salt>:<hash>"     # base64 without padding
"""

import base64
import binascii
import contextlib
import hashlib
import hmac
import os
import re
import secrets
import stat
import tomllib
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

from torhaus.drivers.secret import SecretError, read_bounded

MAX_PASSWORD: Final = 256
MIN_PASSWORD: Final = 10
_MAX_FILE_BYTES: Final = 256 << 10
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_COST: Final = (1 << 15, 8, 1)  # N, r, p: 32 MiB and about a tenth of a second
_LARGEST: Final = (1 << 17, 16, 4)
_HASH_BYTES: Final = 32
NAME_WORDS: Final = "1 to 64 letters, digits, '.', '_', '@' and '-', a letter or digit first"


class Role(IntEnum):
    """What somebody may do; each may do what those before it may."""

    VIEW = 1  # look at everything
    OPERATE = 2  # and let scans go on
    ADMIN = 3  # and send downlinks, decide about dead letters


class User:
    """One who may sign in."""

    __slots__ = ("name", "role", "scrypt")

    def __init__(self, name: str, role: Role, scrypt: str) -> None:
        self.name = name
        self.role = role
        self.scrypt = scrypt


class UsersFault(ValueError):  # noqa: N818 - a fact
    """The file cannot be used; the text names it and says what to do, and holds no hash."""


def hashed(password: str, salt: bytes | None = None, cost: tuple[int, int, int] = _COST) -> str:
    """A password as it is kept."""
    salt = secrets.token_bytes(16) if salt is None else salt
    digest = _scrypt(password, salt, cost)
    return ":".join([*map(str, cost), _text(salt), _text(digest)])


def matches(password: str, kept: str) -> bool:
    """Whether it is the password that was hashed. Takes as long for a wrong one as for the right one."""
    parsed = _parsed(kept)
    if parsed is None:
        return False
    cost, salt, digest = parsed
    return hmac.compare_digest(_scrypt(password, salt, cost), digest)


NOBODY: Final = ":".join([*map(str, _COST), "A" * 22, "A" * 43])
"""What the password of somebody who is not there is compared with: it takes as long."""


def account_of(name: str) -> str:
    """What somebody is called in the evidence journal, where no name stands; `torhaus page users` says it."""
    return f"page:{hashlib.sha256(name.encode(errors='replace')).hexdigest()[:8]}"


def made_password() -> str:
    """A password for those who do not want to think of one: 80 bits in four groups."""
    text = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    return "-".join(text[i : i + 4] for i in range(0, 16, 4))


def is_name(text: str) -> bool:
    """Whether somebody may be called so."""
    return _NAME.fullmatch(text) is not None


def read_users(path: Path) -> dict[str, User]:
    """Everybody in the file; nobody where there is none. Raises UsersFault."""
    try:
        data = tomllib.loads(
            read_bounded(path, str(path), forbidden=stat.S_IRWXG | stat.S_IRWXO, limit=_MAX_FILE_BYTES).decode()
        )
    except SecretError as e:
        if not path.exists():
            return {}
        raise UsersFault(str(e)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise UsersFault(f"{path} is no TOML: `torhaus page add-user` writes it") from None
    table = data.get("user", {})
    if not isinstance(table, dict) or data.keys() - {"user"}:
        raise UsersFault(f"{path} must have [user.NAME] tables and nothing else")
    return {name: _user(path, name, entry) for name, entry in table.items()}


def write_users(path: Path, users: dict[str, User]) -> None:
    """Put the file in place of the one before, whole or not at all. Raises OSError."""
    lines = ["# Who may sign in to the page: `torhaus page add-user` and `remove-user` write this file.\n"]
    lines += [f'\n[user."{u.name}"]\nrole = "{u.role.name.lower()}"\nscrypt = "{u.scrypt}"\n' for u in users.values()]
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            new.unlink()
        raise


class Users:
    """The file, read again when it has changed. One that cannot be used lets nobody in."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fault: str | None = None
        self._seen: tuple[int, int, int] | None = None
        self._users: dict[str, User] = {}

    def find(self, name: str) -> User | None:
        """Somebody by name."""
        self._look()
        return self._users.get(name)

    def rights(self) -> dict[str, str] | None:
        """Role and password's fingerprint by pseudonym: `operate:0123456789abcdef`. None where the file is no good."""
        self._look()
        if self.fault is not None:
            return None
        marks = {u.name: hashlib.sha256(u.scrypt.encode()).hexdigest()[:16] for u in self._users.values()}
        return {account_of(u.name): f"{u.role.name.lower()}:{marks[u.name]}" for u in self._users.values()}

    def is_empty(self) -> bool:
        """Whether nobody can sign in."""
        self._look()
        return not self._users

    def _look(self) -> None:
        try:
            found = self.path.stat()
            now = found.st_ino, found.st_mtime_ns, found.st_size
        except OSError:
            now = (0, 0, 0)
        if now == self._seen:
            return
        self._seen = now
        try:
            self._users, self.fault = read_users(self.path), None
        except UsersFault as e:
            self._users, self.fault = {}, str(e)


def _user(path: Path, name: str, entry: Any) -> User:  # noqa: ANN401 - whatever TOML holds
    if not is_name(name):
        raise UsersFault(f"{path}: user names must be {NAME_WORDS}")
    role = entry.get("role") if isinstance(entry, dict) else None
    kept = entry.get("scrypt") if isinstance(entry, dict) else None
    if not isinstance(role, str) or role.upper() not in Role.__members__:
        raise UsersFault(f"{path}: [user.{name}] role must be one of {', '.join(r.name.lower() for r in Role)}")
    if not isinstance(kept, str) or _parsed(kept) is None:
        raise UsersFault(
            f"{path}: [user.{name}] scrypt is no hash: give the password anew with `torhaus page add-user`"
        )
    return User(name, Role[role.upper()], kept)


def _parsed(kept: str) -> tuple[tuple[int, int, int], bytes, bytes] | None:
    parts = kept.split(":")
    if len(parts) != 5 or not all(p.isascii() and p.isdigit() and len(p) < 8 for p in parts[:3]):
        return None
    cost = int(parts[0]), int(parts[1]), int(parts[2])
    if any(not 1 <= c <= most for c, most in zip(cost, _LARGEST, strict=True)) or cost[0] & (cost[0] - 1):
        return None
    try:
        salt, digest = (base64.b64decode(p + "=" * (-len(p) % 4), validate=True) for p in parts[3:])
    except (binascii.Error, ValueError):
        return None
    return (cost, salt, digest) if len(salt) >= 8 and len(digest) == _HASH_BYTES else None


def _scrypt(password: str, salt: bytes, cost: tuple[int, int, int]) -> bytes:
    n, r, p = cost
    data = password[:MAX_PASSWORD].encode(errors="replace")
    return hashlib.scrypt(data, salt=salt, n=n, r=r, p=p, maxmem=256 * n * r, dklen=_HASH_BYTES)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")
