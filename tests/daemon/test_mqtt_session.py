import asyncio
import re

import pytest

from tests.peers import advance, run, until
from torhaus.daemon.demo.broker import Broker, Manners
from torhaus.daemon.forward.flight import PENDING, UNSENDABLE
from torhaus.daemon.mqtt import wire
from torhaus.daemon.mqtt.session import Session, Settings, connect


def settings(broker: Broker, **values: object) -> Settings:
    base: dict[str, object] = {"host": "127.0.0.1", "port": broker.port, "client_id": "c"}
    return Settings(**{**base, **values})  # type: ignore[arg-type]


def render(index: int, packet_id: int) -> bytes:
    return wire.encode_publish(f"t/{index}", b"x" * 100, packet_id)


async def lost(session: Session) -> str:
    await until(lambda: session.lost)
    await session.close()
    return str(session.lost)


def test_what_is_said_at_the_start() -> None:
    async def main() -> None:
        async with Broker(users={"u": b"geheim"}) as broker:
            wanted = settings(
                broker, username="u", password=b"geheim", keepalive_s=33, will_topic="w", will_payload=b"off"
            )
            assert "geheim" not in repr(wanted)
            session = await connect(wanted)
            said = broker.connects[0]
            assert (said.client_id, said.clean_start, said.session_expiry_interval) == ("c", False, 86_400)
            assert (said.keep_alive, said.username, said.password) == (33, "u", b"geheim")
            assert said.will is not None
            assert (said.will.topic, said.will.payload, said.will.retain, int(said.will.qos)) == ("w", b"off", True, 1)
            await session.close()
            await until(lambda: not broker.peers)
            assert not broker.retained  # a close in order drops the will

    run(main())


def test_the_will_speaks_after_a_cut() -> None:
    async def main() -> None:
        async with Broker() as broker:
            session = await connect(settings(broker, will_topic="w", will_payload=b"off"))
            session.abandon()
            await until(lambda: broker.retained)
            assert broker.retained["w"].payload == b"off"
            await session.close()

    run(main())


@pytest.mark.parametrize("receive_max", [1, 2, 20, 65_535])
def test_the_window_is_kept(receive_max: int) -> None:
    async def main() -> None:
        async with Broker(receive_max=receive_max) as broker:  # disconnects a client that does not
            session = await connect(settings(broker))
            receipts = await session.publish(500, render)
            assert receipts.codes == [0] * 500
            assert [m.topic for m in broker.messages] == [f"t/{n}" for n in range(500)]
            await session.close()

    run(main())


def test_two_batches_at_once_and_an_empty_one() -> None:
    async def main() -> None:
        async with Broker(receive_max=7) as broker:
            session = await connect(settings(broker))
            both = await asyncio.gather(
                session.publish(100, render), session.publish(50, render), session.publish(0, render)
            )
            assert [receipts.codes.count(0) for receipts in both] == [100, 50, 0]
            await session.close()

    run(main())


def test_no_puback_is_no_receipt() -> None:
    async def main() -> None:
        async with Broker(manners=Manners(never_ack=True), receive_max=3) as broker:
            session = await connect(settings(broker, timeout_s=10))
            task = asyncio.create_task(session.publish(5, render))
            await until(lambda: broker.published == 3)
            advance(9)
            for _ in range(10):
                await asyncio.sleep(0)
            assert not task.done()
            advance(2)
            receipts = await task
            assert receipts.codes == [PENDING] * 5
            assert receipts.lost == "no PUBACK within 10 s"
            assert receipts.in_flight == [0, 1, 2]
            await session.close()
            after = await session.publish(1, render)
            assert after.codes == [PENDING]
            assert after.lost == receipts.lost

    run(main())


def test_a_slow_broker_is_not_a_dead_one() -> None:
    async def main() -> None:
        async with Broker(manners=Manners(hold_acks=True), receive_max=2) as broker:
            session = await connect(settings(broker, timeout_s=10))
            task = asyncio.create_task(session.publish(6, render))
            for sent in (2, 4, 6):
                while broker.published < sent:  # noqa: ASYNC110 - see until()
                    await asyncio.sleep(0)
                advance(8)
                broker.release()
            assert (await task).codes == [0] * 6
            await session.close()

    run(main())


@pytest.mark.parametrize("server", [None, 10, 0])
def test_keep_alive(server: int | None) -> None:
    async def main() -> None:
        async with Broker(server_keep_alive=server) as broker:
            session = await connect(settings(broker, keepalive_s=20))
            step = 0.4 * (server or 20) + 0.01
            for _ in range(3):
                advance(step)
                for _ in range(20):
                    await asyncio.sleep(0)
                await until(lambda: session._heard)  # the PINGRESP came
            assert session.lost is None
            broker.manners.no_pong = True
            for _ in range(10):
                advance(step)
                await asyncio.sleep(0)
            assert await lost(session) == "no answer to PINGREQ"

    run(main())


