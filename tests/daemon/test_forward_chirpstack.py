"""Forwarder `chirpstack` with a real broker and ChirpStack's own definition of its messages: what goes up."""

import asyncio
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from chirpstack_api.gw import gw_pb2

from tests.daemon.chirpstack_scene import DATA, GATEWAY, JOIN, LOST, OTHER, Scene, on_scene
from torhaus.codecs.lorawan.gps_time import gps_ns
from torhaus.daemon.forward.base import Unavailable
from torhaus.daemon.forward.chirpstack_frames import LATE_CONTEXT

both_encodings = pytest.mark.parametrize("encoding", ["json", "protobuf"])
ONLINE, OFFLINE = gw_pb2.ConnState.State.ONLINE, gw_pb2.ConnState.State.OFFLINE


@both_encodings
@pytest.mark.parametrize("prefix", ["eu868", "", "de/delbrueck"])
def test_a_frame_arrives_as_the_gateway_heard_it(encoding: str, prefix: str, tmp_path: Path) -> None:
    async def body(s: Scene) -> None:
        s.come()
        await s.forwarder.open()
        outcome = await s.forwarder.send([s.item(tmst_us=0x01020304, channel=3, crc=1)])
        assert outcome.accepted == [0]
        await s.until(lambda: s.server.of("event/up"))
        (frame,) = s.server.of("event/up")
        assert frame.phy_payload == DATA
        assert (frame.tx_info.frequency, frame.tx_info.modulation.lora.spreading_factor) == (868_100_000, 7)
        rx = frame.rx_info
        assert (rx.gateway_id, rx.rssi, rx.snr, rx.channel) == (GATEWAY, -97, 7.5, 3)
        assert rx.context == b"\1\2\3\4"
        assert rx.uplink_id == 16
        assert rx.crc_status == gw_pb2.CRCStatus.CRC_OK
        now = s.clock.wall_ns()
        assert rx.gw_time.ToNanoseconds() == now
        assert rx.time_since_gps_epoch.ToNanoseconds() == gps_ns(now)
        assert not rx.metadata

    on_scene(tmp_path, body, encoding=encoding, topic_prefix=prefix)


def test_each_antenna_is_a_message_and_the_record_is_one(tmp_path: Path) -> None:
    async def body(s: Scene) -> None:
        await s.forwarder.open()
        item = s.item(antenna=0)
        assert item.message.lora is not None
        item.message.lora.rx += [*s.item(antenna=1, rssi_dbm=-80).message.lora.rx]  # type: ignore[union-attr]
        outcome = await s.forwarder.send([item, s.item()])
        assert outcome.accepted == [0, 1]
        await s.until(lambda: len(s.server.of("event/up")) == 3)
        ids = [frame.rx_info.uplink_id for frame in s.server.of("event/up")]
        assert len(set(ids)) == 3

    on_scene(tmp_path, body)


def test_time_goes_along_only_from_a_clock_that_is_right(tmp_path: Path) -> None:
    async def body(s: Scene) -> None:
        await s.forwarder.open()
        await s.forwarder.send([s.item(clock="unsynced"), s.item(clock="corrected", age_s=1)])
        await s.until(lambda: len(s.server.of("event/up")) == 2)
        unsynced, corrected = (frame.rx_info for frame in s.server.of("event/up"))
        assert not unsynced.HasField("time_since_gps_epoch")
        assert not unsynced.HasField("gw_time")
        assert corrected.gw_time.ToNanoseconds() == s.clock.wall_ns() - 10**9

    on_scene(tmp_path, body)


def test_late_frames_are_marked_and_cannot_be_answered(tmp_path: Path) -> None:
    async def body(s: Scene) -> None:
        await s.forwarder.open()
        confirmed = b"\x80\1\2\3\5\0\1\0\1xmic!"
        outcome = await s.forwarder.send([s.item(age_s=6), s.item(confirmed, age_s=3600), s.item(age_s=1, raw=JOIN)])
        assert outcome.accepted == [0, 1, 2]
        await s.until(lambda: len(s.server.of("event/up")) == 3)
        first, second, join = (frame.rx_info for frame in s.server.of("event/up"))
        for rx in (first, second):
            assert dict(rx.metadata) == {"late": "true"}
            assert rx.context == LATE_CONTEXT
        assert not join.metadata
        assert first.gw_time.ToNanoseconds() == s.clock.wall_ns() - 6 * 10**9

    on_scene(tmp_path, body)


