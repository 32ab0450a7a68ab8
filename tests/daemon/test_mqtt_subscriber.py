"""A session that takes messages: what is asked for comes, everything else ends it or is let fall."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.peers import advance, mosquitto, run, until
from torhaus.daemon.demo.broker import Broker
from torhaus.daemon.mqtt import wire
from torhaus.daemon.mqtt.session import SessionLost, Settings, connect_as
from torhaus.daemon.mqtt.subscriber import RECEIVE_MAX, Keeping, Subscriber, connect_subscriber

Came = list[tuple[str, bytes]]
Body = Callable[[Broker, Subscriber, Came], Awaitable[None]]


def settings(port: int, **values: object) -> Settings:
    base: dict[str, object] = {"host": "127.0.0.1", "port": port, "client_id": "c"}
    return Settings(**{**base, "clean_start": True, "receive_max": RECEIVE_MAX, **values})  # type: ignore[arg-type]


def on_broker(body: Body, **values: object) -> None:
    async def main() -> None:
        async with asyncio.timeout(100), Broker() as broker:
            came: Came = []
            session = await connect_subscriber(settings(broker.port, **values), lambda *m: came.append(m))
            await body(broker, session, came)
            await session.close()

    run(main())


def message(topic: str, payload: bytes = b"x", qos: int = 1) -> wire.PublishPacket:
    return wire.PublishPacket(topic, payload, qos=wire.QoS(qos), packet_id=1 if qos else None)


def render(index: int, packet_id: int) -> bytes:
    return wire.encode_publish(f"t/{index}", b"x" * 100, packet_id)


def peer(broker: Broker) -> Any:
    return broker.peers["c"]


def test_what_is_subscribed_comes_and_is_acknowledged() -> None:
    async def body(broker: Broker, session: Subscriber, came: Came) -> None:
        assert await session.subscribe(["a/+", "b/#"]) == {}
        for n in range(3 * RECEIVE_MAX):  # the broker waits when so many are not acknowledged
            broker.route(message(f"a/{n}", bytes([n])))
        broker.route(message("c/1"))
        broker.route(message("b/1/2", b"", 0))
        await until(lambda: len(came) == 3 * RECEIVE_MAX + 1)
        assert sorted(m for m in came if m[0] != "b/1/2") == sorted(
            (f"a/{n}", bytes([n])) for n in range(3 * RECEIVE_MAX)
        )
        await until(lambda: not peer(broker)._in_flight)
        await session.unsubscribe(["a/+"])
        assert not broker.route(message("a/1"))
        assert broker.route(message("b/1"))

    on_broker(body)


def test_nothing_that_is_retained_and_nothing_of_before(tmp_path: Path) -> None:
    async def main(port: int) -> None:
        came: Came = []
        first = await connect_subscriber(settings(port), lambda *m: came.append(m))
        await first.publish(1, lambda _, pid: wire.encode_publish("a/kept", b"x", pid, retain=True))
        assert await first.subscribe(["a/+"]) == {}
        first.abandon()
        await first.close()
        other = await connect_subscriber(settings(port, client_id="d"), lambda *m: came.append(m))
        await other.publish(1, lambda _, pid: wire.encode_publish("a/while/away", b"x", pid))
        second = await connect_subscriber(settings(port), lambda *m: came.append(m), first.last_id)
        assert await second.subscribe(["a/#"]) == {}
        await other.publish(1, lambda _, pid: wire.encode_publish("a/new", b"x", pid))
        await until(lambda: came)
        assert came == [("a/new", b"x")]
        await other.close()
        await second.close()

    async def bounded(port: int) -> None:
        async with asyncio.timeout(20):
            await main(port)

    with mosquitto(tmp_path) as port:
        run(bounded(port))


def test_what_the_broker_refuses() -> None:
    async def body(broker: Broker, session: Subscriber, came: Came) -> None:
        del broker, came
        refused = await session.subscribe(["ok", "$share/x/y"])
        assert list(refused) == ["$share/x/y"]
        assert "topic filter invalid" in refused["$share/x/y"]
        assert session.lost is None

    on_broker(body)


def test_it_goes_on_publishing_with_ids_that_nothing_else_has() -> None:
    async def body(broker: Broker, session: Subscriber, came: Came) -> None:
        del came
        session._flight.last_id = 0xFFFE
        peer(broker)._subscribe = lambda _: None  # no answer
        async with asyncio.TaskGroup() as group:
            asking = group.create_task(session.subscribe(["a"]))
            await asyncio.sleep(0)
            assert session._flight.reserved == {0xFFFF}
            session._flight.last_id = 0xFFFD
            assert (await session.publish(4, render)).codes == [0] * 4
            ids = [m.packet_id for m in broker.messages]
            assert ids == [0xFFFE, 1, 2, 3]
            peer(broker)._send(wire.SubAckPacket(0xFFFF, [wire.SubAckReasonCode(1)]))
            assert await asking == {}
        assert session._flight.reserved == set()

    on_broker(body)


def test_a_broker_that_does_not_answer() -> None:
    async def body(broker: Broker, session: Subscriber, came: Came) -> None:
        del came
        peer(broker)._subscribe = lambda _: None
        asking = asyncio.create_task(session.subscribe(["a"]))
        await asyncio.sleep(0)
        advance(31)
        with pytest.raises(SessionLost, match="no answer to a subscription within 30 s"):
            await asking
        with pytest.raises(SessionLost):
            await session.subscribe(["a"])

    on_broker(body)


def test_a_connection_that_ends_meanwhile() -> None:
    async def body(broker: Broker, session: Subscriber, came: Came) -> None:
        del came
        peer(broker)._subscribe = lambda _: broker.drop()
        with pytest.raises(SessionLost):
            await session.subscribe(["a"])

    on_broker(body)


def test_what_cannot_be_asked() -> None:
    async def body(broker: Broker, session: Subscriber, came: Came) -> None:
        del broker, came
        with pytest.raises(SessionLost, match="no such subscription can be made"):
            await session.subscribe(["a" * 70_000])

    on_broker(body)


@pytest.mark.parametrize(
    ("packet", "says"),
    [
        (wire.SubAckPacket(7, [wire.SubAckReasonCode(1)]), "SubAckPacket out of turn"),
        (wire.PublishPacket("a", b"x", qos=wire.QoS(2), packet_id=1), "not asked for"),
        (wire.PublishPacket("a", b"x", topic_alias=1), "not asked for"),
        (wire.ConnAckPacket(), "ConnAckPacket out of turn"),
    ],
)
def test_what_a_broker_must_not_send(packet: Any, says: str) -> None:
    async def body(broker: Broker, session: Subscriber, came: Came) -> None:
        peer(broker)._send(packet)
        await until(lambda: session.lost)
        assert says in str(session.lost)
        assert not came

    on_broker(body)


def test_an_answer_of_the_wrong_size() -> None:
    async def body(broker: Broker, session: Subscriber, came: Came) -> None:
        del came
        one = [wire.SubAckReasonCode(1)]
        peer(broker)._subscribe = lambda asked: peer(broker)._send(wire.SubAckPacket(asked.packet_id, one * 3))
        with pytest.raises(SessionLost, match="answered 3 of 1 subscriptions"):
            await session.subscribe(["a"])

    on_broker(body)


def test_a_keeping_one_acknowledges_what_is_kept_and_waits_for_its_keeper() -> None:
    async def main() -> None:
        async with asyncio.timeout(20), Broker() as broker:
            session = await connect_as(Keeping, settings(broker.port, receive_max=4), 0)
            assert await session.subscribe(["a/#"]) == {}
            for n in range(6):
                broker.route(message(f"a/{n}"))
            await until(lambda: len(session._early) == 4)
            broker.route(message("a/x", qos=0))  # beyond what was agreed: it falls
            came: list[tuple[str, Callable[[], None]]] = []
            session.use(lambda topic, _, kept: came.append((topic, kept)))
            assert [topic for topic, _ in came] == [f"a/{n}" for n in range(4)]
            assert len(peer(broker)._in_flight) == 4, "nothing is acknowledged yet"
            for _, kept in came[:3]:
                kept()
            await until(lambda: "a/5" in [topic for topic, _ in came])
            assert len(peer(broker)._in_flight) == 3
            await session.close()
            came[-1][1]()  # the connection is lost: the broker sends it again

    run(main())
