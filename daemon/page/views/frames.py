"""The frames as they come: the last hundred, then each new one, for as many as may watch at a time."""

from typing import Final

import msgspec
from aiohttp import web

from torhaus.daemon.page import frames
from torhaus.daemon.page.html import Html, el, joined
from torhaus.daemon.page.parts import choice, field
from torhaus.daemon.page.view import QUICK_S, SAFE_HEADERS, Ask, Shown, View

MOST: Final = 100
TICK_S: Final = 5.0
"""A comment goes out when nothing else does: a browser that has gone is noticed."""
LONGEST_S: Final = 600.0
"""Then the browser asks again by itself, and whether it still may is looked at."""
_AT_ONCE: Final = 50
_encode: Final = msgspec.json.Encoder().encode


async def show(ask: Ask) -> Shown:
    """The last ones that are wanted."""
    t = ask.t
    gateway, device = frames.filters(ask)
    seen = await frames.last(ask, gateway, device, MOST)
    table = frames.table_of(ask, seen)
    body = joined(_filter(ask, gateway, device), el("div", {"id": "frames", "data-stream": "1"}, table))
    return Shown(t("frames.title"), body, QUICK_S)


async def stream(ask: Ask, request: web.Request) -> web.StreamResponse:
    """Server-sent events (WHATWG HTML section 9.2): each has one row of the table. 503 when too many watch."""
    gateway, device = frames.filters(ask)
    log = ask.site.frames
    viewer = frames.enter(ask, gateway, device)
    if viewer is None:
        return web.Response(text="too many are watching\n", status=503)
    tally = ask.site.survey.page
    headers = SAFE_HEADERS | {
        "Content-Type": "text/event-stream",
        "Cache-Control": "no-store",
        "X-Accel-Buffering": "no",
    }
    response = web.StreamResponse(headers=headers)
    clock = ask.site.clock
    until_ns = clock.boot_ns() + int(LONGEST_S * 1e9)
    try:
        tally.streams += 1
        await response.prepare(request)
        while not log.is_over and clock.boot_ns() < until_ns:
            items = await viewer.take(_AT_ONCE, TICK_S)
            rows = [frames.row(ask, s).text for item in items if (s := log.seen(item)) is not None]
            lines = [b"data: " + _encode(text.encode(errors="replace").decode()) for text in rows] or [b": "]
            await response.write(b"\n\n".join(lines) + b"\n\n")
        await response.write_eof()
    except ConnectionResetError:  # the browser has gone, which is how most of them end
        return response
    finally:
        tally.streams -= 1
        log.leave(viewer)
    return response


def _filter(ask: Ask, gateway: str | None, device: str | None) -> Html:
    t = ask.t
    there = [eui for eui, g in ask.site.watch.gateways.all.items() if g.known]
    if gateway is not None and gateway not in there:
        there.append(gateway)
    options = [("", t("list.all")), *((eui, eui) for eui in sorted(there)[:200])]
    name = el("input", {"name": "device", "value": device or "", "maxlength": frames.MAX_NAME})
    return el(
        "form",
        {"method": "get", "action": "/frames", "class": "bar"},
        field(t("frames.gateway"), choice("gateway", options, gateway or "")),
        field(t("frames.device"), name),
        el("button", t("list.go")),
    )


VIEW = View("frames", show, stream=stream)
