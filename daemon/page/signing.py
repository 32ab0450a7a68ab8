"""Signing in and out. The password is compared in a thread, one at a time, and as slowly for somebody unknown."""

import asyncio
import secrets
from hmac import compare_digest
from pathlib import Path
from typing import Final

from aiohttp import web

from torhaus.daemon import logs
from torhaus.daemon.page.access import Access
from torhaus.daemon.page.html import Html, el, joined
from torhaus.daemon.page.journal import Journal
from torhaus.daemon.page.limit import Failures
from torhaus.daemon.page.parts import command, field
from torhaus.daemon.page.sessions import Session, Sessions
from torhaus.daemon.page.sources import Sources
from torhaus.daemon.page.tally import PageTally
from torhaus.daemon.page.users import MAX_PASSWORD, NOBODY, User, Users, matches
from torhaus.daemon.page.view import Ask, Shown

COOKIE: Final = "torhaus"
FORM_COOKIE: Final = "torhaus_form"
MAX_WAITING: Final = 8
"""Passwords that wait to be compared, each for a tenth of a second."""
_SECURE: Final = "__Host-"


class Signing:
    """One for a daemon."""

    def __init__(self, sources: Sources, access: Access, tally: PageTally) -> None:
        clock = sources.clock
        self.users = Users(Path(sources.loaded.http.users_file))
        self.sessions = Sessions(self.users, clock.boot_ns)
        self.journal = Journal(sources)
        self._access = access
        self._tally = tally
        self._failures = Failures(clock.boot_ns)
        self._one = asyncio.Semaphore(1)  # a comparison takes 32 MiB
        self._waiting = 0

    def who(self, request: web.Request, *, is_person: bool = True) -> tuple[Session | None, User | None]:
        """Who asks; nobody without a cookie that is still good."""
        found = self.sessions.find(request.cookies.get(self._cookie(request), ""), is_person=is_person)
        self._tally.sessions = len(self.sessions)
        return (None, None) if found is None else found

    def page(self, ask: Ask, request: web.Request, fault: str = "", status: int = 200) -> tuple[Shown, str]:
        """The form, and the value of its own cookie."""
        t = ask.t
        cookie = request.cookies.get(FORM_COOKIE, "")[:64] or secrets.token_urlsafe(24)
        ask.csrf = self.sessions.form_token(cookie)
        parts: list[Html] = [el("p", {"class": "fault", "role": "alert"}, fault)] if fault else []
        if not self._access.may_sign_in(request):
            parts.append(el("p", {"class": "fault"}, t("sign_in.needs_tls")))
            return Shown(t("sign_in.title"), joined(*parts), status=status), cookie
        nobody = self.users.is_empty()
        if self.users.fault is not None:
            parts.append(el("p", {"class": "fault"}, t("sign_in.bad_file"), " ", command("torhaus page users")))
        elif nobody:
            parts.append(el("p", t("sign_in.nobody"), " ", command("sudo torhaus page add-user NAME --role admin")))
        name = el("input", {"name": "name", "autocomplete": "username", "required": True, "autofocus": True})
        password = el(
            "input",
            {"name": "password", "type": "password", "autocomplete": "current-password", "required": True},
        )
        form = ask.post(
            "/sign-in",
            field(t("sign_in.name"), name),
            field(t("sign_in.password"), password),
            el("button", t("sign_in.menu")),
            next=local(ask.query.get("next", ask.form.get("next", ""))),
        )
        return Shown(t("sign_in.title"), joined(*parts, form), status=status), cookie

    def is_form(self, request: web.Request, token: str) -> bool:
        """Whether a sign-in form was made for this browser."""
        cookie = request.cookies.get(FORM_COOKIE, "")
        return bool(cookie) and compare_digest(
            self.sessions.form_token(cookie).encode(), token[:100].encode(errors="replace")
        )

    async def sign_in(self, request: web.Request, name: str, password: str) -> tuple[str | None, str]:
        """The token of a new session, or None and the text's key why not."""
        address = self._access.client(request)
        if not self._access.may_sign_in(request):
            return None, "sign_in.needs_tls"
        is_crowded = self._waiting >= MAX_WAITING
        if is_crowded or self._failures.wait_s(address, name) > 0 or len(password) > MAX_PASSWORD:
            self._tally.sign_ins["limited"] += 1
            return None, "sign_in.limited"
        self._waiting += 1
        try:
            async with self._one:
                user = self.users.find(name)
                kept = NOBODY if user is None else user.scrypt
                is_right = await asyncio.to_thread(matches, password, kept)
        finally:
            self._waiting -= 1
        if user is None or not is_right:
            self._failures.failed(address, name)
            self._tally.sign_ins["wrong"] += 1
            if self._failures.wait_s(address, name) > 0:
                logs.warning("page: too many failed sign-ins: no more are tried for a while", peer=address)
            self.journal.failed()
            return None, "sign_in.wrong"
        self._failures.succeeded(address, name)
        self._tally.sign_ins["ok"] += 1
        await self.journal.enter("page_sign_in", user.name, role=user.role.name.lower())
        return self.sessions.begin(user), ""

    def remember(self, request: web.Request, response: web.StreamResponse, token: str) -> None:
        """Give the browser its cookie; whoever was signed in there before is not any more."""
        self.sessions.end(request.cookies.get(self._cookie(request), ""))
        response.set_cookie(
            self._cookie(request), token, path="/", httponly=True, samesite="Strict", secure=self._is_secure(request)
        )

    def forget(self, request: web.Request, response: web.StreamResponse) -> None:
        """End the session of this browser."""
        self.sessions.end(request.cookies.get(self._cookie(request), ""))
        response.del_cookie(self._cookie(request), path="/", secure=self._is_secure(request), samesite="Strict")

    def _cookie(self, request: web.Request) -> str:
        return f"{_SECURE}{COOKIE}" if self._is_secure(request) else COOKIE

    def _is_secure(self, request: web.Request) -> bool:
        return self._access.is_encrypted(request)


def local(path: str) -> str:
    """A path of ours, or the first page: where somebody goes who has signed in."""
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\", "/sign-"))
    return path[:2000] if is_ours and path.isprintable() and path.isascii() else "/"
