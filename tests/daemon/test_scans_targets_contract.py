"""What every target must do, run over all of them: a target that joins SETUPS is held to the same contract."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.daemon.scans_fakes import context
from tests.daemon.scans_server import FakeServer
from torhaus.daemon.scans.targets import folder as folder_target
from torhaus.daemon.scans.targets.base import Parcel, Target
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


SETUPS: dict[str, Setup] = {"folder": folder, "http": http}


def test_every_type_is_held_to_the_contract() -> None:
    assert set(SETUPS) == set(TARGETS)


def contract(setup: Setup, root: Path, work: Callable[[Target], Awaitable[None]]) -> None:
    async def go() -> None:
        async with setup(root) as target:
            await work(target)
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


@pytest.fixture(params=sorted(SETUPS))
def setup(request: pytest.FixtureRequest) -> Setup:
    return SETUPS[request.param]


def test_what_was_sent_is_stored_and_what_was_not_is_not(setup: Setup, tmp_path: Path) -> None:
    async def work(target: Target) -> None:
        first, second = parcel(tmp_path, 1, b"one"), parcel(tmp_path, 2, b"two")
        assert await target.stored(first) is None
        receipt = await target.send(first)
        assert receipt.stored_sha256 in {None, first.sha256}
        assert await target.stored(first) == first.sha256
        assert await target.stored(second) is None

    contract(setup, tmp_path, work)


def test_sending_twice_is_harmless(setup: Setup, tmp_path: Path) -> None:
    async def work(target: Target) -> None:
        one = parcel(tmp_path, 1, b"one" * 100_000)
        for _ in range(2):
            await target.send(one)
            assert await target.stored(one) == one.sha256

    contract(setup, tmp_path, work)


def test_same_name_and_same_content_under_other_ids_are_kept_apart(setup: Setup, tmp_path: Path) -> None:
    async def work(target: Target) -> None:
        parcels = [parcel(tmp_path, 1, b"same"), parcel(tmp_path, 2, b"same"), parcel(tmp_path, 3, b"other")]
        for one in parcels:
            await target.send(one)
        assert [await target.stored(one) for one in parcels] == [one.sha256 for one in parcels]

    contract(setup, tmp_path, work)


@pytest.mark.parametrize("name", ["../../x.pdf", "ü" * 200, "", "a\r\nSet-Cookie: x.pdf", "CON", "\ufffd"])
def test_any_name_is_harmless(setup: Setup, tmp_path: Path, name: str) -> None:
    async def work(target: Target) -> None:
        one = parcel(tmp_path, 1, b"one", name)
        await target.send(one)
        assert await target.stored(one) == one.sha256

    contract(setup, tmp_path, work)
