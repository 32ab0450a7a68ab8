"""What a view is: it turns a request into an answer. How pages look, and who may see them, is not its matter."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NamedTuple

import msgspec
from aiohttp import web

from torhaus.codecs.model import Stamp
from torhaus.daemon.page.html import Child, Html, el
from torhaus.daemon.page.language import Language
from torhaus.daemon.page.parts import asked
from torhaus.daemon.page.sources import Sources
from torhaus.daemon.page.users import Role, User

QUICK_S: Final = 5
SLOW_S: Final = 15
"""How often a view is looked at anew by the page itself, where there is JavaScript."""
SAFE_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with "no-referrer" browsers do not say where a form comes from
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Server": "torhaus",
}
"""Of every answer: nothing of other sites comes in, nothing of ours is shown within others."""


class Ask:
    """One request. `name`: what follows the view's name in the path; `form`: of a POST; `csrf`: what forms need."""

    def __init__(
        self,
        site: Sources,
        t: Language,
        *,
        name: str = "",
        query: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        user: User | None = None,
        csrf: str = "",
    ) -> None:
        self.site = site
        self.t = t
        self.name = name
        self.query = query or {}
        self.form = form or {}
        self.user = user
        self.csrf = csrf
        self.now: Stamp = site.now()

    def may(self, role: Role) -> bool:
        """Whether this person may do what needs that role."""
        return self.user is not None and self.user.role >= role

    def button(self, action: str, words: str, *, danger: bool = False, **hidden: str | int) -> Html:
        """A form that is nothing but a button."""
        return self.post(action, el("button", {"class": "danger" if danger else None}, words), **hidden)

    def post(self, action: str, *parts: Child, **hidden: str | int) -> Html:
        """A form that changes something."""
        inputs = [_hidden("csrf", self.csrf), *(_hidden(name, value) for name, value in hidden.items())]
        return el("form", {"method": "post", "action": action}, inputs, parts)


def _hidden(name: str, value: str | int) -> Html:
    return el("input", {"type": "hidden", "name": name, "value": value})


class Shown(msgspec.Struct, frozen=True):
    """A page. `refresh_s`: how often it may be looked at anew; 0: never, as there may be something half typed."""

    title: str
    body: Html
    refresh_s: int = 0
    status: int = 200


class Moved(msgspec.Struct, frozen=True):
    """Something was done: look there. `event` and `about` go to the evidence journal where this site has one."""

    path: str
    event: str = ""
    about: dict[str, str | int] = {}


def moved(path: str, *, event: str = "", about: dict[str, str | int] | None = None, **query: str | int | None) -> Moved:
    """To a path with a query."""
    return Moved(path + asked(query), event, about or {})


class Missing(Exception):  # noqa: N818 - a fact
    """There is no such thing, or it has gone."""


class Unable(Exception):  # noqa: N818 - a fact
    """It cannot be done as asked; the text says why, to a person."""


def always(_: Sources) -> bool:
    """For views that every site has in its menu."""
    return True


def never(_: Sources) -> bool:
    """For views that are reached from others."""
    return False


class View(NamedTuple):
    """One view. `name` is the first part of its path and its label in metrics; "" is the first page."""

    name: str
    show: Callable[[Ask], Awaitable[Shown]]
    do: Callable[[Ask], Awaitable[Moved]] | None = None
    do_role: Role = Role.ADMIN
    role: Role | None = None  # who may look, also from the box itself; None: whoever may look at the rest
    in_menu: Callable[[Sources], bool] = always
    below: str | None = None  # the view in the menu that it is reached from, where it is not in it itself
    stream: Callable[[Ask, web.Request], Awaitable[web.StreamResponse]] | None = None
