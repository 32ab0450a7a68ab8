import asyncio

import pytest

from tests.drivers.fakes import advance, run
from torhaus.drivers.base import DriverGone
from torhaus.drivers.links.base import MAX_WRITE_BYTES, READ_BYTES, WRITE_S, Link


class Stuck(Link):
    """A device that neither says nor takes anything, until it is told to."""

    def __init__(self, idle_s: float = 0.0) -> None:
        super().__init__("stuck", idle_s)
        self.data: asyncio.Queue[bytes] = asyncio.Queue()
        self.asked: list[int] = []
        self.closed = 0

    async def _read(self, max_bytes: int) -> bytes:
        self.asked.append(max_bytes)
        return await self.data.get()

    async def _write(self, data: bytes) -> None:
        await asyncio.Event().wait()

    async def _set_baud(self, baud: int) -> None:
        await asyncio.Event().wait()

    async def close(self) -> None:
        self.closed += 1


class Fixed(Stuck):
    sets_baud = False

    async def _set_baud(self, baud: int) -> None:
        await Link._set_baud(self, baud)


def test_silence_is_a_loss_after_idle_s() -> None:
    async def main() -> None:
        link = Stuck(idle_s=60)
        reading = asyncio.create_task(link.read())
        await advance(59)
        link.data.put_nowait(b"x")
        assert await reading == b"x"
        reading = asyncio.create_task(link.read())
        await advance(59)
        assert not reading.done()
        await advance(2)
        with pytest.raises(DriverGone, match="stuck: silent for 60 s"):
            await reading

    run(main())


def test_without_idle_s_silence_is_no_loss() -> None:
    async def main() -> None:
        link = Stuck()
        reading = asyncio.create_task(link.read())
        await advance(1e9)
        link.data.put_nowait(b"x")
        assert await reading == b"x"

    run(main())


def test_a_far_side_that_takes_nothing_is_gone() -> None:
    async def main() -> None:
        link = Stuck()
        writing = asyncio.create_task(link.write(b"x"))
        await advance(WRITE_S + 1)
        with pytest.raises(DriverGone, match="takes no data"):
            await writing
        setting = asyncio.create_task(link.set_baud(300))
        await advance(WRITE_S + 1)
        with pytest.raises(DriverGone, match="no new rate"):
            await setting

    run(main())


def test_what_cannot_be_set_is_a_defect_of_the_caller() -> None:
    async def main() -> None:
        link = Fixed()
        with pytest.raises(ValueError, match="300 baud cannot be set"):
            await link.set_baud(300)
        with pytest.raises(ValueError):
            await link.read(0)
        with pytest.raises(ValueError):
            await link.write(bytes(MAX_WRITE_BYTES + 1))

    run(main())


def test_reads_are_bounded_and_leaving_closes() -> None:
    async def main() -> None:
        async with Stuck() as link:
            for data in (b"a", b"b"):
                link.data.put_nowait(data)
            assert [await link.read(), await link.read(7)] == [b"a", b"b"]
            assert link.asked == [READ_BYTES, 7]
        assert link.closed == 1

    run(main())
