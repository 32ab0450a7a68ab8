import asyncio
from pathlib import Path

import aiomqtt
import pytest

from tests.peers import run, until
from torhaus.daemon.demo.broker import Broker, Manners
from torhaus.daemon.mqtt import wire
from torhaus.daemon.mqtt.wire import PubAck


class Client:
    """Packets in and out over a stream."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self._decoder = wire.Decoder()
        self._packets: list[wire.Packet] = []

    async def next(self) -> wire.Packet | None:
        while not self._packets:
            data = await self.reader.read(65_536)
            if not data:
                return None
            self._packets += self._decoder.feed(data)
        return self._packets.pop(0)

    def send(self, *packets: wire.Writable | PubAck) -> None:
        self.writer.write(b"".join(map(wire.encode, packets)))

    def publish(self, topic: str, payload: bytes = b"x", packet_id: int = 1, *, retain: bool = False) -> None:
        self.writer.write(wire.encode_publish(topic, payload, packet_id, retain=retain, user_properties=[("id", "1")]))

    async def close(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()


async def dial(broker: Broker, client_id: str = "c", *, will: str | None = None, receive_max: int = 65_535) -> Client:
    client = Client(*await asyncio.open_connection("127.0.0.1", broker.port))
    wanted = wire.will_of(will, b"gone") if will else None
    client.send(wire.ConnectPacket(client_id, will=wanted, receive_max=receive_max))
    assert isinstance(await client.next(), wire.ConnAckPacket)
    return client


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])
def test_only_loopback(host: str) -> None:
    with pytest.raises(ValueError, match="not a loopback address"):
        Broker(host=host)


def test_with_an_independent_client() -> None:
    async def main() -> None:
        v5 = aiomqtt.ProtocolVersion.V5
        async with Broker() as broker:
            async with aiomqtt.Client("127.0.0.1", broker.port, protocol=v5) as client:
                await client.publish("a/retained", b"old", qos=1, retain=True)
                await client.subscribe("a/#", qos=1)
                for n in range(50):
                    await client.publish(f"a/{n}", str(n), qos=n % 2)
                came = [await anext(client.messages) for _ in range(51)]
                assert (came[0].payload, came[0].retain) == (b"old", True)
                assert [message.payload for message in came[1:]] == [str(n).encode() for n in range(50)]
                await client.unsubscribe("a/#")
                await client.publish("a/x", b"", qos=1)
            assert len(broker.messages) == 52

    run(main())


def test_retained_is_replaced_and_removed() -> None:
    async def main() -> None:
        async with Broker() as broker:
            client = await dial(broker)
            client.publish("r", b"1", 1, retain=True)
            client.publish("r", b"2", 2, retain=True)
            await until(lambda: broker.published == 2)
            assert broker.retained["r"].payload == b"2"
            client.publish("r", b"", 3, retain=True)
            await until(lambda: not broker.retained)
            await client.close()

    run(main())


def test_will_and_takeover() -> None:
    async def main() -> None:
        async with Broker() as broker:
            watcher = await dial(broker, "watcher")
            watcher.send(wire.SubscribePacket(1, [wire.TopicFilter("will/+")]))
            assert isinstance(await watcher.next(), wire.SubAckPacket)
            first = await dial(broker, "same", will="will/1")
            second = await dial(broker, "same", will="will/2")
            bye = await first.next()
            assert isinstance(bye, wire.DisconnectPacket)
            assert int(bye.reason_code) == 0x8E
            assert await first.next() is None
            will = await watcher.next()
            assert isinstance(will, wire.PublishPacket)
            assert (will.topic, will.payload) == ("will/1", b"gone")
            second.send(wire.DisconnectPacket())  # in order: no will
            assert await second.next() is None
            assert set(broker.peers) == {"watcher"}
            for client in (watcher, first, second):
                await client.close()
            assert "will/2" not in broker.retained

    run(main())


def test_a_subscribers_window_is_kept() -> None:
    async def main() -> None:
        async with Broker(receive_max=100) as broker:
            slow = await dial(broker, "slow", receive_max=2)
            slow.send(wire.SubscribePacket(1, [wire.TopicFilter("t")]))
            assert isinstance(await slow.next(), wire.SubAckPacket)
            writer = await dial(broker, "writer")
            for n in range(1, 11):
                writer.publish("t", str(n).encode(), n)
            await until(lambda: broker.published == 10)
            seen = []
            for _ in range(10):
                packet = await slow.next()
                assert isinstance(packet, wire.PublishPacket)
                assert packet.packet_id is not None
                assert not slow._packets or len(slow._packets) < 2
                seen.append(packet.payload)
                slow.send(PubAck(packet.packet_id))
            assert seen == [str(n).encode() for n in range(1, 11)]
            await slow.close()
            await writer.close()

    run(main())


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (wire.encode(wire.ConnectPacket("again")), 0x82),
        (b"\xff\x00", 0x81),
        (b"".join(wire.encode_publish("t", b"", n) for n in range(1, 5)), 0x93),
        (wire.encode(wire.PublishPacket("t", b"", qos=wire.QoS.EXACTLY_ONCE, packet_id=1)), 0x9B),
        (wire.encode(wire.AuthPacket()), 0x83),
        (wire.encode_publish("t", bytes(2000), 1), 0x81),
    ],
)
def test_what_a_client_must_not_do(data: bytes, code: int) -> None:
    async def main() -> None:
        async with Broker(receive_max=3, max_packet_bytes=1000, manners=Manners(never_ack=True)) as broker:
            client = await dial(broker)
            client.writer.write(data)
            bye = await client.next()
            assert isinstance(bye, wire.DisconnectPacket)
            assert int(bye.reason_code) == code
            assert await client.next() is None
            await client.close()

    run(main())


def test_first_packet_has_to_be_connect() -> None:
    async def main() -> None:
        async with Broker() as broker:
            client = Client(*await asyncio.open_connection("127.0.0.1", broker.port))
            client.send(wire.PingReqPacket())
            assert await client.next() is None
            await client.close()

    run(main())


def test_manners() -> None:
    async def main() -> None:
        async with Broker(manners=Manners(no_subscriber_code=True, hold_acks=True)) as broker:
            client = await dial(broker)
            client.publish("t", packet_id=1)
            client.publish("t", packet_id=2)
            await until(lambda: broker.published == 2)
            assert [m.reason_code for m in broker.messages] == [None, None]
            broker.release()
            assert [await client.next(), await client.next()] == [PubAck(1, 0x10), PubAck(2, 0x10)]
            assert [m.reason_code for m in broker.messages] == [0x10, 0x10]
            broker.manners = Manners(code_for=lambda packet, _: 0x97 if packet.topic == "full" else 0)
            client.publish("full", packet_id=3)
            client.publish("t", packet_id=4)
            assert [await client.next(), await client.next()] == [PubAck(3, 0x97), PubAck(4)]
            broker.manners = Manners(garbage_after=5)
            client.publish("t", packet_id=5)
            with pytest.raises(wire.BrokenStreamError):
                await client.next()
            await client.close()

    run(main())


def test_what_is_kept_is_bounded() -> None:
    async def main() -> None:
        async with Broker(keep=5, receive_max=100) as broker:
            client = await dial(broker)
            for n in range(1, 21):
                client.publish("t", packet_id=n)
            await until(lambda: broker.published == 20)
            assert [m.packet_id for m in broker.messages] == [16, 17, 18, 19, 20]
            await client.close()

    run(main())


def test_no_mqtt_library_but_one() -> None:
    folder = Path(__file__).parents[2]
    users = [
        str(path.relative_to(folder))
        for top in ("daemon", "drivers", "codecs")
        for path in (folder / top).rglob("*.py")
        if "import mqtt5" in (text := path.read_text(encoding="utf-8")) or "from mqtt5" in text
    ]
    assert users == ["daemon/mqtt/wire.py"]
