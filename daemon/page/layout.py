"""What stands around every view: head, menu, who is signed in, the language, and when it was made."""

from collections.abc import Collection
from hashlib import sha256
from pathlib import Path
from typing import Final

from torhaus.daemon.page.html import NOTHING, Html, el, joined
from torhaus.daemon.page.language import CODES
from torhaus.daemon.page.parts import link, moment
from torhaus.daemon.page.view import Ask, Shown, View

STATIC: Final = Path(__file__).with_name("static")
FILES: Final = {"torhaus.css": "text/css", "torhaus.js": "text/javascript", "torhaus.svg": "image/svg+xml"}
_NO_SCRIPT_S: Final = 30


class Files:
    """The page's own files, each under a name that changes with what is in it, so that browsers may keep them."""

    def __init__(self) -> None:
        self.content = {name: (STATIC / name).read_bytes() for name in FILES}
        self.digests = {name: sha256(data).hexdigest()[:16] for name, data in self.content.items()}

    def path(self, name: str) -> str:
        """Where it is."""
        return f"/static/{self.digests[name]}/{name}"


def main(shown: Shown) -> Html:
    """What is exchanged when a page looks at itself anew."""
    return joined(el("h1", shown.title), shown.body)


def whole(ask: Ask, shown: Shown, views: Collection[View], here: str, files: Files, address: str) -> Html:
    """The page. `here`: the view's name; `address`: path and query, for the links that change the language."""
    t, site = ask.t, ask.site.loaded.site
    name = site.name or site.id
    reload = el("meta", {"http-equiv": "refresh", "content": max(shown.refresh_s, _NO_SCRIPT_S)})
    head = el(
        "head",
        el("meta", {"charset": "utf-8"}),
        el("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        el("meta", {"name": "color-scheme", "content": "light dark"}),
        el("title", f"{shown.title} – {name} – torhaus"),
        el("link", {"rel": "icon", "type": "image/svg+xml", "href": files.path("torhaus.svg")}),
        el("link", {"rel": "stylesheet", "href": files.path("torhaus.css")}),
        el("script", {"type": "module", "src": files.path("torhaus.js")}),
        el("noscript", reload) if shown.refresh_s else NOTHING,
    )
    current = next((v.below for v in views if v.name == here and v.below is not None), here)
    menu = [
        el(
            "a",
            {"href": f"/{v.name}", "aria-current": "page" if v.name == current else None},
            t(f"{v.name or 'overview'}.menu"),
        )
        for v in views
        if v.in_menu(ask.site)
    ]
    return el(
        "html",
        {"lang": t.code},
        head,
        el(
            "body",
            el("a", {"class": "skip", "href": "#main"}, t("layout.skip")),
            el(
                "header",
                el("div", {"class": "who"}, el("a", {"href": "/", "class": "brand"}, "torhaus"), " ", el("b", name)),
                el("nav", {"aria-label": t("layout.menu")}, menu),
                el("div", {"class": "me"}, _languages(ask, address), _person(ask)),
            ),
            el(
                "main",
                {"id": "main", "data-refresh": shown.refresh_s or None, "data-stale": t("live.stale")},
                main(shown),
            ),
            el(
                "footer",
                el("span", {"id": "made"}, t("layout.made"), " ", moment(t, ask.now.wall_ns, 0)),
                f" {t.zone(ask.now.wall_ns)}",
                el("span", {"id": "live", "role": "status"}),
                el("span", f"torhaus {ask.site.survey.version}"),
            ),
        ),
    )


def _languages(ask: Ask, address: str) -> Html:
    path, _, query = address.partition("?")
    rest = "&".join(part for part in query.split("&") if part and not part.startswith("lang="))
    more = f"&{rest}" if rest else ""
    return joined(
        *(
            el(
                "a",
                {"href": f"{path}?lang={code}{more}", "lang": code, "hreflang": code,
                 "aria-current": "true" if code == ask.t.code else None},
                code.upper(),
            )
            for code in CODES
        ),
        between=" ",
    )  # fmt: skip


def _person(ask: Ask) -> Html:
    t = ask.t
    if ask.user is None:
        return link("/sign-in", t("sign_in.menu"))
    who = el("span", {"title": t.word("role", ask.user.role.name.lower())}, ask.user.name)
    return joined(who, ask.button("/sign-out", t("sign_in.out")), between=" ")
