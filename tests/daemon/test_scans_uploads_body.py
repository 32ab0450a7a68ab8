"""Bodies are read in batches, and cut off when they are too long, too slow or come to nothing."""

import asyncio
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from tests.daemon.scans_fakes import FakeClock
from torhaus.daemon.scans.uploads.body import BATCH_BYTES, Cut, TooLong, batches, is_coded


class Content:
    """Gives these, or fails with them; each takes some time."""

    def __init__(self, clock: FakeClock, pieces: list[Any], each_s: float = 0.0) -> None:
        self._clock, self._pieces, self._each_s = clock, pieces, each_s

    async def readany(self) -> bytes:
        self._clock.pass_s(self._each_s)
        if not self._pieces:
            return b""
        piece = self._pieces.pop(0)
        if isinstance(piece, BaseException):
            raise piece
        if piece is None:
            await asyncio.Event().wait()
        return bytes(piece)


def read(pieces: list[Any], limit: int = 1 << 30, each_s: float = 0.0) -> tuple[list[int], type[Exception] | None]:
    clock = FakeClock()

    class Request:
        content = Content(clock, pieces, each_s)

    async def go() -> tuple[list[int], type[Exception] | None]:
        sizes: list[int] = []
        request: Any = Request()
        try:
            async for batch in batches(request, limit, 0.01, clock):
                sizes += [sum(map(len, batch))]
        except (Cut, TooLong) as error:
            return sizes, type(error)
        return sizes, None

    return asyncio.run(go())


@pytest.mark.parametrize(
    ("pieces", "sizes", "end"),
    [
        ([], [], None),
        ([b"ab", b"c"], [3], None),
        ([bytes(BATCH_BYTES - 1), b"ab", b"c"], [BATCH_BYTES + 1, 1], None),
        ([b"ab", ConnectionResetError()], [2], Cut),
        ([web.RequestPayloadError()], [], Cut),
        ([b"ab", None], [2], Cut),
    ],
)
def test_batches(pieces: list[Any], sizes: list[int], end: type[Exception] | None) -> None:
    assert read(pieces) == (sizes, end)


def test_limits() -> None:
    assert read([b"abc", b"d"], 3) == ([], TooLong)
    assert read([b"abc"], 3) == ([3], None)
    assert read([b"a"] * 5, each_s=2.0)[0] == [1]  # what came so slowly is written and then given up


def test_a_trickle_is_cut() -> None:
    sizes, end = read([b"a"] * 1000, each_s=0.005)
    assert (sum(sizes) < 10, end) == (True, Cut)


@pytest.mark.parametrize(("coding", "is_so"), [("identity", False), ("gzip", True), ("IDENTITY ", False), ("", True)])
def test_coded_bodies(coding: str, is_so: bool) -> None:
    assert is_coded(make_mocked_request("PUT", "/", {"Content-Encoding": coding})) is is_so
