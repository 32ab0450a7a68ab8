"""Forwarder `chirpstack` with much to do: many downlinks, and much that has waited."""

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.chirpstack_scene import (
    ACK,
    DATA,
    GATEWAY,
    JOIN,
    OTHER,
    Scene,
    Stubborn,
    acks,
    down,
    on_scene,
    serving,
    statuses,
)
from tests.daemon.forward_fakes import Site, site
from tests.peers import free_port, mosquitto
from torhaus.codecs.model import Reception
from torhaus.daemon.demo.broker import Broker, Manners
from torhaus.daemon.forward.base import Unavailable
from torhaus.daemon.mqtt.wire import DisconnectReasonCode, PublishPacket, QoS
from torhaus.daemon.outbox.record import Lora, Record
from torhaus.daemon.outbox.store import Limits


def test_a_broker_that_disconnects_over_one_message() -> None:
    """It does not say over which: they go one by one then, and the one that it was costs itself alone."""

    async def main() -> None:
        manners = Manners(close_after=1, disconnect_with=DisconnectReasonCode.PACKET_TOO_LARGE)
        async with asyncio.timeout(20), Broker(manners=manners) as broker:
            s = Scene(broker.port, None, Stubborn(), {})
            batch = [s.item(DATA[:1] + bytes([n]) + DATA[2:]) for n in range(3)]
            await s.forwarder.open()
            with pytest.raises(Unavailable, match="packet too large"):
                await s.forwarder.send(batch)
            await s.forwarder.open()
            outcome = await s.forwarder.send(batch)
            assert list(outcome.rejected) == [0]
            assert (outcome.accepted, outcome.kept) == ([], {})
            manners.close_after = None
            await s.forwarder.open()
            for _ in range(2):
                assert (await s.forwarder.send(batch[1:])).accepted == [0, 1]
            await s.forwarder.close()

    asyncio.run(main())


KINDS = frozenset({"frame", "event"})


@pytest.mark.parametrize("waits_s", [0.0, 6.0])
def test_more_than_can_be_under_way_is_answered_at_once(waits_s: float, tmp_path: Path) -> None:
    """64 are with the gateways, 256 wait, and what is beyond that is told so; what has waited too long is too late."""
    driver = Stubborn()

    async def body(s: Scene) -> None:
        driver.hold = asyncio.Event()
        s.come()
        await s.forwarder.open()

        async def ask() -> None:
            for n in range(1, 401):
                await s.server.ask(GATEWAY, "down", down(GATEWAY, n))
            full = await acks(s, 400 - 64 - 1 - 256)
            assert all(statuses(ack) == [ACK.QUEUE_FULL] * 2 for ack in full)
            s.clock.advance(waits_s)
            assert driver.hold is not None
            driver.hold.set()
            await acks(s, 400)

        await s.watching(ask)
        found = s.forwarder.commands
        assert found["down", "QUEUE_FULL"] == 79
        assert found["down", "OK"] == (321 if not waits_s else 64)
        assert found["down", "TOO_LATE"] == 321 - found["down", "OK"]

    on_scene(tmp_path, body, driver)


def test_downlinks_do_not_wait_for_uplinks() -> None:
    """A thousand of them, while the broker does not acknowledge a frame: all are with the gateway by then, and their
    answers are the next that the broker gets."""
    driver = Stubborn()

    async def main() -> None:
        async with asyncio.timeout(60), Broker() as broker:
            s = Scene(broker.port, None, driver, {})
            s.come()
            await s.forwarder.open()
            broker.messages.clear()
            broker.manners.hold_acks = True
            frames = [s.item(DATA[:1] + n.to_bytes(4, "little") + DATA[5:]) for n in range(1024)]

            async def ask() -> None:
                async with asyncio.TaskGroup() as group:
                    sending = group.create_task(s.forwarder.send(frames))
                    await s.until(lambda: len(broker.messages) == broker.receive_max)
                    for n in range(1, 1001):
                        payload = down(GATEWAY, n).SerializeToString()
                        broker.route(
                            PublishPacket(f"eu868/gateway/{GATEWAY}/command/down", payload, qos=QoS(1), packet_id=1)
                        )
                    await s.until(lambda: len(driver.sent) == 1000)
                    assert not [m for m in broker.messages if m.reason_code is not None]
                    while not sending.done():
                        broker.release()
                        await asyncio.sleep(0)
                    assert len(sending.result().accepted) == 1024

            await s.watching(ask)
            kinds = [m.topic.rpartition("/")[2] for m in broker.messages]
            assert kinds[20:1020] == ["ack"] * 1000
            assert kinds[1020:] == ["up"] * 1004
            assert s.forwarder.commands == {("down", "OK"): 1000}
            await s.forwarder.close()

    asyncio.run(main())


