import asyncio

import pytest

from tests.peers import advance, free_port, run, until
from torhaus.daemon.demo.broker import Broker, Manners
from torhaus.daemon.mqtt import wire
from torhaus.daemon.mqtt.session import Session, SessionLost, Settings, connect


def settings(broker: Broker, **values: object) -> Settings:
    base: dict[str, object] = {"host": "127.0.0.1", "port": broker.port, "client_id": "c"}
    return Settings(**{**base, **values})  # type: ignore[arg-type]


def render(index: int, packet_id: int) -> bytes:
    return wire.encode_publish(f"t/{index}", b"x" * 100, packet_id)


async def lost(session: Session) -> str:
    await until(lambda: session.lost)
    await session.close()
    return str(session.lost)


@pytest.mark.parametrize(
    ("manners", "says"),
    [
        (Manners(refuse=wire.ConnAckReasonCode.NOT_AUTHORIZED), r"not authorized \(0x87\); check username and"),
        (Manners(connack=b"\x20\x02\x00\x00"), "does not speak MQTT 5"),  # 3.1.1
        (Manners(connack=b"HTTP/1.1 400 Bad Request\r\n" * 5), "does not speak MQTT 5"),
        (Manners(connack=b"\xd0\x00"), "PingRespPacket out of turn"),
        (Manners(connack=b"\xe0\x01\x89"), r"server busy \(0x89\)"),
        (Manners(connack=b"\x20\x05\x00\x00\x02\x24\x00"), r"QoS not supported \(0x9b\)"),
    ],
)
def test_refused(manners: Manners, says: str) -> None:
    async def main() -> None:
        async with Broker(manners=manners) as broker:
            with pytest.raises(SessionLost, match=says):
                await connect(settings(broker))

    run(main())


def test_bad_password() -> None:
    async def main() -> None:
        async with Broker(users={"u": b"right"}) as broker:
            with pytest.raises(SessionLost, match="check username and password_file") as caught:
                await connect(settings(broker, username="u", password=b"wrong"))
            assert caught.value.code == 0x86
            assert "wrong" not in str(caught.value)

    run(main())


def test_nobody_there_or_nobody_answers() -> None:
    async def main() -> None:
        with pytest.raises(SessionLost, match=r"cannot connect to 127\.0\.0\.1:"):
            await connect(Settings(host="127.0.0.1", port=free_port(), client_id="c"))
        async with Broker(manners=Manners(connack=b"")) as broker:
            task = asyncio.create_task(connect(settings(broker, timeout_s=30)))
            await until(lambda: broker.connects)
            advance(31)
            with pytest.raises(SessionLost, match="no connection within 30 s"):
                await task

    run(main())


def test_a_config_that_no_connect_can_hold() -> None:
    async def main() -> None:
        with pytest.raises(SessionLost, match="no CONNECT can be made"):
            await connect(Settings(host="127.0.0.1", port=1, client_id="c", username="u" * 70_000))

    run(main())
