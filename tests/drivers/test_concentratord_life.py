"""The Concentratord driver when Concentratord goes, comes, falls silent or is another: signs of life."""

import asyncio
from pathlib import Path

import pytest

from tests.drivers.concentratord_fakes import (
    GATEWAY,
    OTHER,
    FakeConcentratord,
    Host,
    idle,
    links,
    running,
    until,
    uplink,
)
from tests.drivers.fakes import run
from torhaus.drivers.base import DriverGone, GatewayLeft, GatewaySeen
from torhaus.drivers.concentratord import Concentratord, Config
from torhaus.drivers.zmq_socket import MAX_MESSAGE_BYTES


@pytest.fixture
def fake(tmp_path: Path) -> FakeConcentratord:
    return FakeConcentratord(tmp_path)


def test_it_comes_back_when_concentratord_does(fake: FakeConcentratord) -> None:
    async def main() -> None:
        host = Host()
        async with running(fake, host):
            for times in (1, 2, 3):
                async with fake.open():
                    await until(lambda: fake.subscribed >= times, 0.005)  # noqa: B023 - used at once
                    await fake.publish(uplink())
                    await until(lambda: len(host.frames) >= times, 0.005)  # noqa: B023 - used at once

    run(main())


def test_with_nobody_there_it_says_why_and_keeps_waiting_for_a_while(fake: FakeConcentratord) -> None:
    async def main() -> None:
        host = Host()
        driver = Concentratord(Config(name="dach", event_url=fake.event_url, command_url=fake.command_url))
        task = asyncio.create_task(driver.run(host))
        await until(lambda: links(host), 0.05)
        why = f"there is no socket {fake.command_url.removeprefix('ipc://')}: "
        ((up, detail),) = links(host)
        assert not up
        assert detail.startswith(why)
        began = asyncio.get_running_loop().time()
        await until(task.done, 1.0)
        with pytest.raises(DriverGone, match=why):
            task.result()
        assert asyncio.get_running_loop().time() - began >= 60
        assert len(links(host)) == 1  # what has been said is not said again
        async with fake.open():  # and it can be run again
            again = asyncio.create_task(driver.run(host))
            await until(lambda: links(host)[-1] == (True, f"gateway {GATEWAY}"))
            again.cancel()
            await asyncio.wait([again])

    run(main())


def test_one_that_falls_silent_is_asked_and_subscribed_to_anew(fake: FakeConcentratord) -> None:
    async def main() -> None:
        host = Host()
        async with fake.open(), running(fake, host) as driver:
            await fake.until_subscribed()
            await idle(driver, lambda: fake.asked.count("get_gateway_id") >= 2, 5.0)
            await fake.until_subscribed(2)
            await fake.publish(uplink())
            await host.until_frames(1)
        assert links(host) == [(True, f"gateway {GATEWAY}")]

    run(main())


def test_after_an_event_that_is_far_too_long_it_subscribes_anew(fake: FakeConcentratord) -> None:
    async def main() -> None:
        host = Host()
        async with fake.open(), running(fake, host) as driver:
            await fake.until_subscribed()
            await until(lambda: "get_location" in fake.asked and driver._wait is not None)
            await fake.publish(b"x" * (MAX_MESSAGE_BYTES + 1))
            await until(lambda: fake.asked.count("get_gateway_id") >= 2)
            await idle(driver, lambda: fake.subscribed >= 2, 0.1)
            await fake.publish(uplink())
            await host.until_frames(1)

    run(main())


def test_one_that_dies_is_down_at_once_and_up_when_it_is_back(fake: FakeConcentratord) -> None:
    async def main() -> None:
        host = Host()
        async with running(fake, host) as driver:
            async with fake.open():
                await fake.until_subscribed()
                await until(lambda: links(host))
                await fake.publish(uplink())
                await host.until_frames(1)
            loop = asyncio.get_running_loop()
            began = loop.time()
            await until(lambda: not links(host)[-1][0], 0.05)
            assert loop.time() - began < 5
            async with fake.open():
                await idle(driver, lambda: links(host)[-1][0], 0.0)
                await fake.until_subscribed(2)
                await fake.publish(uplink())
                await host.until_frames(2)
        assert [up for up, _ in links(host)] == [True, False, True]
        turns = [type(e) for e in host.events if isinstance(e, GatewaySeen | GatewayLeft)]
        assert turns == [GatewaySeen, GatewayLeft, GatewaySeen, GatewayLeft]

    run(main())


def test_events_are_taken_although_commands_are_not_answered(fake: FakeConcentratord) -> None:
    async def main() -> None:
        host = Host()
        fake.answer = lambda _: b"what?"
        async with fake.open(), running(fake, host) as driver:
            await fake.until_subscribed()
            await until(lambda: links(host))
            assert "Concentratord 4.5" in links(host)[0][1]
            await fake.publish(uplink())
            await host.until_frames(1)
            assert links(host)[-1] == (True, "events come")
            await idle(driver, lambda: "events come, but" in links(host)[-1][1], 1.0)
            fake.answer = fake.well
            await idle(driver, lambda: links(host)[-1] == (True, f"gateway {GATEWAY}"), 1.0)

    run(main())


def test_another_card_is_another_gateway(fake: FakeConcentratord) -> None:
    async def main() -> None:
        host = Host()
        async with running(fake, host):
            async with fake.open():
                await fake.until_subscribed()
                await until(lambda: links(host))
            fake.gateway = OTHER
            async with fake.open():
                await fake.until_subscribed(2)
                await fake.publish(uplink(OTHER))
                await until(lambda: links(host)[-1] == (True, f"gateway {OTHER}"), 0.005)
            left = [e.gateway for e in host.events if isinstance(e, GatewayLeft)]
            assert left == [GATEWAY]

    run(main())