@pytest.mark.parametrize("count", [2_000, pytest.param(10_000, marks=pytest.mark.crash)])
def test_an_outage_of_an_hour(count: int, tmp_path: Path) -> None:
    """Frames of 200 devices, some heard by two gateways, and join-requests among them, while the broker is away: all
    frames arrive, each device's in the order of its counter, none of the join-requests; then what is new, live."""
    devices = 200
    port = free_port()

    async def main() -> None:
        async with asyncio.timeout(100), site(tmp_path / "store", limits=Limits(commit_window_s=0, relay=True)) as s:
            scene = Scene(port, None, Stubborn(), {}, clock=s.clock)
            runner = await s.start(scene.forwarder, log="relay", order="device", is_relay=True, kinds=KINDS)  # type: ignore[arg-type]
            sent = await hear(s, count, devices)
            assert runner.backlog() == len(sent)
            assert not runner.tally.up
            with mosquitto(tmp_path, "max_queued_messages 0", port=port):
                async with serving(port) as server:
                    await s.until(lambda: runner.backlog() == 0)
                    expected = sum(raw[0] == 0x40 for raw in sent)
                    ups = server.of("event/up")
                    await scene.until(lambda: len(ups) == expected)
                    check_order(ups, devices)
                    assert runner.tally.accepted == expected
                    assert s.drops == {("relay", "city", "stale_join"): len(sent) - expected}
                    await s.put([frame(0, count, GATEWAY)], log="relay")
                    await s.until(lambda: runner.backlog() == 0)
                    await scene.until(lambda: len(ups) == expected + 1)
                    assert dict(ups[-1].rx_info.metadata) == {}
                    await s.stop_runners()

    asyncio.run(main())


def frame(device: int, fcnt: int, gateway: str) -> Record:
    addr = 0x2601_0000 + device
    raw = b"\x40" + addr.to_bytes(4, "little") + b"\0" + fcnt.to_bytes(2, "little") + b"\1x" + b"mic!"
    lora = Lora(868_100_000, "LORA", "SF7BW125", "4/5", dev_addr=f"{addr:08x}", rx=[Reception(gateway, -97, tmst_us=7)])
    return Record("frame", "roof", lora=lora, raw=raw)


async def hear(s: Site, count: int, devices: int) -> list[bytes]:
    """An hour of it, in commits of a hundred."""
    rng = random.Random(count)
    counters = [0] * devices
    sent: list[bytes] = []
    for _ in range(count // 100):
        batch = []
        for _ in range(100):
            device = rng.randrange(devices)
            counters[device] += 1
            records = [frame(device, counters[device], GATEWAY)]
            if rng.random() < 0.2:
                records.append(frame(device, counters[device], OTHER))
            if rng.random() < 0.05:
                lora = Lora(868_100_000, "LORA", "SF7BW125", "4/5", rx=[Reception(GATEWAY)])
                records.append(Record("frame", "roof", dev_eui="a81758fffe0312ab", lora=lora, raw=JOIN))
            batch += records
        sent += [record.raw for record in batch if record.raw]
        await s.put_together(batch, "relay")
        s.clock.advance(3600 * 100 / count)
    return sent


def check_order(ups: list[Any], devices: int) -> None:
    last = {0x2601_0000 + n: 0 for n in range(devices)}
    for up in ups:
        phy = up.phy_payload
        addr, fcnt = int.from_bytes(phy[1:5], "little"), int.from_bytes(phy[6:8], "little")
        assert fcnt in {last[addr], last[addr] + 1}, "ChirpStack drops what comes after a higher counter"
        last[addr] = fcnt
