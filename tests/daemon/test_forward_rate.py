"""The backlog's rate."""

import asyncio

import pytest

from tests.daemon.clocks import FakeClock
from torhaus.daemon.forward.rate import Rate


@pytest.mark.parametrize("per_s", [0.5, 3, 100, 5000])
def test_so_many_a_second_on_average(per_s: float) -> None:
    async def main() -> int:
        clock = FakeClock()
        rate = Rate(per_s, clock)
        sent = 0

        async def work() -> None:
            nonlocal sent
            while True:
                n = await rate.allow(256)
                assert 1 <= n <= 256
                rate.spend(n)
                sent += n

        task = asyncio.create_task(work())
        await clock.pass_s(20, step_s=0.01, turns=3)
        task.cancel()
        await asyncio.wait([task])
        return sent

    assert asyncio.run(main()) == pytest.approx(20 * per_s, rel=0.06, abs=1)


def test_a_long_pause_gives_no_flood() -> None:
    async def main() -> None:
        clock = FakeClock()
        rate = Rate(1000, clock)
        clock.advance(3600)
        assert await rate.allow(10_000) == 100

    asyncio.run(main())


def test_none_is_no_limit() -> None:
    async def main() -> None:
        rate = Rate(0, FakeClock())
        for _ in range(3):
            assert await rate.allow(7) == 7
            rate.spend(7)

    asyncio.run(main())