def test_what_would_do_harm_by_now_is_not_sent(tmp_path: Path) -> None:
    async def body(s: Scene) -> None:
        await s.forwarder.open()
        batch = [
            s.item(JOIN, age_s=5.1),
            s.item(b"\xc0\1" + bytes(18) + b"mic!", age_s=9),
            s.item(JOIN, age_s=1, clock="unsynced"),  # of the backlog, and nobody knows how old
            s.item(b"\x80\1\2\3\5\0\1\0\1xmic!", age_s=6),
            s.item(JOIN, age_s=4.9),
        ]
        outcome = await s.forwarder.send(batch)
        assert outcome.dropped == {0: "stale_join", 1: "stale_join", 2: "stale_join", 3: "late_confirmed"}
        assert outcome.accepted == [4]
        await s.until(lambda: s.server.of("event/up"))
        assert len(s.server.of("event/up")) == 1

    on_scene(tmp_path, body, late_confirmed="drop")


def test_what_is_no_frame_becomes_a_dead_letter(tmp_path: Path) -> None:
    async def body(s: Scene) -> None:
        await s.forwarder.open()
        wrong = [s.item(b""), s.item(bytes(256)), s.item(gateway="../../x"), s.report(gateway="#"), s.item()]
        wrong[1].message.lora = None
        outcome = await s.forwarder.send(wrong)
        assert sorted(outcome.rejected) == [0, 1, 2, 3]
        assert all(text.startswith("not a message for ChirpStack") for text in outcome.rejected.values())
        assert outcome.accepted == [4]

    on_scene(tmp_path, body)


@both_encodings
def test_reports(encoding: str, tmp_path: Path) -> None:
    async def body(s: Scene) -> None:
        await s.forwarder.open()
        outcome = await s.forwarder.send([s.report(temp=31.5), s.report(age_s=86_400)])
        assert outcome.accepted == [0, 1]
        await s.until(lambda: len(s.server.of("event/stats")) == 2)
        now, before = s.server.of("event/stats")
        assert (now.rx_packets_received, now.rx_packets_received_ok) == (3, 2)
        assert (now.location.latitude, now.location.longitude) == (51.76, 8.56)
        assert dict(now.metadata) == {"temp": "31.5"}
        assert before.time.ToNanoseconds() == s.clock.wall_ns() - 86_400 * 10**9

    on_scene(tmp_path, body, encoding=encoding)


@both_encodings
def test_gateways_come_and_go(encoding: str, tmp_path: Path) -> None:
    async def body(s: Scene) -> None:
        s.come()
        s.come(LOST, known=False)
        await s.forwarder.open()

        async def meanwhile() -> None:
            s.come(OTHER)
            await s.until(lambda: len(s.server.of("state/conn")) == 2, 0.1)
            s.leave(GATEWAY)
            await s.until(lambda: len(s.server.of("state/conn")) == 3, 0.1)

        await s.watching(meanwhile)
        await s.forwarder.close()
        await s.until(lambda: len(s.server.of("state/conn")) == 4)
        said = [(gateway, message.state) for gateway, _, message in s.server.came]
        assert said == [(GATEWAY, ONLINE), (OTHER, ONLINE), (GATEWAY, OFFLINE), (OTHER, OFFLINE)]

    on_scene(tmp_path, body, encoding=encoding)


def test_who_was_there_before_and_is_not_now_is_offline(tmp_path: Path) -> None:
    """The box has lost its power, and a gateway has, too: what the broker retains says ONLINE."""

    async def body(s: Scene) -> None:
        s.gateways.expect("roof", [GATEWAY, OTHER])
        await s.forwarder.open()

        async def meanwhile() -> None:
            s.come(OTHER)
            await s.until(lambda: s.server.of("state/conn"), 0.1)
            s.clock.advance(s.gateways.offline_s)
            s.come(OTHER)
            s.clock.advance(1)
            s.gateways.look()
            await s.until(lambda: len(s.server.of("state/conn")) == 2, 0.1)
            for what in (s.come, s.leave):  # it is told once, and once more when it comes and goes
                count = len(s.server.of("state/conn"))
                what()
                await s.until(lambda n=count: len(s.server.of("state/conn")) > n, 0.1)  # type: ignore[misc]
                s.clock.advance(5)
                await s.forwarder._look()

        await s.watching(meanwhile)
        said = [(gateway, message.state) for gateway, _, message in s.server.came]
        assert said == [(OTHER, ONLINE), (GATEWAY, OFFLINE), (GATEWAY, ONLINE), (GATEWAY, OFFLINE)]

    on_scene(tmp_path, body)


