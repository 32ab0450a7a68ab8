"""Forwarder `chirpstack` with much to do: many downlinks, and much that has waited."""

import asyncio
from pathlib import Path

import pytest

from tests.daemon.chirpstack_scene import ACK, DATA, GATEWAY, Scene, Stubborn, acks, down, on_scene, statuses
from torhaus.daemon.demo.broker import Broker
from torhaus.daemon.mqtt.wire import PublishPacket, QoS


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