@pytest.mark.parametrize(
    ("manners", "says"),
    [
        (Manners(close_after=5), "connection lost|closed the connection"),
        (Manners(half_close_after=5), "broker closed the connection"),
        (Manners(garbage_after=5), "does not speak MQTT 5"),
        (
            Manners(close_after=5, disconnect_with=wire.DisconnectReasonCode.SERVER_SHUTTING_DOWN),
            r"shutting down \(0x8b\)",
        ),
    ],
)
def test_a_loss_leaves_the_rest_pending(manners: Manners, says: str) -> None:
    async def main() -> None:
        async with Broker(manners=manners, receive_max=3) as broker:
            session = await connect(settings(broker))
            receipts = await session.publish(10, render)
            acked = [n for n, m in enumerate(broker.messages) if m.reason_code == 0]
            settled = [n for n, code in enumerate(receipts.codes) if code == 0]
            assert set(settled) <= set(acked)
            assert receipts.codes[4:] == [PENDING] * 6
            assert receipts.all_in_flight == len(receipts.in_flight) > 0
            assert receipts.lost is not None
            assert re.search(says, receipts.lost)
            await session.close()

    run(main())


def test_ids_go_on_in_the_next_session_and_a_late_puback_settles_nothing() -> None:
    async def main() -> None:
        async with Broker(manners=Manners(never_ack=True, claim_session=True)) as broker:
            first = await connect(settings(broker))
            task = asyncio.create_task(first.publish(3, render))
            await until(lambda: broker.published == 3)
            broker.drop()
            assert (await task).codes == [PENDING] * 3
            await first.close()
            second = await connect(settings(broker), first.last_id)
            again = asyncio.create_task(second.publish(3, render))
            await until(lambda: broker.published == 6)
            for packet_id in (1, 2, 3):  # as if the broker answered what came over the first connection
                second.data_received(wire.encode_puback(packet_id))
            assert not again.done()
            assert [m.packet_id for m in broker.messages] == [1, 2, 3, 4, 5, 6]
            assert not any(m.duplicate for m in broker.messages)
            second.data_received(b"".join(map(wire.encode_puback, (4, 5, 6))))
            assert (await again).codes == [0] * 3
            await second.close()

    run(main())


def test_a_cancelled_batch_sends_nothing_more() -> None:
    async def main() -> None:
        async with Broker(manners=Manners(hold_acks=True), receive_max=2) as broker:
            session = await connect(settings(broker))
            task = asyncio.create_task(session.publish(10, render))
            await until(lambda: broker.published == 2)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            other = asyncio.create_task(session.publish(2, render))
            broker.manners.hold_acks = False
            broker.release()
            assert (await other).codes == [0, 0]
            assert broker.published == 4
            await session.close()

    run(main())


def test_larger_than_the_broker_takes() -> None:
    async def main() -> None:
        async with Broker(max_packet_bytes=200) as broker:
            session = await connect(settings(broker))
            receipts = await session.publish(3, lambda n, pid: wire.encode_publish("t", bytes(100 * n), pid))
            assert receipts.codes == [0, 0, UNSENDABLE]
            assert "at most 200" in receipts.texts[2]
            await session.close()

    run(main())


def test_a_broker_that_does_not_read_stops_the_rendering() -> None:
    rendered = 0

    def large(index: int, packet_id: int) -> bytes:
        nonlocal rendered
        rendered += 1
        return wire.encode_publish("t", bytes(100_000), packet_id)

    async def main() -> None:
        async with Broker(receive_max=65_535) as broker:
            session = await connect(settings(broker))
            (peer,) = broker.peers.values()
            assert peer._transport is not None
            peer._transport.pause_reading()
            task = asyncio.create_task(session.publish(1000, large))
            await until(lambda: session._paused)
            assert rendered < 200
            peer._transport.resume_reading()
            assert (await task).codes == [0] * 1000
            await session.close()

    run(main())


def test_foreign_publishes_are_left_alone() -> None:
    async def main() -> None:
        async with Broker() as broker:
            session = await connect(settings(broker))
            session.data_received(wire.encode_publish("somebody/else", b"x", 9))
            assert (await session.publish(1, render)).codes == [0]
            session.data_received(b"\x20\x03\x00\x00\x00")
            assert "ConnAckPacket out of turn" in await lost(session)

    run(main())
