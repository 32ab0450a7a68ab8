"""Work in a thread that nobody is torn away from: what it opens is given back, and nothing is closed under it.

`asyncio.to_thread` leaves the thread to itself when its caller is cancelled: a descriptor that it opens then stays open
for ever, and one that its caller closes can be another document's file by the time it writes.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar, TypeVarTuple

A = TypeVarTuple("A")
T = TypeVar("T")


async def to_end(work: Callable[[*A], T], *args: *A, undo: Callable[[T], object] | None = None) -> T:
    """What `work` returns or raises. Who is cancelled meanwhile waits for its end, and `undo` gives back what it made.

    That is called on the event loop, and must not block for long.
    """
    running = asyncio.get_running_loop().run_in_executor(None, partial(work, *args))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        while not running.done():
            try:
                await asyncio.wait({running})
            except asyncio.CancelledError:
                continue  # it was said before
        if not running.cancelled() and running.exception() is None and undo is not None:
            undo(running.result())
        raise
