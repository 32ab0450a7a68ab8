"""Both protocol versions against a real mosquitto: one contract, and what only MQTT 5 can say."""

import asyncio
import subprocess
from pathlib import Path

import msgspec
import pytest

from tests.daemon.mqtt_fakes import CONTEXT, VERSIONS, config, item, listening, opened, settled, take
from tests.peers import Certificates, advance, free_port, mosquitto, program, run
from torhaus.daemon.forward.base import Unavailable
from torhaus.daemon.forward.mqtt import MqttForwarder, open_forwarder

# the contract, over both bodies and a real broker


@pytest.mark.parametrize("protocol", VERSIONS)
def test_a_batch_arrives_in_order(protocol: str, tmp_path: Path) -> None:
    async def main(port: int) -> None:
        async with listening(port, "torhaus/+/flur/#") as client, opened(port, protocol=protocol) as forwarder:
            outcome = await forwarder.send([item(n, late=n % 2 == 1) for n in range(100)])
            assert sorted(outcome.accepted) == list(range(100))
            assert not outcome.rejected
            assert not outcome.kept
            came = await take(client, 100)
            bodies = [msgspec.json.decode(message.payload) for message in came if isinstance(message.payload, bytes)]
            assert [body["id"] for body in bodies] == [f"rathaus/3f2a91c0/{n}" for n in range(100)]
            assert bodies[1]["late"] is True
            assert bodies[1]["fields"] == {"temperature": {"value": 20.1, "unit": "Cel"}}
            assert str(came[0].topic) == "torhaus/rathaus/flur/reading"
            if protocol == "5":
                assert came[1].properties is not None
                said = came[1].properties.json()  # type: ignore[no-untyped-call]
                assert said["UserProperty"] == [("id", "rathaus/3f2a91c0/1"), ("late", "1")]
                assert said["ContentType"] == "application/json"

    with mosquitto(tmp_path) as port:
        run(main(port))


@pytest.mark.parametrize("protocol", VERSIONS)
def test_status_is_retained(protocol: str, tmp_path: Path) -> None:
    async def main(port: int) -> None:
        forwarder = open_forwarder(config(port, protocol=protocol, status_topic="st/{site}/{name}"), CONTEXT)
        await forwarder.open()
        for state in ("online", "offline"):
            async with listening(port, "st/#") as client:
                (message,) = await take(client, 1)
                assert message.retain
                assert isinstance(message.payload, bytes)
                about = {"state": state, "site": "rathaus", "forwarder": "city", "version": "0.1.0"}
                assert msgspec.json.decode(message.payload) == about
                assert str(message.topic) == "st/rathaus/city"
            await forwarder.close()
        await forwarder.close()

    with mosquitto(tmp_path) as port:
        run(main(port))


@pytest.mark.parametrize("protocol", VERSIONS)
def test_msgpack_without_properties_or_status(protocol: str, tmp_path: Path) -> None:
    async def main(port: int) -> None:
        plain = {"protocol": protocol, "format": "msgpack", "user_properties": False, "status_topic": ""}
        async with listening(port, "#") as client, opened(port, **plain, topic="a/{kind}") as forwarder:
            assert (await forwarder.send([item(1)])).accepted == [0]
            (message,) = await take(client, 1)
            assert isinstance(message.payload, bytes)
            assert msgspec.msgpack.decode(message.payload)["id"] == "rathaus/3f2a91c0/1"
            assert str(message.topic) == "a/reading"

    with mosquitto(tmp_path) as port:
        run(main(port))


@pytest.mark.parametrize("protocol", VERSIONS)
def test_a_broker_that_goes_and_comes_again(protocol: str, tmp_path: Path) -> None:
    port = free_port()
    forwarder = open_forwarder(config(port, protocol=protocol), CONTEXT)

    async def while_up() -> None:
        async with listening(port):
            await forwarder.open()
            assert (await forwarder.send([item(1), item(2)])).accepted == [0, 1]

    async def life() -> None:
        with pytest.raises(Unavailable):
            await forwarder.send([item(0)])  # never opened
        with pytest.raises(Unavailable):
            await forwarder.open()  # nobody there
        with mosquitto(tmp_path, port=port):
            await while_up()
        with pytest.raises(Unavailable):
            await forwarder.send([item(3)])
        with pytest.raises(Unavailable):
            await forwarder.open()
        with mosquitto(tmp_path, port=port):
            await while_up()
            await while_up()  # open again while open
            await forwarder.close()
        await forwarder.close()

    program("mosquitto")
    run(life())


