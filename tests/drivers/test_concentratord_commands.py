"""Downlinks through a Concentratord, well- and ill-mannered."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from chirpstack_api.gw import gw_pb2

from tests.drivers.concentratord_fakes import GATEWAY, OTHER, FakeConcentratord, Host, downlink, idle, running, until
from tests.drivers.fakes import StillLoop, advance, run
from torhaus.codecs.framing.chirpstack_gw.commands import (
    ChannelConfiguration,
    FskModulationConfig,
    GatewayConfiguration,
    LoraModulationConfig,
)
from torhaus.codecs.framing.chirpstack_gw.fields import Span
from torhaus.codecs.framing.chirpstack_gw.times import SECOND
from torhaus.codecs.lorawan.downlink import TxStatus
from torhaus.drivers.base import LinkChanged
from torhaus.drivers.concentratord import CONFIGURE_AGAIN_S, Concentratord
from torhaus.drivers.concentratord_commands import MAX_WAITING, absence
from torhaus.drivers.downlink import Configured
from torhaus.drivers.zmq_socket import Unanswered

OK, IGNORED = TxStatus.OK, TxStatus.IGNORED


@pytest.fixture
def fake(tmp_path: Path) -> FakeConcentratord:
    return FakeConcentratord(tmp_path)


async def send(driver: Concentratord, gateway: str = GATEWAY, items: int = 2) -> list[TxStatus]:
    return [answer.status for answer in await driver.transmit(downlink(gateway, items))]


def with_driver(fake: FakeConcentratord, main: Callable[[Concentratord, Host], Any], **keys: Any) -> None:
    """Run `main` with a driver that knows its gateway."""

    async def whole() -> None:
        host = Host()
        async with fake.open(), running(fake, host, **keys) as driver:
            await until(lambda: "get_location" in fake.asked and driver._wait is not None)
            await main(driver, host)

    run(whole())


def test_a_thousand_downlinks_each_with_its_own_answer(fake: FakeConcentratord) -> None:
    async def main(driver: Concentratord, host: Host) -> None:
        for _ in range(50):
            said = await asyncio.gather(*(send(driver, items=1 + n % 3) for n in range(20)))
            assert said == [[OK, IGNORED, IGNORED][: 1 + n % 3] for n in range(20)]

    with_driver(fake, main)
    assert len(fake.downlinks) == 1000
    assert len({d.downlink_id for d in fake.downlinks}) == 1000


def test_concentratord_is_told_everything(fake: FakeConcentratord) -> None:
    async def main(driver: Concentratord, host: Host) -> None:
        host.now_ns = 0
        first, second = await driver.transmit(downlink())
        assert (first.status, first.answered_s) == (OK, 0.0)
        assert (second.status, second.answered_s) == (IGNORED, None)

    with_driver(fake, main)
    (sent,) = fake.downlinks
    assert sent.gateway_id == GATEWAY
    first, second = sent.items
    assert (first.phy_payload, first.tx_info.frequency, first.tx_info.power) == (b"\x60" * 12, 868_100_000, 14)
    assert first.tx_info.modulation.lora.polarization_inversion
    assert (first.tx_info.timing.delay.delay.seconds, second.tx_info.timing.delay.delay.seconds) == (1, 2)
    assert first.tx_info.context == b"\0\0\0\1"


@pytest.mark.parametrize("status", gw_pb2.TxAckStatus.keys())
def test_each_status_is_passed_on_item_by_item(fake: FakeConcentratord, status: str) -> None:
    async def main(driver: Concentratord, _: Host) -> None:
        well = fake.answer
        fake.answer = lambda c: (
            fake.acked(c.send_downlink_frame, status, "OK") if c.HasField("send_downlink_frame") else well(c)
        )
        assert await send(driver) == [TxStatus(status), OK]

    with_driver(fake, main)


def renumbered(command: Any) -> bytes:
    ack = gw_pb2.DownlinkTxAck(downlink_id=command.send_downlink_frame.downlink_id + 1)
    ack.items.add(status="OK")
    ack.items.add(status="OK")
    return bytes(ack.SerializeToString())


@pytest.mark.parametrize(
    ("answer", "statuses"),
    [
        (lambda _: b"", [TxStatus.INTERNAL_ERROR] * 2),
        (lambda _: b"\xff\xfe", [TxStatus.NO_ANSWER] * 2),
        (lambda _: b"\x2a\x02\x08\x63", [TxStatus.NO_ANSWER] * 2),  # a status that nobody knows
        (renumbered, [TxStatus.NO_ANSWER] * 2),
        (lambda c: gw_pb2.DownlinkTxAck(downlink_id=c.send_downlink_frame.downlink_id).SerializeToString(),
         [TxStatus.NO_ANSWER] * 2),
    ],
)  # fmt: skip
def test_answers_that_are_none(fake: FakeConcentratord, answer: Callable[[Any], bytes], statuses: list[str]) -> None:
    async def main(driver: Concentratord, _: Host) -> None:
        fake.answer = lambda c: answer(c) if c.HasField("send_downlink_frame") else fake.well(c)
        said = await driver.transmit(downlink())
        assert [a.status for a in said] == statuses
        assert {a.answered_s for a in said} == {None}
        fake.answer = fake.well
        assert await send(driver) == [OK, IGNORED]

    with_driver(fake, main)


def test_fewer_answers_than_items(fake: FakeConcentratord) -> None:
    async def main(driver: Concentratord, _: Host) -> None:
        fake.answer = lambda c: (
            fake.acked(c.send_downlink_frame, "TOO_LATE") if c.HasField("send_downlink_frame") else fake.well(c)
        )
        assert await send(driver) == [TxStatus.TOO_LATE, TxStatus.NO_ANSWER]

    with_driver(fake, main)


def test_a_late_answer_is_not_the_next_downlinks(fake: FakeConcentratord) -> None:
    async def main(driver: Concentratord, _: Host) -> None:
        held = True

        def late(command: Any) -> bytes | None:
            return None if held and command.HasField("send_downlink_frame") else fake.well(command)

        fake.answer = late
        first = asyncio.create_task(send(driver, items=1))
        await until(lambda: fake.downlinks)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, StillLoop)
        loop.advance(0.1)
        assert await first == [TxStatus.NO_ANSWER]
        held = False
        assert await send(driver) == [OK, IGNORED]

    with_driver(fake, main)


def test_a_downlink_without_an_answer_makes_it_ask_who_is_there(fake: FakeConcentratord) -> None:
    async def main() -> None:
        host = Host()
        async with running(fake, host) as driver:
            async with fake.open():
                await until(lambda: "get_location" in fake.asked and driver._wait is not None)
            missed = asyncio.create_task(send(driver))
            await until(missed.done, 0.05)
            assert missed.result() == [TxStatus.NO_GATEWAY] * 2
            await until(lambda: host.events[-1] != LinkChanged(True, f"gateway {GATEWAY}"), 0.05)
            assert "no socket" in str(host.events[-1]) or "no answer" in str(host.events[-1])
            async with fake.open():
                await idle(driver, lambda: host.events[-1] == LinkChanged(True, f"gateway {GATEWAY}"), 1.0)
                assert await send(driver) == [OK, IGNORED]

    run(main())


def test_only_through_its_own_gateway(fake: FakeConcentratord) -> None:
    async def main(driver: Concentratord, _: Host) -> None:
        assert await send(driver, OTHER) == [TxStatus.NO_GATEWAY] * 2
        assert await send(driver, items=0) == []
        odd = msgspec.structs.replace(downlink().items[0], modulation="LR-FHSS", datarate="M0CW137")
        asked = msgspec.structs.replace(downlink(), items=(odd,))
        assert [a.status for a in await driver.transmit(asked)] == [TxStatus.INTERNAL_ERROR]

    with_driver(fake, main)
    assert len(fake.downlinks) == 1
    assert fake.downlinks[0].items == []


def test_before_it_runs_and_after_it_has_ended_nothing_is_sent(fake: FakeConcentratord) -> None:
    async def main(driver: Concentratord, _: Host) -> None:
        drivers.append(driver)

    drivers: list[Concentratord] = []
    with_driver(fake, main)
    assert run(send(drivers[0])) == [TxStatus.NO_GATEWAY] * 2
    fresh = Concentratord(drivers[0].config)
    assert run(send(fresh)) == [TxStatus.NO_GATEWAY] * 2


def test_too_many_at_once_are_refused_at_once(fake: FakeConcentratord) -> None:
    async def main(driver: Concentratord, _: Host) -> None:
        said = await asyncio.gather(*(send(driver) for _ in range(MAX_WAITING + 5)))
        assert said[:MAX_WAITING] == [[OK, IGNORED]] * MAX_WAITING
        assert said[MAX_WAITING:] == [[TxStatus.QUEUE_FULL] * 2] * 5

    with_driver(fake, main)


def test_a_downlink_under_way_when_the_driver_ends_has_an_answer(fake: FakeConcentratord) -> None:
    async def main() -> None:
        fake.answer = lambda c: None if c.HasField("send_downlink_frame") else fake.well(c)
        async with fake.open():
            async with running(fake, Host()) as driver:
                await until(lambda: "get_location" in fake.asked and driver._wait is not None)
                sending = asyncio.create_task(send(driver))
                await until(lambda: fake.downlinks)
            assert await sending == [TxStatus.NO_ANSWER] * 2
            fake.answer = fake.well
            await advance(0)

    run(main())


CHANNELS = GatewayConfiguration(
    GATEWAY, "7", [ChannelConfiguration(868_100_000, LoraModulationConfig(125_000, [7, 12])),
                   ChannelConfiguration(868_800_000, fsk_modulation_config=FskModulationConfig(125_000, 50_000))],
    Span(30 * SECOND),
)  # fmt: skip


def test_channels_are_passed_on_where_that_is_allowed_and_not_again_and_again(fake: FakeConcentratord) -> None:
    async def main(driver: Concentratord, _: Host) -> None:
        assert (await driver.configure(CHANNELS)).result == "handed_over"
        (sent,) = fake.configurations
        assert (sent.gateway_id, sent.version, sent.stats_interval.seconds) == (GATEWAY, "7", 30)
        lora, fsk = sent.channels
        assert (lora.frequency, lora.lora_modulation_config.spreading_factors) == (868_100_000, [7, 12])
        assert (fsk.frequency, fsk.fsk_modulation_config.bitrate) == (868_800_000, 50_000)
        assert (await driver.configure(CHANNELS)).result == "again"
        loop = asyncio.get_running_loop()
        assert isinstance(loop, StillLoop)
        loop.advance(CONFIGURE_AGAIN_S)
        assert (await driver.configure(CHANNELS)).result == "handed_over"
        assert len(fake.configurations) == 2
        loop.advance(CONFIGURE_AGAIN_S)
        other = msgspec.structs.replace(CHANNELS, gateway_id=OTHER)
        assert await driver.configure(other) == Configured("no_gateway", "Concentratord is not there")

    with_driver(fake, main, channels_from_server=True)


def test_channels_are_not_passed_on_where_that_is_not_allowed(fake: FakeConcentratord) -> None:
    async def main(driver: Concentratord, _: Host) -> None:
        said = await driver.configure(CHANNELS)
        assert said == Configured("refused", "channels_from_server of its driver is false")

    with_driver(fake, main)
    assert not fake.configurations


def test_channels_for_one_that_has_stopped(fake: FakeConcentratord) -> None:
    async def main(driver: Concentratord, _: Host) -> None:
        fake.answer = lambda c: None if c.HasField("set_gateway_configuration") else fake.well(c)
        asked = asyncio.create_task(driver.configure(CHANNELS))
        await until(lambda: fake.configurations)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, StillLoop)
        loop.advance(0.1)
        assert await asked == Configured("no_answer", "no answer in time")
        assert (await driver.configure(CHANNELS)).result == "again", "it may be starting anew with them"

    with_driver(fake, main, channels_from_server=True)


def test_channels_that_could_not_be_handed_over_may_come_again_at_once(fake: FakeConcentratord) -> None:
    async def main(driver: Concentratord, _: Host) -> None:
        assert driver._commands is not None
        ask, driver._commands._ask = driver._commands._ask, nobody  # type: ignore[method-assign, assignment]
        assert await driver.configure(CHANNELS) == Configured("no_gateway", "nobody is there")
        driver._commands._ask = ask  # type: ignore[method-assign]
        assert await driver.configure(CHANNELS) == Configured("handed_over")

    async def nobody(_: object) -> bytes:
        raise Unanswered(sent=False)

    with_driver(fake, main, channels_from_server=True)


def test_why_nobody_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "command"
    assert absence(f"ipc://{path}").startswith(f"there is no socket {path}: ")
    path.touch()
    assert absence(f"ipc://{path}") == f"no answer at ipc://{path}: is Concentratord running?"
    assert absence("tcp://192.0.2.10:3100") == "no answer at tcp://192.0.2.10:3100: is Concentratord running?"
    monkeypatch.setattr(os, "access", lambda _, mode: mode == os.F_OK)
    assert absence(f"ipc://{path}") == f"the socket {path} may not be written to by this service's user"
