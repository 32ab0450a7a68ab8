"""The Concentratord driver's way up: events, reports, signs of life; against real ZeroMQ sockets."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from tests.drivers.concentratord_fakes import (
    GATEWAY,
    OTHER,
    PHY,
    FakeConcentratord,
    Host,
    idle,
    report,
    running,
    until,
    uplink,
)
from tests.drivers.fakes import run
from torhaus.codecs.model import RejectReason
from torhaus.drivers.base import DriverGone, GatewayLeft, GatewaySeen, LinkChanged
from torhaus.drivers.concentratord import MAX_IDS, MAX_OUTSTANDING, Concentratord, Config
from torhaus.drivers.zmq_socket import MAX_MESSAGE_BYTES


@pytest.fixture
def fake(tmp_path: Path) -> FakeConcentratord:
    return FakeConcentratord(tmp_path)


def links(host: Host) -> list[tuple[bool, str]]:
    return [(e.up, e.detail) for e in host.events if isinstance(e, LinkChanged)]


def test_a_frame_comes_with_its_radio_data(fake: FakeConcentratord) -> None:
    async def main() -> None:
        host = Host()
        async with fake.open(), running(fake, host):
            await fake.until_subscribed()
            await until(lambda: links(host))
            await fake.publish(uplink())
            await host.until_frames(1)
        (frame,) = host.frames
        assert (frame.driver, frame.data, frame.stranger) == ("dach", PHY, None)
        assert frame.at.synced
        assert frame.radio is not None
        assert (frame.radio.freq_hz, frame.radio.datarate, frame.radio.coderate) == (868_100_000, "SF7BW125", "4/5")
        (rx,) = frame.radio.rx
        assert (rx.gateway, rx.rssi_dbm, rx.snr_db, rx.crc, rx.context) == (GATEWAY, -97.0, 7.5, 1, b"\0\0\0\1")
        seen = GatewaySeen(GATEWAY, fake.event_url, "concentratord", known=True)
        assert host.events == [seen, LinkChanged(True, f"gateway {GATEWAY}"), GatewayLeft(GATEWAY)]
        assert fake.asked == ["get_gateway_id", "get_location"]

    run(main())


def test_a_report_says_where_the_gateway_is(fake: FakeConcentratord) -> None:
    async def main() -> None:
        host = Host()
        async with fake.open(), running(fake, host):
            await fake.until_subscribed()
            await until(lambda: "get_location" in fake.asked)
            await fake.publish(report())
            await until(lambda: host.reports)
        (got,) = host.reports
        assert (got.gateway, got.stranger) == (GATEWAY, None)
        assert got.values["rxnb"] == 12
        assert (got.values["lati"], got.values["long"]) == (51.7653, 8.5665)

    run(main())


def test_what_cannot_be_read_is_refused_and_the_rest_goes_on(fake: FakeConcentratord) -> None:
    async def main() -> None:
        host = Host()
        bad = [
            (b"\xff\xff", RejectReason.SYNTAX),
            (b"", RejectReason.UNKNOWN_TYPE),
            (b"\x1a\x00", RejectReason.UNSUPPORTED),  # of a mesh
            (uplink(phy=b""), RejectReason.RANGE),
            (uplink("nobody"), RejectReason.SYNTAX),
            (uplink(context=b"x" * 100), RejectReason.LONG),
            (report(""), RejectReason.SYNTAX),
            (b"\0" * 70_000, RejectReason.LONG),
        ]
        async with fake.open(), running(fake, host):
            await fake.until_subscribed()
            for data, _ in bad:
                await fake.publish(data)
            await fake.publish(b"up", uplink())
            await fake.publish(*[b"part"] * 9)
            await fake.publish(uplink())
            await host.until_frames(1)
        wanted = [*bad, (b"up", RejectReason.UNSUPPORTED), (b"part", RejectReason.UNSUPPORTED)]
        assert [(r.data, r.reason) for r in host.rejects] == wanted
        assert {r.source for r in host.rejects} == {fake.event_url}
        assert "before 4.5" in host.rejects[-1].detail

    run(main())


def test_what_could_not_be_stored_is_counted_event_by_event(fake: FakeConcentratord) -> None:
    async def main() -> None:
        host = Host(holding=True)
        async with fake.open(), running(fake, host):
            await fake.until_subscribed()
            for data in (uplink(), report(), b"\xff", uplink()):
                await fake.publish(data)
            await host.until_frames(2)
            assert host.withheld == 0
            host.settle(stored=False)
            assert host.withheld == 4
            await fake.publish(uplink())
            await host.until_frames(3)
            host.settle(stored=True)
            assert host.withheld == 4

    run(main())


def test_while_the_disk_is_slow_events_wait_in_the_queue(fake: FakeConcentratord) -> None:
    async def main() -> None:
        host = Host(holding=True)
        sent = MAX_OUTSTANDING + 600
        async with fake.open(), running(fake, host):
            await fake.until_subscribed()
            for _ in range(sent):
                await fake.publish(uplink())
            await host.until_frames(MAX_OUTSTANDING)
            for _ in range(50):
                await asyncio.sleep(0)
            assert len(host.frames) < sent
            host.settle()
            host.holding = False
            await host.until_frames(sent)

    run(main())


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


def test_frames_of_another_gateway_than_the_expected_are_a_strangers(fake: FakeConcentratord) -> None:
    async def main() -> None:
        host = Host()
        async with fake.open(), running(fake, host, gateway=OTHER.upper()) as driver:
            await fake.until_subscribed()
            await until(lambda: "get_location" in fake.asked)
            for data in (uplink(), uplink(OTHER), report(), report(OTHER)):
                await fake.publish(data)
            await host.until_frames(2)
            await until(lambda: len(host.reports) == 2)
            assert driver.config.gateway == OTHER.upper()
        assert [f.stranger for f in host.frames] == [RejectReason.UNKNOWN_GATEWAY, None]
        assert [r.stranger for r in host.reports] == [RejectReason.UNKNOWN_GATEWAY, None]
        assert (True, f"gateway {GATEWAY}, not {OTHER}") in links(host)

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


def test_made_up_gateways_are_bounded(fake: FakeConcentratord) -> None:
    async def main() -> None:
        host = Host()
        async with fake.open(), running(fake, host):
            await fake.until_subscribed()
            await until(lambda: links(host))
            for n in range(50):
                await fake.publish(uplink(f"{n:016x}"))
            await host.until_frames(50)
            assert len([e for e in host.events if isinstance(e, GatewaySeen)]) <= MAX_IDS + 1
            assert host.frames[-1].stranger is RejectReason.UNKNOWN_GATEWAY

    run(main())


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"event_url": "ipc://tmp/event"}, "event_url"),
        ({"command_url": "udp://127.0.0.1:1"}, "command_url.*ipc:///path"),
        ({"gateway": "0016c001f11a2b3"}, "gateway"),
        ({"command_timeout_s": 0}, "command_timeout_s"),
        ({"silence_s": -1}, "silence_s"),
        ({"queue_events": 0}, "queue_events"),
    ],
)
def test_what_a_configuration_may_not_say(keys: dict[str, object], words: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=words):
        msgspec.convert({"name": "dach", "type": "concentratord", **keys}, Config)
