"""Against s3rver (npm, MIT), which reads signatures, knows keys and keeps no checksums: documents are read back.

It does not compute signatures of version 4 itself: `test_scans_targets_sigv4.py` has vectors for these. The peer is
installed into build/ when npm is there and reaches its registry.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.daemon.scans_fakes import FakeClock, context
from tests.daemon.target_scene import DATA, SHA, parcel
from tests.npm import installed, node, serving
from torhaus.daemon.scans.targets.base import TargetDown
from torhaus.daemon.scans.targets.s3 import S3, Config

SCRIPT = Path(__file__).with_name("far_sides") / "s3rver.js"
KEY = "S3RVER"
"""Its access key, and its secret key as well."""


@pytest.fixture(scope="module")
def packages() -> Path:
    """Where it is installed. Skips without node, npm or a way to its registry."""
    node()
    return installed("s3rver", "s3rver@3.7.1")


def with_peer(packages: Path, root: Path, key: str, work: Callable[[S3], Awaitable[None]]) -> None:
    async def go() -> None:
        path = root / "secret"
        path.touch(mode=0o600)
        path.write_text(KEY, encoding="ascii")
        (root / "store").mkdir()
        clock = FakeClock()
        clock.wall_offset_ns = time.time_ns() - clock.boot_ns()  # signatures are good for a quarter of an hour
        async with serving(SCRIPT, str(packages), str(root / "store"), "scans") as port:
            url = f"http://127.0.0.1:{port}"
            config = Config(
                "s3", url, bucket="scans", access_key=key, secret_key_file=str(path), prefix="post/",
                if_none_match=False,
            )  # fmt: skip
            target = S3(config, context(clock=clock))
            try:
                await work(target)
            finally:
                await target.close()

    asyncio.run(go())


def test_it_takes_what_we_sign_and_what_arrives_is_read_back(packages: Path, tmp_path: Path) -> None:
    async def work(target: S3) -> None:
        assert await target.probe() == "bucket scans is there"
        one = parcel(tmp_path)
        assert await target.stored(one) is None
        for _ in range(2):
            assert (await target.send(one)).stored_sha256 is None
            assert await target.stored(one) == SHA
        stored = [p for p in (tmp_path / "store").rglob("*") if p.is_file() and p.read_bytes() == DATA]
        assert len(stored) == 1
        stored[0].write_bytes(DATA[:-1] + b"x")
        assert await target.stored(one) not in {None, SHA}

    with_peer(packages, tmp_path, KEY, work)


def test_an_access_key_that_it_does_not_know_is_named(packages: Path, tmp_path: Path) -> None:
    async def work(target: S3) -> None:
        with pytest.raises(TargetDown, match="InvalidAccessKeyId: 403"):
            await target.send(parcel(tmp_path))

    with_peer(packages, tmp_path, "STRANGER", work)
