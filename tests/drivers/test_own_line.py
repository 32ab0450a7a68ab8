"""Whoever wants the line to himself has it: the link is closed, and nobody opens it meanwhile."""

import asyncio

from torhaus.drivers.own_line import OwnLine


class FakeLink:
    def __init__(self, line: OwnLine) -> None:
        self._line = line
        self.closed = asyncio.Event()

    async def close(self) -> None:
        assert self._line._line.locked(), "before the lock is waited for: it is what gives it free"
        self.closed.set()


def test_the_link_is_closed_and_the_line_held() -> None:
    async def go() -> None:
        line = OwnLine()
        link = FakeLink(line)

        async def driver() -> None:
            async with line._line:
                line._link = link  # type: ignore[assignment]
                await link.closed.wait()

        running = asyncio.create_task(driver())
        await asyncio.sleep(0)
        async with line.taken():
            assert running.done()
            assert line._line.locked()
        assert not line._line.locked()

    asyncio.run(go())


def test_a_line_that_was_never_open() -> None:
    async def go() -> None:
        line = OwnLine()
        async with line.taken():
            assert line._line.locked()

    asyncio.run(go())
