"""From a request to an answer: which view, in which language, whether this person may see it, and how it goes out."""

import asyncio
import sqlite3
from collections.abc import Iterable
from hmac import compare_digest
from typing import Final
from urllib.parse import unquote

from aiohttp import web

from torhaus.daemon.page.access import Access
from torhaus.daemon.page.attention import rich
from torhaus.daemon.page.html import document, el
from torhaus.daemon.page.language import CODES, Language, chosen
from torhaus.daemon.page.layout import FILES, Files, main, whole
from torhaus.daemon.page.parts import asked
from torhaus.daemon.page.registry import load
from torhaus.daemon.page.sessions import Session
from torhaus.daemon.page.signing import FORM_COOKIE, Signing, local
from torhaus.daemon.page.sources import Sources
from torhaus.daemon.page.tally import PageTally
from torhaus.daemon.page.users import User
from torhaus.daemon.page.view import SAFE_HEADERS, Ask, Missing, Moved, Shown, Unable, View
from torhaus.daemon.supervise import Told

LANGUAGE_COOKIE: Final = "torhaus_lang"
PART: Final = "X-Torhaus-Part"
"""Set by the page's own script: only what has changed, please."""
FORM_S: Final = 15.0
"""For all of a form to come."""
MAX_VALUE: Final = 20_000
"""Characters of one value of a query or form."""
MAX_VALUES: Final = 50
_FORM: Final = "application/x-www-form-urlencoded"
_YEAR_S: Final = 31_536_000


