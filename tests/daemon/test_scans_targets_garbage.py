"""A far side may answer anything: nothing but the four answers of a target leaves it, and nothing is proved by it."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.daemon.far_sides.manners import FarSide
from tests.daemon.scans_chaos import SERVERS
from tests.daemon.scans_fakes import context
from tests.daemon.target_scene import SHA, parcel
from torhaus.daemon.scans.targets.base import NotNow, Pending, Refused, TargetDown
from torhaus.daemon.scans.targets.http import Config as HttpConfig
from torhaus.daemon.scans.targets.registry import open_target

ROUNDS = 80
WORDS = ["", "x", "-1", "1.0.0", "0", "99999999999999999999", "/", "//[", "http://[", "P1", "\\", "é", "sha-256=:AA==:"]
FIELDS = [
    "Location", "Upload-Offset", "Upload-Length", "Tus-Version", "Tus-Extension", "Tus-Checksum-Algorithm",
    "Tus-Max-Size", "Repr-Digest", "Retry-After", "x-amz-checksum-sha256", "Torhaus-Receipt", "Content-Encoding",
]  # fmt: skip
KEYS = ["_links", "href", "repo", "items", "id", "sourceProperties", "key", "value", "results", "status", "result",
        "related_document", "original_checksum", "chunkedupload", "dmsobjectwithmapping", "searchresultwithmapping",
        "mainblobcontent", "original_file_name"]  # fmt: skip


def anything(dice: random.Random, depth: int = 0) -> Any:
    kind = dice.randrange(8 if depth < 5 else 5)
    if kind < 5:
        return dice.choice([None, True, 1 << 70, -1, 0.5, "", "SUCCESS", "/dms{?a}", "{", "http://[", "x" * 300, 7])
    if kind < 6:
        return [anything(dice, depth + 1) for _ in range(dice.randrange(4))]
    return {dice.choice(KEYS): anything(dice, depth + 1) for _ in range(dice.randrange(6))}


class Garbage(FarSide):
    """Whatever the dice say."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__()
        self.dice = dice

    def routes(self) -> list[web.RouteDef]:
        return [web.route("*", "/{path:.*}", self._answer)]

    async def _answer(self, request: web.Request) -> web.Response:
        await request.read()
        dice = self.dice
        status = dice.choice([200, 200, 200, 201, 201, 204, 207, 301, 400, 404, 409, 412, 460, 500])
        bodies = [b"", dice.randbytes(50), json.dumps(anything(dice)).encode(), b"[" * 5000, b"<Code>x</Code>"]
        reply = web.Response(status=status, body=dice.choice(bodies))
        for field in dice.sample(FIELDS, dice.randrange(5)):
            reply.headers[field] = dice.choice(WORDS)
        return reply


async def outcome(call: Callable[[], Awaitable[Any]]) -> Any:
    """What it says, or its excuse, which must be short."""
    try:
        return await call()
    except (TargetDown, NotNow, Refused, Pending) as answer:
        return str(answer) if len(str(answer)) <= 300 else SHA


@pytest.mark.parametrize("kind", [*sorted(SERVERS), "http"])
def test_any_answer(kind: str, tmp_path: Path) -> None:
    async def go() -> None:
        dice = random.Random(kind)
        async with Garbage(dice) as server:
            for _ in range(ROUNDS):
                config = HttpConfig("http", server.url, receipt_key=dice.choice([None, "00" * 32]))
                if kind != "http":
                    real = SERVERS[kind]()
                    real.url = server.url
                    config = real.config(tmp_path)
                target = open_target(config, context())
                kept = dice.choice([None, f"{server.url}/files/1"]) if kind == "tus" else None
                one = parcel(tmp_path, progress=kept)
                for call in (target.probe, lambda t=target, p=one: t.send(p), lambda t=target, p=one: t.stored(p)):
                    said = await outcome(call)
                    assert said != SHA
                    assert getattr(said, "stored_sha256", None) is None
                await target.close()

    asyncio.run(go())
