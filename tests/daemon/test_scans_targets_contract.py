"""What every target must do, run over all of them: a target that joins SETUPS is held to the same contract."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.far_sides import sshd
from tests.daemon.far_sides.dvelop import DvelopServer
from tests.daemon.far_sides.paperless import PaperlessServer
from tests.daemon.far_sides.s3 import S3Server
from tests.daemon.far_sides.tus import TusServer
from tests.daemon.far_sides.webdav import WebdavServer
from tests.daemon.scans_fakes import context
from tests.daemon.scans_server import FakeServer
from torhaus.daemon.scans.targets import folder as folder_target
from torhaus.daemon.scans.targets import hostimp as hostimp_target
from torhaus.daemon.scans.targets.base import Parcel, Pending, Proof, Receipt, Target
from torhaus.daemon.scans.targets.registry import TARGETS, open_target

Setup = Callable[[Path], contextlib.AbstractAsyncContextManager[Target]]


@contextlib.asynccontextmanager
async def folder(root: Path) -> AsyncIterator[Target]:
    (root / "out").mkdir()
    yield open_target(folder_target.Config("archive", str(root / "out")), context())


@contextlib.asynccontextmanager
async def http(_root: Path) -> AsyncIterator[Target]:
    async with FakeServer() as server:
        yield open_target(server.config(), context())


@contextlib.asynccontextmanager
async def hostimp(root: Path) -> AsyncIterator[Target]:
    (root / "out").mkdir()
    yield open_target(hostimp_target.Config("d3", str(root / "out"), document_type="DPOST"), context())


@contextlib.asynccontextmanager
async def sftp(root: Path) -> AsyncIterator[Target]:
    async with sshd.serving(root) as port:
        yield open_target(sshd.config(root, port), context())


def far_side(kind: Callable[[], Any]) -> Setup:
    @contextlib.asynccontextmanager
    async def setup(root: Path) -> AsyncIterator[Target]:
        async with kind() as server:
            yield open_target(server.config(root), context())
            assert server.faults == []

    return setup


SETUPS: dict[str, Setup] = {
    "dvelop": far_side(DvelopServer),
    "folder": folder,
    "hostimp": hostimp,
    "http": http,
    "paperless": far_side(PaperlessServer),
    "s3": far_side(S3Server),
    "sftp": sftp,
    "tus": far_side(TusServer),
    "webdav": far_side(WebdavServer),
}


def test_every_type_is_held_to_the_contract() -> None:
    assert set(SETUPS) == set(TARGETS)


def contract(setup: Setup, root: Path, work: Callable[[Target], Awaitable[None]]) -> None:
    async def go() -> None:
        async with setup(root) as target:
            try:
                await work(target)
            finally:
                await target.close()
                await target.close()

    asyncio.run(go())


def parcel(root: Path, seq: int, data: bytes, name: str = "scan.pdf") -> Parcel:
    path = root / f"blob{seq}"
    path.write_bytes(data)
    sha256 = hashlib.sha256(data).hexdigest()
    return Parcel(
        f"rathaus/3f2a91c0/{seq}", seq, "3f2a91c0", "counter", name, path, sha256, len(data), "application/pdf", "1:0"
    )


async def send(target: Target, one: Parcel) -> Receipt:
    """As the delivery does it, which comes back when the far side is at work."""
    for _ in range(20):
        with contextlib.suppress(Pending):
            return await target.send(one)
    raise AssertionError("never done")


@pytest.fixture(params=sorted(set(SETUPS) - {"hostimp"}))
def setup(request: pytest.FixtureRequest) -> Setup:
    """Of those that prove more than that they were told yes."""
    return SETUPS[request.param]


@pytest.mark.parametrize("kind", sorted(SETUPS))
def test_what_it_proves_and_whether_it_can_be_reached(kind: str, tmp_path: Path) -> None:
    async def work(target: Target) -> None:
        assert target.proves in Proof
        assert (target.proves is Proof.TRANSFERRED) == (kind == "hostimp")
        said = await target.probe()
        assert said
        assert "\n" not in said
        receipt = await send(target, parcel(tmp_path, 1, b"one"))
        assert (receipt.object_id is not None) == (target.proves is Proof.FILED)

    contract(SETUPS[kind], tmp_path, work)


def test_what_was_sent_is_stored_and_what_was_not_is_not(setup: Setup, tmp_path: Path) -> None:
    async def work(target: Target) -> None:
        first, second = parcel(tmp_path, 1, b"one"), parcel(tmp_path, 2, b"two")
        assert await target.stored(first) is None
        receipt = await send(target, first)
        assert receipt.stored_sha256 in {None, first.sha256}
        assert await target.stored(first) == first.sha256
        assert await target.stored(second) is None

    contract(setup, tmp_path, work)


def test_sending_twice_is_harmless(setup: Setup, tmp_path: Path) -> None:
    async def work(target: Target) -> None:
        one = parcel(tmp_path, 1, b"one" * 100_000)
        for _ in range(2):
            await send(target, one)
            assert await target.stored(one) == one.sha256

    contract(setup, tmp_path, work)


def test_same_name_and_same_content_under_other_ids_are_kept_apart(setup: Setup, tmp_path: Path) -> None:
    async def work(target: Target) -> None:
        parcels = [parcel(tmp_path, 1, b"same"), parcel(tmp_path, 2, b"same"), parcel(tmp_path, 3, b"other")]
        for one in parcels:
            await send(target, one)
        assert [await target.stored(one) for one in parcels] == [one.sha256 for one in parcels]

    contract(setup, tmp_path, work)


@pytest.mark.parametrize("name", ["../../x.pdf", "ü" * 200, "", "a\r\nSet-Cookie: x.pdf", "CON", "\ufffd"])
def test_any_name_is_harmless(setup: Setup, tmp_path: Path, name: str) -> None:
    async def work(target: Target) -> None:
        one = parcel(tmp_path, 1, b"one", name)
        await send(target, one)
        assert await target.stored(one) == one.sha256

    contract(setup, tmp_path, work)
