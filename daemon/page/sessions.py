"""Who is signed in: kept here, in memory; the cookie has a random token and no more, and here is only its hash."""

import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from torhaus.daemon.page.users import User, Users

MAX_SESSIONS: Final = 256
IDLE_S: Final = 3600.0
LONGEST_S: Final = 12 * 3600.0
"""A working day: then one signs in again."""
_MAX_TOKEN: Final = 100


class Session:
    """One that has begun. `csrf` stands in every form and must come back with it."""

    __slots__ = ("began_ns", "csrf", "kept", "name", "used_ns")

    def __init__(self, user: User, now_ns: int) -> None:
        self.name = user.name
        self.kept = user.scrypt  # a new password ends it
        self.csrf = secrets.token_urlsafe(24)
        self.began_ns = self.used_ns = now_ns


class Sessions:
    """All of them; the one unused the longest goes when there are too many. `boot_ns` never steps."""

    def __init__(self, users: Users, boot_ns: Callable[[], int]) -> None:
        self._users = users
        self._boot_ns = boot_ns
        self._all: OrderedDict[bytes, Session] = OrderedDict()
        self._secret = secrets.token_bytes(32)

    def __len__(self) -> int:
        self._forget()
        return len(self._all)

    def begin(self, user: User) -> str:
        """A new one; returns the cookie's token."""
        self._forget()
        token = secrets.token_urlsafe(32)
        self._all[_key(token)] = Session(user, self._boot_ns())
        while len(self._all) > MAX_SESSIONS:
            self._all.popitem(last=False)
        return token

    def find(self, token: str, *, is_person: bool = True) -> tuple[Session, User] | None:
        """The session of a cookie, if it is still one. `is_person`: somebody did something; else the page by itself."""
        if not token or len(token) > _MAX_TOKEN:
            return None
        key = _key(token)
        session = self._all.get(key)
        if session is None:
            return None
        user = self._users.find(session.name)
        if self._is_over(session) or user is None or user.scrypt != session.kept:
            del self._all[key]
            return None
        if is_person:
            session.used_ns = self._boot_ns()
            self._all.move_to_end(key)
        return session, user

    def end(self, token: str) -> None:
        """Somebody signed out."""
        self._all.pop(_key(token[:_MAX_TOKEN]), None)

    def form_token(self, cookie: str) -> str:
        """What stands in a form of somebody who is not signed in, bound to a cookie of the form's own."""
        return hmac.new(self._secret, cookie[:_MAX_TOKEN].encode(errors="replace"), hashlib.sha256).hexdigest()

    def _is_over(self, session: Session) -> bool:
        now = self._boot_ns()
        return (now - session.used_ns) / 1e9 > IDLE_S or (now - session.began_ns) / 1e9 > LONGEST_S

    def _forget(self) -> None:
        for key in [key for key, session in self._all.items() if self._is_over(session)]:
            del self._all[key]


def _key(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
