"""Who may what, for every view and every kind of request: what is not in this table does not pass."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.daemon.page_scene import PASSWORD, Visitor
from tests.daemon.release_page_scene import Town, with_batch
from torhaus.daemon.page.registry import VIEWS

WHO = ("far", "near", "gast", "poststelle", "technik")
"""Somebody elsewhere, somebody at the box, neither signed in; and those with the roles view, operate, admin."""
SHOWN = (
    *(f"/{name}" for name in VIEWS), "/scans?id={id}", "/scans?id={id}&sure=discard", "/release/{lot}",
    "/release/{lot}?id={id}", "/release/{lot}?list=1",
)  # fmt: skip
LOOK = dict.fromkeys(SHOWN, (303, 200, 200, 200, 200))
LOOK |= {
    "/release/{lot}?sure=release": (303, 200, 200, 409, 409),  # nothing is ready yet
    "/nothing": (303, 404, 404, 404, 404),
    "/scans?id={id}&stream=document": (401, 401, 409, 200, 200),
    "/scans?id={id}&stream=page&page=1": (401, 401, 409, 409, 409),  # MagicCheck draws none
    "/healthz": (403, 200, 200, 200, 200),
    "/metrics": (200,) * 5,
    "/livez": (200,) * 5,
    "/readyz": (200,) * 5,
    "/static/x/torhaus.css": (200,) * 5,
    "/sign-in": (200,) * 5,
}
DO = {
    "/release what=release lot={lot}": (303, 303, 403, 303, 303),
    "/release what=quality result=ok id={id} lot={lot}": (303, 303, 403, 303, 303),
    "/release what=feedback result=ok id={id} lot={lot}": (303, 303, 403, 303, 303),
    "/release what=rest lot={lot}": (303, 303, 403, 409, 409),
    "/release what=replaced id={id} new=1 lot={lot}": (303, 303, 403, 409, 409),
    "/release what=settled id={id} lot={lot}": (303, 303, 403, 409, 409),
    "/scans id={id}": (303, 303, 403, 409, 409),  # nothing is held
    "/scans id={id} what=discard": (303, 303, 403, 409, 409),
    "/scans station=post": (303, 303, 403, 404, 404),  # no scanner that is asked
    "/dead-letters what=drop_all": (303, 303, 403, 403, 303),
    "/devices/meter fport=1 hex=00": (303, 303, 403, 403, 409),  # no LoRaWAN device
    **{f"/{name} x=y": (303, 303, 404, 404, 404) for name in VIEWS if name not in {
        "devices", "dead-letters", "scans", "release",
    }},
}  # fmt: skip


@asynccontextmanager
async def somebody(town: Town, who: str) -> AsyncIterator[Visitor]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        if who == "far":
            session.headers["X-Forwarded-For"] = "192.0.2.1"
        visitor = Visitor(town.visitor.app, session, town.visitor.base)
        if who not in {"far", "near"}:
            assert (await visitor.sign_in(who, PASSWORD)).status == 303
        yield visitor


def test_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(town: Town) -> None:
        values = {"lot": re.sub("/", "%2F", town.lot).replace("&", "%26").replace(" ", "%20")}
        values["id"] = (await town.papers())[0].id
        for place, who in enumerate(WHO):
            async with somebody(town, who) as visitor:
                for path, expected in LOOK.items():
                    answer, text = await visitor.answer(path.format(**values))
                    assert answer.status == expected[place], (who, path)
                    if who in {"far", "near"}:
                        assert "brief0" not in text, (who, path)
                        assert 'method="post"' not in text or path == "/sign-in", (who, path)
                signed_in = who not in {"far", "near"}
                token = await visitor.csrf("/") if signed_in else "x"
                wrong = {"", await visitor.csrf("/sign-in")} if signed_in else set()
                for row, expected in DO.items():
                    path, *pairs = row.split(" ")
                    form = dict(pair.split("=") for pair in pairs)
                    form = {key: value.format(lot=town.lot, id=values["id"]) for key, value in form.items()}
                    answer = await visitor.post(path, csrf=token, **form)
                    assert answer.status == expected[place], (who, row)
                    if not signed_in:
                        assert answer.headers["Location"].startswith("/sign-in"), (who, row)
                    for csrf in wrong:
                        assert (await visitor.post(path, csrf=csrf, **form)).status == 403, (who, row)

    with_batch(tmp_path, body, monkeypatch)
