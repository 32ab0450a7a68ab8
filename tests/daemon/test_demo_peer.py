import pytest

from tests.peers import run
from torhaus.daemon.demo.broker import Broker
from torhaus.daemon.demo.peer import MAX_SUBSCRIPTIONS, Peer, is_filter, matches
from torhaus.daemon.mqtt import wire
from torhaus.daemon.mqtt.session import Settings, connect


@pytest.mark.parametrize(
    ("pattern", "topic", "expected"),
    # MQTT 5.0, 4.7.1.2, 4.7.1.3, 4.7.2
    [
        ("sport/tennis/player1/#", "sport/tennis/player1", True),
        ("sport/tennis/player1/#", "sport/tennis/player1/ranking", True),
        ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", True),
        ("sport/#", "sport", True),
        ("#", "a/b", True),
        ("sport/tennis/+", "sport/tennis/player1", True),
        ("sport/tennis/+", "sport/tennis/player1/ranking", False),
        ("sport/+", "sport", False),
        ("sport/+", "sport/", True),
        ("+/+", "/finance", True),
        ("/+", "/finance", True),
        ("+", "/finance", False),
        ("#", "$SYS/x", False),
        ("+/monitor/Clients", "$SYS/monitor/Clients", False),
        ("$SYS/#", "$SYS/monitor", True),
        ("a/b", "a/b/c", False),
        ("a/b/c", "a/b", False),
    ],
)
def test_matching_of_the_standard(pattern: str, topic: str, expected: bool) -> None:
    assert matches(pattern, topic) is expected


@pytest.mark.parametrize("pattern", ["#", "+", "a/#", "+/a/+", "/", "a"])
def test_filters(pattern: str) -> None:
    assert is_filter(pattern)


@pytest.mark.parametrize("pattern", ["", "a#", "a/#/b", "a+", "sport+/x", "#/"])
def test_no_filters(pattern: str) -> None:
    assert not is_filter(pattern)


class Sink:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data

    def is_closing(self) -> bool:
        return False


def test_subscriptions_are_bounded() -> None:
    async def main() -> None:
        broker = Broker()
        peer, sink = Peer(broker), Sink()
        peer.connection_made(sink)  # type: ignore[arg-type]
        peer.data_received(wire.encode(wire.ConnectPacket("c")))
        sink.data = b""
        filters = [wire.TopicFilter(f"t/{n}") for n in range(MAX_SUBSCRIPTIONS + 1)]
        peer.data_received(wire.encode(wire.SubscribePacket(1, [*filters, wire.TopicFilter("$share/g/t")])))
        (suback,) = wire.Decoder().feed(sink.data)
        assert isinstance(suback, wire.SubAckPacket)
        assert [int(code) for code in suback.reason_codes] == [1] * MAX_SUBSCRIPTIONS + [0x97, 0x8F]
        peer.connection_lost(None)
        assert not broker.peers

    run(main())


def test_session_against_peer() -> None:
    async def main() -> None:
        async with Broker() as broker:
            session = await connect(Settings(host="127.0.0.1", port=broker.port, client_id="c"))
            receipts = await session.publish(3, lambda n, pid: wire.encode_publish(f"t/{n}", b"", pid))
            assert receipts.codes == [0, 0, 0]
            await session.close()

    run(main())
