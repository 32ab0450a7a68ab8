"""Far sides that misbehave: whatever they do, a document arrives once in effect, and none is verified before it has."""

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.far_sides.dvelop import DvelopServer
from tests.daemon.far_sides.manners import FarSide
from tests.daemon.far_sides.paperless import PaperlessServer
from tests.daemon.far_sides.s3 import S3Server
from tests.daemon.far_sides.tus import TusServer
from tests.daemon.far_sides.webdav import WebdavServer
from tests.daemon.scans_fakes import Bench, fake_pdf

SERVERS: dict[str, Callable[..., Any]] = {
    "dvelop": DvelopServer,
    "paperless": PaperlessServer,
    "paperless2": lambda **more: PaperlessServer(version=2, **more),
    "s3": S3Server,
    "tus": TusServer,
    "tus-plain": lambda **more: TusServer(algorithms="", **more),
    "webdav": WebdavServer,
}
WAYS = ("drop", "store_then_drop", "flip", "truncate", "lose", "500", "503", "403", "slow")
ASKS = {"flip", "truncate"}
"""Ways after which some far sides have wrong bytes under our id, which only a person can put right."""
DONE = {"verified", "filed"}


@pytest.fixture(params=sorted(SERVERS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def settle(b: Bench, rounds: int = 40) -> None:
    """Deliver until nothing moves any more."""
    for _ in range(rounds):
        await b.deliver()
        if set(await b.states()) <= DONE | {"held"}:
            return
        b.clock.pass_s(30)
    raise AssertionError(await b.states())


def run(kind: str, root: Path, documents: int, tell: Callable[[Any], None], **more: Any) -> tuple[Bench, Any]:
    async def go() -> tuple[Bench, Any]:
        async with SERVERS[kind](**more) as server, Bench(root, server.config(root, max_tries=30)) as b:
            tell(server)
            for n in range(documents):
                b.put(f"{n}.pdf", fake_pdf((n, "x" * 6000)))
            await b.look()
            await b.queue.seal()
            await settle(b, 200)
            await told(b, server)
            assert (await b.queue.verify_evidence()).faults == []
            return b, server

    return asyncio.run(go())


async def told(b: Bench, server: FarSide) -> None:
    """What is said to be verified is there, once."""
    stored = sorted(hashlib.sha256(data).hexdigest() for data in server.documents())  # type: ignore[attr-defined]
    scans = await b.queue.list()
    good = sorted(scan.sha256 for scan in scans if scan.state.value in DONE)
    held = [scan for scan in scans if scan.state.value == "held"]
    assert [sha for sha in stored if sha in set(good)] == good
    assert len(stored) <= len(good) + len(held)
    assert server.faults == []


@pytest.mark.parametrize("way", WAYS)
def test_a_document_arrives_once_whatever_the_far_side_does(kind: str, way: str, tmp_path: Path) -> None:
    states: list[str] = []

    async def go() -> None:
        async with SERVERS[kind]() as server, Bench(tmp_path, server.config(tmp_path, max_tries=30)) as b:
            server.script = [way]
            b.put("1.pdf", fake_pdf("x" * 6000))
            await b.look()
            await b.queue.seal()
            await settle(b)
            await told(b, server)
            states.extend(await b.states())

    asyncio.run(go())
    asks_a_person = way in ASKS and kind.startswith(("dvelop", "paperless", "s3"))
    assert states[0] in (DONE | {"held"} if asks_a_person else DONE)


def test_most_of_many_arrive_although_a_fifth_of_all_calls_fail(kind: str, tmp_path: Path) -> None:
    def tell(server: FarSide) -> None:
        server.chaos = 0.2

    b, server = run(kind, tmp_path, 12, tell, seed=3)
    assert len(server.asked) > 12
    assert {e.outcome for e in b.told(object) if hasattr(e, "outcome")} & {"verified"}
