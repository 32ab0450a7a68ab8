import asyncio

from tests.daemon.outbox_fakes import AT, reading
from torhaus.daemon.forward.ahead import Ahead
from torhaus.daemon.outbox.record import Stored


def stored(pos: int) -> Stored:
    return Stored(pos, "3f2a91c0", pos, "boot", AT, reading(pos))


class Source:
    """Batches of one; every third time there is nothing."""

    def __init__(self) -> None:
        self.given: list[int] = []
        self.back: list[int] = []
        self.calls = 0

    async def read(self) -> list[Stored]:
        await asyncio.sleep(0)
        self.calls += 1
        if self.calls % 3 == 0:
            return []
        self.given.append(self.calls)
        return [stored(self.calls)]

    def release(self, batch: list[Stored]) -> None:
        self.back += [s.pos for s in batch]


def test_one_is_ready_one_is_read_and_no_more() -> None:
    async def main() -> None:
        source = Source()
        ahead = Ahead(source.read, source.release)
        task = asyncio.ensure_future(ahead.run())
        for _ in range(50):
            await asyncio.sleep(0)
        assert source.given == [1, 2], "the second waits until the first is taken"
        taken = [(await ahead.take())[0].pos for _ in range(5)]
        assert taken == [1, 2, 4, 5, 7]
        for _ in range(50):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        ahead.give_back()
        assert sorted(source.back) == source.given[5:], "nothing is forgotten, whoever had it"

    asyncio.run(main())
