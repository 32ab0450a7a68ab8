"""One target against its far side, for the tests of its own ways."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.daemon.far_sides.manners import FarSide
from tests.daemon.scans_fakes import FakeClock, context
from torhaus.daemon.scans.targets.base import Parcel, Pending, Progress, Receipt
from torhaus.daemon.scans.targets.registry import open_target

DATA = b"document" * 2000
SHA = hashlib.sha256(DATA).hexdigest()


def parcel(root: Path, seq: int = 7, data: bytes = DATA, progress: str | None = None) -> Parcel:
    path = root / f"blob-{seq}"
    path.write_bytes(data)
    return Parcel(
        f"rathaus/3f2a91c0/{seq}", seq, "3f2a91c0", "counter", "Bußgeld 1.pdf", path, hashlib.sha256(data).hexdigest(),
        len(data), "application/pdf", "12:ab", Progress(progress),
    )  # fmt: skip


def with_far_side(
    root: Path, server: FarSide, work: Callable[[Any], Awaitable[None]], clock: FakeClock | None = None, **more: Any
) -> None:
    async def go() -> None:
        async with server:
            target = open_target(server.config(root, **more), context(clock=clock))  # type: ignore[attr-defined]
            try:
                await work(target)
            finally:
                await target.close()
            assert server.faults == []

    asyncio.run(go())


async def send(target: Any, one: Parcel, clock: FakeClock | None = None) -> Receipt:
    """As the delivery does it: the far side is asked again when it wants to be."""
    for _ in range(100):
        try:
            receipt: Receipt = await target.send(one)
        except Pending as wait:
            if clock is not None:
                clock.pass_s(wait.after_s)
        else:
            return receipt
    raise AssertionError("never done")
