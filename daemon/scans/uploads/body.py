"""Reads what a client sends: bounded in size and time, in batches that are worth a thread's while."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

import aiohttp
from aiohttp import web

from torhaus.daemon.clock import Clock

BATCH_BYTES: Final = 1 << 20
"""So much is collected before it is written: what one upload holds in memory."""
BATCH_NS: Final = 2 * 10**9
"""A slow line's bytes wait no longer than this to be written."""
SLOWEST_BYTES_S: Final = 1024
"""A body may take as long as this rate needs, plus some idle times: a trickle cannot hold its place for ever."""
_GONE: Final = (TimeoutError, ConnectionError, aiohttp.ClientError, web.RequestPayloadError)


class Cut(Exception):  # noqa: N818 - what became of the line
    """The body ended before its end: connection gone, framing broken, or nothing came any more."""


class TooLong(Exception):  # noqa: N818 - a fact about the body
    """It has more bytes than it may have."""


async def batches(request: web.Request, limit: int, idle_s: float, clock: Clock) -> AsyncGenerator[list[bytes], None]:
    """The body's bytes. What came before it was cut is given first. Raises Cut, TooLong."""
    held: list[bytes] = []
    size = total = 0
    began_ns = since_ns = clock.boot_ns()
    while True:
        try:
            async with asyncio.timeout(idle_s):
                piece = await request.content.readany()
        except _GONE as error:
            if held:
                yield held
            raise Cut from error
        if not piece:
            break
        size += len(piece)
        total += len(piece)
        if total > limit:
            raise TooLong
        held.append(piece)
        now_ns = clock.boot_ns()
        if size >= BATCH_BYTES or now_ns - since_ns >= BATCH_NS:
            yield held
            held, size, since_ns = [], 0, now_ns
        if now_ns - began_ns > (2 * idle_s + total / SLOWEST_BYTES_S) * 1e9:
            if held:
                yield held
            raise Cut
    if held:
        yield held


async def let_come(request: web.Request) -> None:
    """Tell a client that waits for it (Expect: 100-continue, RFC 9110 §10.1.1) that it may send the body."""
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0


def is_coded(request: web.Request) -> bool:
    """Whether the body is compressed: what is hashed and kept are the bytes that were sent, so it must not be."""
    return request.headers.get("Content-Encoding", "identity").strip().lower() != "identity"
