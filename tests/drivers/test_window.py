"""How much may be handed over before it is on disk."""

import asyncio

from tests.drivers.fakes import run
from torhaus.drivers.window import Window


def test_there_is_room_again_when_something_is_settled() -> None:
    async def main() -> None:
        window, told = Window(3), list[bool]()
        first, second = window.taken(2, told.append), window.taken(1)
        waiting = asyncio.create_task(window.room())
        for _ in range(5):
            await asyncio.sleep(0)
        assert not waiting.done()
        second(True)
        await waiting
        assert told == []
        first(False)
        assert told == [False]
        await window.room()

    run(main())