class Serving:
    """One for a daemon."""

    def __init__(self, sources: Sources, access: Access, tally: PageTally, told: Told) -> None:
        self.sources = sources
        self.signing = Signing(sources, access, tally)
        self._access = access
        self._tally = tally
        self._told = told
        self._files = Files()
        self._views = {view.name: view for view in load()}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Any request."""
        first, name = _path(request)
        label = first if first in self._views or first in {"static", "sign-in", "sign-out"} else "other"
        response = await self._answer(request, first, name)
        self._tally.requests[label or "overview", str(response.status)] += 1
        if not response.prepared:
            for name, value in SAFE_HEADERS.items():
                response.headers.setdefault(name, value)
        return response

    async def _answer(self, request: web.Request, first: str, name: str) -> web.StreamResponse:
        if not self._access.knows_host(request):
            text = "This page is not served under this name. If it should be: [http] hosts in torhaus.toml.\n"
            return web.Response(text=text, status=421)
        if self._access.is_embedded(request):
            return web.Response(text="Not for other sites.\n", status=403)
        if first == "static":
            return self._static(request, name)
        ask, session = self._ask(request, name)
        try:
            if request.method == "POST":
                return await self._post(request, ask, session, first)
            if request.method not in {"GET", "HEAD"}:
                return web.Response(text="GET, HEAD or POST\n", status=405, headers={"Allow": "GET, HEAD, POST"})
            if first == "sign-in":
                return self._sign_in_page(request, ask)
            return await self._get(request, ask, first)
        except Missing as e:
            return self._fault(request, ask, first, 404, str(e) or ask.t("fault.missing"))
        except Unable as e:
            return self._fault(request, ask, first, 409, str(e))
        except web.HTTPException:
            raise
        except (OSError, sqlite3.Error) as e:
            return self._fault(request, ask, first, 503, f"{ask.t('fault.disk')} {e}")
        except Exception as e:  # noqa: BLE001 - told, and the next request is answered
            self._told.defect("page", e)
            return self._fault(request, ask, first, 500, ask.t("fault.defect"))

    # -- GET -----------------------------------------------------------------------------------------------------------

    async def _get(self, request: web.Request, ask: Ask, first: str) -> web.StreamResponse:
        view = self._views.get(first)
        if not self._may(request, ask.user, view):
            return self._sign_in_first(request)
        if view is None:
            raise Missing
        if view.stream is not None and "stream" in ask.query:
            return await view.stream(ask, request)
        shown = await view.show(ask)
        return self._page(request, ask, view.name, shown)

    def _may(self, request: web.Request, user: User | None, view: View | None) -> bool:
        if user is not None:
            return view is None or view.role is None or user.role >= view.role
        return (view is None or view.role is None) and self._access.is_near(request)

    def _page(self, request: web.Request, ask: Ask, here: str, shown: Shown) -> web.Response:
        if PART in request.headers:
            body = main(shown).text.encode(errors="replace")
        else:
            body = document(whole(ask, shown, self._views.values(), here, self._files, _address(request)))
        response = web.Response(body=body, status=shown.status, content_type="text/html", charset="utf-8")
        response.headers["Cache-Control"] = "no-store"
        response.headers["Vary"] = f"Accept-Language, Cookie, {PART}"
        if request.query.get("lang") in CODES:
            secure = self._access.is_encrypted(request)
            response.set_cookie(
                LANGUAGE_COOKIE, ask.t.code, path="/", max_age=_YEAR_S, samesite="Lax", secure=secure, httponly=True
            )
        return response

    def _fault(self, request: web.Request, ask: Ask, here: str, status: int, text: str) -> web.Response:
        body = el("p", {"class": "fault", "role": "alert"}, rich(text))
        return self._page(request, ask, here, Shown(ask.t("fault.title"), body, status=status))

    def _sign_in_first(self, request: web.Request) -> web.Response:
        if PART in request.headers or "stream" in request.query:
            return web.Response(text="sign in\n", status=401)
        return _to(f"/sign-in{asked({'next': local(_address(request))})}")

    # -- POST ----------------------------------------------------------------------------------------------------------

    async def _post(self, request: web.Request, ask: Ask, session: Session | None, first: str) -> web.StreamResponse:
        if not self._access.is_own_form(request):
            return self._fault(request, ask, first, 403, ask.t("fault.form"))
        if request.content_type != _FORM or (request.charset or "utf-8").lower() != "utf-8":
            return self._fault(request, ask, first, 415, ask.t("fault.form"))
        try:
            async with asyncio.timeout(FORM_S):
                sent = await request.post()
            ask.form = _first((key, value) for key, value in sent.items() if isinstance(value, str))
        except TimeoutError:
            return self._fault(request, ask, first, 408, ask.t("fault.form"))
        except (UnicodeDecodeError, web.RequestPayloadError):
            return self._fault(request, ask, first, 400, ask.t("fault.form"))
        token = ask.form.get("csrf", "")
        if first == "sign-in":
            return await self._sign_in(request, ask, token)
        if session is None or ask.user is None:
            return self._sign_in_first(request)
        if not compare_digest(session.csrf.encode(), token[:100].encode(errors="replace")):
            return self._fault(request, ask, first, 403, ask.t("fault.form"))
        if first == "sign-out":
            await self.signing.journal.enter("page_sign_out", ask.user.name)
            response = _to("/")
            self.signing.forget(request, response)
            return response
        view = self._views.get(first)
        if view is None or view.do is None:
            raise Missing
        if ask.user.role < view.do_role:
            return self._fault(
                request, ask, first, 403, ask.t("fault.role", role=ask.t(f"role.{view.do_role.name.lower()}"))
            )
        moved: Moved = await view.do(ask)
        if moved.event:
            await self.signing.journal.enter(moved.event, ask.user.name, **moved.about)
        return _to(moved.path)

    async def _sign_in(self, request: web.Request, ask: Ask, token: str) -> web.Response:
        if not self.signing.is_form(request, token):
            return self._sign_in_page(request, ask, ask.t("fault.form"), 403)
        made, why = await self.signing.sign_in(request, ask.form.get("name", ""), ask.form.get("password", ""))
        if made is None:
            status = 429 if why == "sign_in.limited" else 403
            return self._sign_in_page(request, ask, ask.t(why), status)
        response = _to(local(ask.form.get("next", "")))
        self.signing.remember(request, response, made)
        return response

    def _sign_in_page(self, request: web.Request, ask: Ask, fault: str = "", status: int = 200) -> web.Response:
        shown, cookie = self.signing.page(ask, request, fault, status)
        response = self._page(request, ask, "sign-in", shown)
        secure = self._access.is_encrypted(request)
        response.set_cookie(FORM_COOKIE, cookie, path="/sign-in", httponly=True, samesite="Strict", secure=secure)
        return response

    # -- the rest ------------------------------------------------------------------------------------------------------

    def _ask(self, request: web.Request, name: str) -> tuple[Ask, Session | None]:
        session, user = self.signing.who(request, is_person=PART not in request.headers)
        query = _first(request.query.items())
        wanted = query.get("lang") or request.cookies.get(LANGUAGE_COOKIE, "")
        code = wanted if wanted in CODES else chosen(request.headers.get("Accept-Language", ""))
        csrf = session.csrf if session is not None else ""
        return Ask(self.sources, Language(code), name=name, query=query, user=user, csrf=csrf), session

    def _static(self, request: web.Request, name: str) -> web.Response:
        digest, _, file = name.partition("/")
        content = self._files.content.get(file)
        if content is None:
            return web.Response(text="no such file\n", status=404)
        etag = f'"{self._files.digests[file]}"'
        is_current = digest == self._files.digests[file]
        headers = {"ETag": etag, "Cache-Control": f"public, max-age={_YEAR_S}, immutable" if is_current else "no-cache"}
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers=headers)
        return web.Response(body=content, content_type=FILES[file], charset="utf-8", headers=headers)


def _path(request: web.Request) -> tuple[str, str]:
    """The first part of the path, and what follows it."""
    first, _, rest = request.rel_url.raw_path.lstrip("/").partition("/")
    return first, unquote(rest, errors="replace")[:1000]


def _address(request: web.Request) -> str:
    """Path and query. Two slashes at its beginning would make a host's name of what follows."""
    return "/" + request.rel_url.raw_path_qs.lstrip("/\\")


def _first(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The first value of each name, and not too many of them, nor too long."""
    found: dict[str, str] = {}
    for key, value in pairs:
        if len(found) >= MAX_VALUES:
            break
        found.setdefault(key[:100], value[:MAX_VALUE])
    return found


def _to(path: str) -> web.Response:
    """See Other."""
    return web.Response(status=303, headers={"Location": path, "Cache-Control": "no-store"})
