"""A scanned document itself, for those who have signed in and may operate scans: as a download, or page by page.

What is sent is a stranger's: it never becomes part of a page of ours but as a picture that we drew.
"""

import asyncio
from typing import Final

from aiohttp import web

from torhaus.daemon.page.html import Child, Html, el, joined
from torhaus.daemon.page.parts import Level, asked, link
from torhaus.daemon.page.users import Role, account_of
from torhaus.daemon.page.view import SAFE_HEADERS, Ask, Missing, Unable
from torhaus.daemon.scans.check import CheckUnavailable
from torhaus.daemon.scans.db import Scan
from torhaus.daemon.scans.names import extension_of
from torhaus.daemon.scans.sealed import Content
from torhaus.daemon.scans.states import State
from torhaus.daemon.scans.viewing import NotShown

PATH: Final = "/scans"
PICTURES: Final = 10
"""Pages that are shown below each other."""
LONGEST_S: Final = 900.0
"""For sending one document: a browser that takes none of it must not keep the others waiting for ever."""
CLOSED: Final = SAFE_HEADERS | {
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
DONE: Final = frozenset({State.VERIFIED, State.FILED, State.RELEASED, State.PURGED, State.SPLIT})
WAITING: Final = frozenset({State.HELD, State.QUARANTINED})
_CHUNK_BYTES: Final = 1 << 18
_MAX_PAGE: Final = 100_000


def level(state: State) -> Level:
    """How a state is to be looked at."""
    return "good" if state in DONE else "warn" if state in WAITING else "note"


async def stream(ask: Ask, request: web.Request) -> web.StreamResponse:
    """`?id=…&stream=document`, or `stream=page&page=…` (from 1). Raises Missing, Unable, sqlite3.Error, OSError."""
    t, queue = ask.t, ask.site.scans()
    if queue is None:
        raise Missing
    if ask.user is None:
        return web.Response(text="sign in\n", status=401, headers=CLOSED)
    if not ask.may(Role.OPERATE):
        raise Unable(t("fault.role", role=t("role.operate")))
    id_, account = ask.query.get("id", "")[:100], account_of(ask.user.name)
    try:
        if ask.query["stream"] == "page":
            picture = await queue.viewing.page(id_, number(ask.query.get("page", "")) - 1, account)
            return web.Response(body=picture, content_type="image/jpeg", headers=CLOSED)
        async with queue.viewing.document(id_, account) as (scan, content):
            return await _send(request, scan, content)
    except KeyError:
        raise Missing from None
    except NotShown as e:
        raise Unable(t.word("not_shown", e.why)) from None
    except CheckUnavailable as e:
        raise Unable(f"{t('scans.no_check')} {e}") from None


async def _send(request: web.Request, scan: Scan, content: Content) -> web.StreamResponse:
    """All of it, as a file to be kept: a browser never opens it by itself. Its name is its number, nobody's name."""
    name = scan.id.replace("/", "-") + extension_of(scan.media_type)
    headers = CLOSED | {"Content-Disposition": f'attachment; filename="{name}"'}
    response = web.StreamResponse(headers=headers)
    response.content_type = scan.media_type
    response.content_length = scan.size_bytes
    file = await asyncio.to_thread(content.open, "rb")
    try:
        await response.prepare(request)
        async with asyncio.timeout(LONGEST_S):
            while request.method != "HEAD" and (piece := await asyncio.to_thread(file.read, _CHUNK_BYTES)):
                await response.write(piece)
        await response.write_eof()
    except (OSError, TimeoutError):  # the browser has gone, or the disk: what it got must not look whole
        if not response.prepared:
            raise
        if request.transport is not None:
            request.transport.abort()
    finally:
        await asyncio.to_thread(file.close)
    return response


def number(text: str) -> int:
    """A number from 1, as it stands in a path or query. Raises Missing."""
    if not (text.isascii() and text.isdigit() and len(text) < 8 and 1 <= int(text) <= _MAX_PAGE):
        raise Missing
    return int(text)


def shown(ask: Ask, scan: Scan, path: str) -> Html:
    """Its pages as pictures, and the way to the file itself; in words why not where they cannot be shown.

    `path`: where this is shown; further pages are at its `page`.
    """
    t = ask.t
    if not ask.may(Role.OPERATE):
        return el("p", {"class": "hint"}, t("document.sign_in"))
    if scan.state in {State.PURGED, State.QUARANTINED}:
        return el("p", {"class": "hint"}, t.word("not_shown", scan.state.value))
    file = link(PATH, t("document.file"), id=scan.id, stream="document")
    parts: list[Child] = [el("p", file, " ", el("small", f"{scan.media_type}, {t.size(scan.size_bytes)}"))]
    if "encrypted" in scan.flags or scan.pages < 1:
        return joined(*parts, el("p", {"class": "hint"}, t.word("not_shown", "no_picture")))
    wanted = ask.query.get("page", "1")
    first = min(number(wanted), scan.pages)
    last = min(scan.pages, first + PICTURES - 1)
    pages = _pages(ask, scan, path, first, last)
    pictures = [_picture(ask, scan, n) for n in range(first, last + 1)]
    return joined(*parts, pages, el("div", {"class": "leaves"}, pictures), pages if last > first else None)


def _pages(ask: Ask, scan: Scan, path: str, first: int, last: int) -> Html | None:
    t = ask.t
    if scan.pages <= PICTURES and first == 1:
        return None
    ends: list[Child] = [t("document.pages", first=first, last=last, all=scan.pages)]
    if first > 1:
        ends.insert(0, link(path, t("list.before"), id=scan.id, page=max(1, first - PICTURES)))
    if last < scan.pages:
        ends.append(link(path, t("list.after"), id=scan.id, page=last + 1))
    return el("p", {"class": "pages"}, joined(*ends, between=" "))


def _picture(ask: Ask, scan: Scan, page: int) -> Html:
    words = ask.t("document.page", n=page, all=scan.pages)
    source = PATH + asked({"id": scan.id, "stream": "page", "page": page})
    return el("figure", el("img", {"src": source, "alt": words, "loading": "lazy"}), el("figcaption", words))
