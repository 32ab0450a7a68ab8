import asyncio

from torhaus.daemon.forward.turns import ALARM, BACKLOG, LIVE, Turns


async def rounds() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


class Office:
    """Who is in, in the order of coming in."""

    def __init__(self, count: int) -> None:
        self.turns = Turns(count)
        self.came: list[str] = []
        self.doors: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    def come(self, name: str, urgency: int) -> None:
        self.doors[name] = asyncio.Event()

        async def go() -> None:
            async with self.turns.turn(urgency):
                self.came.append(name)
                await self.doors[name].wait()

        self.tasks[name] = asyncio.ensure_future(go())

    async def leave(self, *names: str) -> None:
        for name in names:
            self.doors[name].set()
        await rounds()


def test_the_most_urgent_of_those_who_wait_goes_first() -> None:
    async def main() -> None:
        office = Office(1)
        for name, urgency in (("a", LIVE), ("b", BACKLOG), ("c", LIVE), ("d", ALARM), ("e", LIVE)):
            office.come(name, urgency)
            await rounds()
        assert office.came == ["a"]
        await office.leave("a", "b", "c", "d", "e")
        await rounds()
        assert office.came == ["a", "d", "c", "e", "b"]

    asyncio.run(main())


def test_an_alarm_waits_for_nobody_where_several_may_send() -> None:
    async def main() -> None:
        office = Office(2)
        for name, urgency in (("a", LIVE), ("b", BACKLOG), ("c", ALARM), ("d", ALARM)):
            office.come(name, urgency)
            await rounds()
        assert office.came == ["a", "b", "c"]
        await office.leave("c")
        office.come("e", ALARM)
        await rounds()
        assert office.came == ["a", "b", "c", "e"], "the one more turn is free again"
        await office.leave("a")
        assert office.came[-1] == "d"
        await office.leave("b", "d", "e")

    asyncio.run(main())


def test_who_is_cancelled_takes_no_turn_with_him() -> None:
    async def main() -> None:
        office = Office(1)
        for name in "abc":
            office.come(name, LIVE)
        await rounds()
        office.tasks["b"].cancel()
        await office.leave("a")
        assert office.came == ["a", "c"]
        await office.leave("c")
        office.come("d", LIVE)
        office.come("e", LIVE)
        await rounds()
        office.doors["d"].set()  # the turn goes to e in the same moment in which e is cancelled
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        office.tasks["e"].cancel()
        await rounds()
        office.come("f", LIVE)
        await rounds()
        assert office.came[-1] == "f"
        await office.leave("f")

    asyncio.run(main())
