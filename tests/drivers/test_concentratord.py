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
    links,
    report,
    running,
    until,
    uplink,
)
from tests.drivers.fakes import run
from torhaus.codecs.model import RejectReason
from torhaus.drivers.base import GatewayLeft, GatewayReachable, GatewaySeen, LinkChanged
from torhaus.drivers.concentratord import MAX_IDS, MAX_OUTSTANDING, Config


@pytest.fixture
def fake(tmp_path: Path) -> FakeConcentratord:
    return FakeConcentratord(tmp_path)


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
        up = [GatewayReachable(GATEWAY, fake.command_url), LinkChanged(True, f"gateway {GATEWAY}")]
        assert host.events == [seen, *up, GatewayLeft(GATEWAY)]
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
            assert driver.gateways == [OTHER]
        assert [f.stranger for f in host.frames] == [RejectReason.UNKNOWN_GATEWAY, None]
        assert [r.stranger for r in host.reports] == [RejectReason.UNKNOWN_GATEWAY, None]
        assert (True, f"gateway {GATEWAY}, not {OTHER}") in links(host)
        seen = [(e.gateway, e.known, e.listed) for e in host.events if isinstance(e, GatewaySeen)]
        assert seen == [(GATEWAY, False, False), (OTHER, True, True)]
        assert not [e for e in host.events if isinstance(e, GatewayReachable)]

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