def test_the_state_is_retained(tmp_path: Path) -> None:
    async def body(s: Scene) -> None:
        s.come()
        await s.forwarder.open()
        port = s.forwarder._config.endpoint().port
        async with aiomqtt.Client("127.0.0.1", port) as late:
            await late.subscribe("eu868/gateway/+/state/conn")
            message = await anext(late.messages)
            assert message.retain
            assert message.payload == b'{"gatewayId":"aa555a0000000101","state":"ONLINE"}'

    on_scene(tmp_path, body)


@pytest.mark.parametrize("gateways", [[GATEWAY.upper()], [GATEWAY, OTHER], []])
def test_a_single_gateway_has_a_last_will(gateways: list[str], tmp_path: Path) -> None:
    async def body(s: Scene) -> None:
        s.come()
        s.come(OTHER)
        await s.forwarder.open()
        expected = len(gateways) or 2
        await s.until(lambda: len(s.server.of("state/conn")) == expected)
        session = s.forwarder._session
        assert session is not None
        session.abandon()
        with pytest.raises(Unavailable):
            await s.forwarder.send([s.item()])
        await s.forwarder.close()
        await s.forwarder.open()
        await s.until(lambda: len(s.server.of("state/conn")) >= 2 * expected)
        said = [(gateway, message.state) for gateway, _, message in s.server.came]
        assert ((GATEWAY, OFFLINE) in said) is (len(gateways) == 1)
        if len(gateways) == 1:
            assert {gateway for gateway, _ in said} == {GATEWAY}

    on_scene(tmp_path, body, filter={"gateways": gateways})


def test_without_a_subscriber_everything_is_kept(tmp_path: Path) -> None:
    async def body(s: Scene) -> None:
        await s.forwarder.open()
        outcome = await s.forwarder.send([s.item(), s.report(), s.report(age_s=3601)])
        assert sorted(outcome.kept) == [0, 1]
        assert "nobody subscribes" in outcome.kept[0]
        assert outcome.dropped == {2: "late_report"}
        assert not outcome.accepted

    async def unsubscribed(s: Scene) -> None:
        for topic in ("event/+", "state/conn"):
            await s.server.client.unsubscribe(f"eu868/gateway/+/{topic}")
        await body(s)

    on_scene(tmp_path, unsubscribed)


def test_late_frames_of_one_device_keep_their_distance_and_copies_do_not(tmp_path: Path) -> None:
    async def body(s: Scene) -> None:
        await s.forwarder.open()
        second = DATA[:6] + b"\2" + DATA[7:]
        other = DATA[:1] + b"\7" + DATA[2:]

        async def send(*raws: bytes, **more: Any) -> float:
            began = s.clock.boot_ns()
            sending = s.forwarder.send([s.item(raw, **({"age_s": 60} | more)) for raw in raws])
            task: list[Any] = []

            async def wait() -> None:
                task.append(await sending)

            async with asyncio.TaskGroup() as group:
                group.create_task(wait())
                await s.until(lambda: task, 0.01)
            assert task[0].accepted
            return (s.clock.boot_ns() - began) / 1e9

        assert await send(DATA, other) < 0.2
        assert await send(DATA, gateway=OTHER) < 0.2, "a copy of another gateway goes at once"
        assert await send(second) > 0.2
        s.clock.advance(1)
        assert await send(DATA) < 0.2
        s.clock.advance(1)
        await s.forwarder.send([s.item(DATA)])
        await s.forwarder.send([s.item(second)])  # neither is late: nothing to wait for
        await s.until(lambda: len(s.server.of("event/up")) == 7)

    on_scene(tmp_path, body)
