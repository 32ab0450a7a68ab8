"""The daemon's side of one script process."""

import asyncio
import os
import sys

import pytest

from torhaus.codecs.model import Value
from torhaus.daemon.scripts.child import ChildGone, ScriptChild, own_sources
from torhaus.daemon.scripts.protocol import OWN_SOURCES, Answers, Batch, Decoded, Job, Limits, Source


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - only their number counts


def test_own_sources() -> None:
    assert tuple(own_sources()) == OWN_SOURCES
    assert all(text.startswith("//") for text in own_sources().values())


def test_life_of_a_process() -> None:
    async def main() -> None:
        gone: list[int] = []
        child = await ScriptChild.spawn(Limits(), lambda: gone.append(1))
        await child.ready()
        before = child.progress
        child.send(Source("a", "function Decoder() { return { a: 1 }; }"))
        child.send(Batch([Job("a.js", "a", b"")]))
        assert await child.answers() == Answers([Decoded({"a": Value(1)})])
        assert child.progress > before
        child.kill("no longer needed")
        child.kill("another reason")
        with pytest.raises(ChildGone, match="no longer needed"):
            await child.answers()
        assert await child.end() == "no longer needed (SIGKILL)"
        assert await child.end() == "no longer needed (SIGKILL)"
        assert (child.gone, gone) == (True, [1])
        child.send(Batch([]))  # nobody hears it
        with pytest.raises(ChildGone):
            await child.answers()

    asyncio.run(main())


def test_nothing_is_left_open() -> None:
    async def main() -> None:
        async def once() -> None:
            child = await ScriptChild.spawn(Limits(), lambda: None)
            await child.ready()
            await child.end()
            await asyncio.sleep(0)

        await once()
        before = open_files()
        for _ in range(3):
            await once()
        assert open_files() == before
        with pytest.raises(FileNotFoundError):
            await ScriptChild.spawn(Limits(), lambda: None, ("/nonexistent/interpreter",))
        assert open_files() == before

    asyncio.run(main())


def test_process_that_ends_at_once() -> None:
    async def main() -> None:
        child = await ScriptChild.spawn(Limits(), lambda: None, (sys.executable, "-c", "raise SystemExit(7)"))
        with pytest.raises(ChildGone):
            await child.ready()
        assert await child.end() == "exit status 7"

    asyncio.run(main())


def test_waiting_can_be_cancelled() -> None:
    async def main() -> None:
        child = await ScriptChild.spawn(Limits(), lambda: None)
        await child.ready()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(child.answers(), 0.001)
        child.send(Source("a", "function Decoder() { return { a: 1 }; }"))
        child.send(Batch([Job("a.js", "a", b"")]))
        assert await child.answers() == Answers([Decoded({"a": Value(1)})])
        await child.end()

    asyncio.run(main())
