import asyncio

from tests.daemon.scans_fakes import FakeClock
from torhaus.daemon.scans.throttle import Throttle


def test_no_more_than_allowed_goes_and_a_pause_becomes_no_flood() -> None:
    clock = FakeClock()

    async def go() -> None:
        throttle = Throttle(1000, clock)
        clock.pass_s(3600)
        began = clock.boot_ns()
        for _ in range(100):
            await throttle.take(100)
        assert 8.5e9 <= clock.boot_ns() - began <= 10e9
        assert throttle.seconds(5000) == 5
        assert throttle.piece(1 << 18) == 1024
        assert Throttle(1 << 30, clock).piece(1 << 18) == 1 << 18

    asyncio.run(go())


def test_without_a_limit_nobody_waits() -> None:
    clock = FakeClock()

    async def go() -> None:
        throttle = Throttle(None, clock)
        began = clock.boot_ns()
        await throttle.take(1 << 40)
        assert clock.boot_ns() == began
        assert throttle.seconds(1 << 40) == 0
        assert throttle.piece(7) == 7

    asyncio.run(go())