@pytest.mark.parametrize("protocol", VERSIONS)
@pytest.mark.parametrize("password", ["right", "wrong"])
def test_user_and_password(protocol: str, password: str, tmp_path: Path) -> None:
    users = tmp_path / "users"
    subprocess.run([program("mosquitto_passwd"), "-b", "-c", str(users), "torhaus", "right"], check=True)
    secret = tmp_path / "password"
    secret.touch(mode=0o600)
    secret.write_text(f"{password}\n")

    async def main(port: int) -> None:
        values = {"protocol": protocol, "username": "torhaus", "password_file": str(secret)}
        if password == "right":
            async with opened(port, **values):
                return
        with pytest.raises(Unavailable, match=r"broker refused: (not authorized|bad user name)") as caught:
            await open_forwarder(config(port, **values), CONTEXT).open()
        assert "wrong" not in str(caught.value)

    with mosquitto(tmp_path, f"password_file {users}") as port:
        run(main(port))


@pytest.mark.parametrize(
    "protocol",
    # paho does not close a socket whose handshake has failed: it closes when it is collected, which Python warns of
    ["5", pytest.param("3.1.1", marks=pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"))],
)
def test_client_certificates(protocol: str, tmp_path: Path) -> None:
    certificates = Certificates(tmp_path)
    server, server_key = certificates.issue("server")
    cert, key = certificates.issue("client")
    other = Certificates(tmp_path, "other")
    lines = [f"cafile {certificates.ca}", f"certfile {server}", f"keyfile {server_key}", "require_certificate true"]

    async def main(port: int) -> None:
        url = f"mqtts://localhost:{port}"
        full = {"protocol": protocol, "url": url, "ca_file": certificates.ca, "cert_file": cert, "key_file": key}
        async with opened(port, **full) as forwarder:
            outcome = await forwarder.send([item(n) for n in range(30)])
            settled(outcome, 30)
            assert not outcome.rejected
        with pytest.raises(Unavailable):
            await open_forwarder(config(port, **{**full, "ca_file": other.ca}), CONTEXT).open()
        without = open_forwarder(config(port, protocol=protocol, url=url, ca_file=certificates.ca), CONTEXT)
        task = asyncio.create_task(without.open())
        while protocol == "3.1.1" and not task.done():
            advance(0.01)  # aiomqtt does not notice an end before the CONNACK: only its time-out helps
            await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await task

    with mosquitto(tmp_path, *lines) as port:
        run(main(port))


# MQTT 5 and a real broker: what only reason codes can say


def test_nobody_subscribed_is_kept(tmp_path: Path) -> None:
    async def main(port: int) -> None:
        async with opened(port) as forwarder:
            outcome = await forwarder.send([item(1)])
            assert not outcome.accepted
            assert "no matching subscribers" in outcome.kept[0]
            async with listening(port):
                assert (await forwarder.send([item(1)])).accepted == [0]

    with mosquitto(tmp_path) as port:
        run(main(port))


def test_too_large_is_a_dead_letter_and_the_neighbours_arrive(tmp_path: Path) -> None:
    async def main(port: int) -> None:
        async with listening(port), opened(port) as forwarder:
            batch = [item(n) for n in range(5)]
            batch[2].message.raw = bytes(5000)
            outcome = await forwarder.send(batch)
            assert outcome.accepted == [0, 1, 3, 4]
            assert "packet too large (0x95)" in outcome.rejected[2]

    with mosquitto(tmp_path, "message_size_limit 2000") as port:
        run(main(port))


def test_an_access_list_keeps(tmp_path: Path) -> None:
    acl = tmp_path / "acl"
    acl.write_text("topic readwrite torhaus/rathaus/flur/#\n")

    async def main(port: int) -> None:
        async with listening(port), opened(port) as forwarder:
            assert isinstance(forwarder, MqttForwarder)
            assert forwarder.note is not None
            assert "status message refused: not authorized (0x87)" in forwarder.note
            outcome = await forwarder.send([item(1), item(2, device="keller")])
            assert outcome.accepted == [0]
            assert "not authorized (0x87)" in outcome.kept[1]

    with mosquitto(tmp_path, f"acl_file {acl}") as port:
        run(main(port))
