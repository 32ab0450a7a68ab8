"""Who is to be answered, and how often."""

import asyncio
from collections.abc import Awaitable, Callable

from tests.daemon.clocks import FakeClock
from torhaus.codecs.model import Frame, Radio, Reception
from torhaus.daemon.lora.rounds import COLLECT_S, MAX_ROUNDS, Defect, Round, Rounds, no_defect

KEY = ("a81758fffe0312ab/1", 7)


def frame(gateway: str) -> Frame:
    rx = [Reception(gateway)]
    return Frame("roof", b"x", FakeClock().stamp(), Radio(868_100_000, "LORA", "SF7BW125", rx=rx))


def go(body: Callable[[Rounds, FakeClock], Awaitable[None]], defect: Defect = no_defect) -> None:
    async def main() -> None:
        clock = FakeClock()
        rounds = Rounds(clock, 2.5, defect)
        async with asyncio.timeout(30):
            task = asyncio.create_task(rounds.run())
            await body(rounds, clock)
            task.cancel()
            await asyncio.wait([task])

    asyncio.run(main())


def test_all_gateways_within_a_moment_and_late_ones() -> None:
    async def body(rounds: Rounds, clock: FakeClock) -> None:
        answered: list[list[str]] = []

        async def answer(this: Round) -> None:
            answered.append([rx.gateway for rx in this.receptions])

        assert not rounds.heard(KEY, frame("a"))
        assert rounds.begin(KEY, frame("a"), answer)
        await clock.pass_s(COLLECT_S / 2)
        assert rounds.heard(KEY, frame("b"))
        assert answered == []
        await clock.pass_s(COLLECT_S)
        assert answered == [["a", "b"]]
        assert rounds.heard(KEY, frame("c")), "late, and no new question"
        await clock.pass_s(2.5)
        assert not rounds.heard(KEY, frame("a")), "the device asks again"
        assert rounds.begin(KEY, frame("a"), answer)
        await clock.pass_s(COLLECT_S + 0.1)
        assert answered == [["a", "b"], ["a"]]

    go(body)


def test_no_more_than_so_many_at_once() -> None:
    async def body(rounds: Rounds, clock: FakeClock) -> None:
        done = []

        async def answer(_: Round) -> None:
            done.append(1)

        assert [rounds.begin(("x", n), frame("a"), answer) for n in range(MAX_ROUNDS + 1)].count(False) == 1
        await clock.pass_s(COLLECT_S + 0.1)
        assert len(done) == MAX_ROUNDS
        assert rounds.begin(KEY, frame("a"), answer)

    go(body)


def test_a_defect_costs_one_answer() -> None:
    told = []

    async def body(rounds: Rounds, clock: FakeClock) -> None:
        done = []

        async def breaks(_: Round) -> None:
            raise KeyError("x")

        async def answer(_: Round) -> None:
            done.append(1)

        assert rounds.begin(KEY, frame("a"), breaks)
        assert rounds.begin(("y", 1), frame("a"), answer)
        await clock.pass_s(COLLECT_S + 0.1)
        assert done == [1]
        assert rounds.begin(("z", 1), frame("a"), answer)
        await clock.pass_s(COLLECT_S + 0.1)
        assert done == [1, 1]

    go(body, lambda part, error: told.append((part, type(error))))
    assert told == [("answers to devices", KeyError)]
