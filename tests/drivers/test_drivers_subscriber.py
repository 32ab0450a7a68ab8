"""Subscribers at a real mosquitto: nothing is acknowledged before it is stored, nothing is lost meanwhile."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiomqtt
import msgspec
import pytest

from tests.codecs.test_framing_chirpstack_app import TOPIC, encoded
from tests.drivers.gwmp_fakes import Host
from tests.peers import Certificates, mosquitto
from torhaus.codecs.model import RejectReason, Served
from torhaus.drivers import chirpstack_app, subscriber
from torhaus.drivers.base import DriverGone, LinkChanged
from torhaus.drivers.subscriber import Subscriber


def driver_at(port: int, **values: Any) -> Subscriber:
    given = {"name": "lns", "url": f"mqtt://127.0.0.1:{port}", "client_id": "torhaus-test", "timeout_s": 5, **values}
    return chirpstack_app.open(msgspec.convert(given, chirpstack_app.Config))


@contextlib.asynccontextmanager
async def running(driver: Subscriber, host: Host) -> AsyncIterator[asyncio.Task[None]]:
    """The driver, subscribed, until the body ends."""
    task = asyncio.create_task(driver.run(host))
    try:
        while not host.events and not task.done():  # noqa: ASYNC110 - whichever comes first
            await asyncio.sleep(0.005)
        if task.done():
            task.result()
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def publish(port: int, *messages: tuple[str, bytes], qos: int = 1) -> None:
    async with aiomqtt.Client("127.0.0.1", port) as client:
        for topic, payload in messages:
            await client.publish(topic, payload, qos=qos)


def up(n: int) -> tuple[str, bytes]:
    return TOPIC + "up", encoded(deduplicationId=f"id-{n}", fCnt=n)


def fcnts(host: Host) -> list[int | None]:
    return [f.served.fcnt for f in host.frames if f.served is not None]


async def until(condition: Callable[[], object]) -> None:
    while not condition():  # noqa: ASYNC110 - whatever is waited for, at a real broker
        await asyncio.sleep(0.005)


def go(body: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(30):
            await body()

    asyncio.run(main())


def test_what_is_not_on_disk_comes_again(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as port:

        async def body() -> None:
            host = Host()
            async with running(driver_at(port), host):
                assert host.events == [LinkChanged(up=True)]
                await publish(port, up(1), up(2))
                await until(lambda: len(host.frames) == 2)
                assert host.acks == []
            # gone before the commit: a new process gets both again
            host = Host()
            async with running(driver_at(port), host):
                await until(lambda: len(host.frames) == 2)
                assert fcnts(host) == [1, 2]
                host.settle()
                assert len(host.acks) == 2
                await asyncio.sleep(0.05)
            host = Host()
            async with running(driver_at(port), host):
                await publish(port, up(3))
                await until(lambda: host.frames)
                assert fcnts(host) == [3], "what was acknowledged does not come again"

        go(body)


def test_what_comes_while_nobody_is_here_waits_at_the_broker(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as port:

        async def body() -> None:
            driver = driver_at(port)
            async with running(driver, Host()):
                pass
            await publish(port, *(up(n) for n in range(30)))
            host = Host()
            async with running(driver, host):
                while len(host.frames) < 30:  # the broker sends 20 at once
                    await asyncio.sleep(0.01)
                    host.settle()
            assert fcnts(host) == list(range(30))

        go(body)


def test_a_message_that_could_not_be_stored_is_asked_for_again(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as port:

        async def body() -> None:
            driver, host = driver_at(port), Host()
            async with running(driver, host) as task:
                await publish(port, up(1))
                await until(lambda: host.frames)
                host.settle(stored=False)
                await asyncio.wait([task])
                with pytest.raises(DriverGone, match="could not be stored"):
                    task.result()
                assert (host.withheld, host.acks) == (1, [])
            host = Host()
            async with running(driver, host):
                await until(lambda: host.frames)
                assert fcnts(host) == [1]
                host.settle()
                assert len(host.acks) == 1

        go(body)


def test_repeats_are_recognised_also_across_connections(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as port:

        async def body() -> None:
            driver, host = driver_at(port), Host()
            async with running(driver, host):
                await publish(port, up(1), up(1), up(2))
                await until(lambda: len(host.frames) == 2)
            host.frames.clear()
            again = Host()  # the same process, a new connection: what waits for the commit is not taken twice
            async with running(driver, again):
                await asyncio.sleep(0.1)
                assert again.frames == []
                host.settle()  # the commit of before
                await until(lambda: len(again.acks) == 3)
                await publish(port, up(2), up(3))
                await until(lambda: again.frames)
                assert fcnts(again) == [3]

        go(body)


def test_what_cannot_be_read_is_kept_and_the_rest_goes_on(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as port:

        async def body() -> None:
            host = Host()
            async with running(driver_at(port), host):
                await publish(port, (TOPIC + "up", b"\n\x10protobuf"), (TOPIC + "up", b"{" * 9000), up(1))
                await until(lambda: len(host.rejects) == 2 and host.frames)
                assert [r.reason for r in host.rejects] == [RejectReason.UNSUPPORTED, RejectReason.SYNTAX]
                assert (host.rejects[0].source, len(host.rejects[1].data)) == ((TOPIC + "up")[:100], 4096)
                host.settle()
                assert len(host.acks) == 3

        go(body)


def test_one_that_is_far_too_long_ends_the_connection_before_it_is_read(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as port:

        async def body() -> None:
            host = Host()
            async with running(driver_at(port), host) as task:
                await publish(port, (TOPIC + "up", bytes(300_000)), qos=0)
                await asyncio.wait([task])
                with pytest.raises(DriverGone, match=r"a message of 300\d\d\d bytes: at most 262144 are taken"):
                    task.result()

        go(body)


def test_a_claim_of_much_costs_no_memory() -> None:
    """A broker that says that 256 MB will come."""

    async def body() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(100)
            writer.write(b"\x20\x02\0\0")  # CONNACK
            await reader.read(1000)
            writer.write(b"\x90\x05" + struct.pack(">H", 1) + b"\1\1\1")
            writer.write(b"\x32\xff\xff\xff\x7f" + bytes(50_000))
            with contextlib.suppress(ConnectionError):
                await writer.drain()
                await reader.read()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(DriverGone, match="a message of 268435455 bytes"):
            await driver_at(port).run(Host())
        server.close()

    go(body)


def test_a_defect_is_told_as_one(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as port:

        async def body() -> None:
            def broken(topic: str, payload: bytes) -> Served | None:
                raise ZeroDivisionError

            config = driver_at(port).config
            host = Host()
            async with running(Subscriber(config, ["application/#"], broken), host) as task:
                await publish(port, up(1))
                await asyncio.wait([task])
                with pytest.raises(ZeroDivisionError):
                    task.result()

        go(body)


def test_the_broker_goes_and_says_nothing(tmp_path: Path) -> None:
    async def body() -> None:
        host = Host()
        with mosquitto(tmp_path) as port:
            task = asyncio.create_task(driver_at(port).run(host))
            await until(lambda: host.events)
        with pytest.raises(DriverGone):
            await task
        with pytest.raises(DriverGone, match="refused"):
            await driver_at(port).run(host)

    go(body)


def test_password_and_rights(tmp_path: Path) -> None:
    (tmp_path / "acl").write_text("user torhaus\ntopic read application/a/#\nuser root\ntopic readwrite #\n")
    (tmp_path / "pw").write_text("torhaus:$7$101$AAAA$AAAA\n")
    with mosquitto(tmp_path, "allow_anonymous false", f"password_file {tmp_path / 'pw'}") as port:

        async def body() -> None:
            with pytest.raises(DriverGone, match=r"(?i)not authori[sz]ed|bad user|refused"):
                await driver_at(port).run(Host())
            with pytest.raises(DriverGone, match="password_file cannot be used"):
                await driver_at(port, username="torhaus", password_file=str(tmp_path / "none")).run(Host())

        go(body)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho leaves a refused socket to the GC
def test_tls_with_a_client_certificate(tmp_path: Path) -> None:
    authority = Certificates(tmp_path)
    cert, key = authority.issue("server")
    mine, my_key = authority.issue("client")
    lines = (f"cafile {authority.ca}", f"certfile {cert}", f"keyfile {key}", "require_certificate true")
    with mosquitto(tmp_path, *lines) as port:

        async def body() -> None:
            host = Host()
            url, files = f"mqtts://localhost:{port}", {"ca_file": authority.ca, "cert_file": mine, "key_file": my_key}
            async with running(driver_at(port, url=url, **files), host):
                assert host.events == [LinkChanged(up=True)]
            with pytest.raises(DriverGone):
                await driver_at(port, url=url).run(Host())  # an authority that it does not know

        go(body)


@pytest.mark.parametrize(
    ("said_s", "synced", "expected_s"),
    [
        (-3600, True, -3600),
        (60, True, 60),
        (600, True, 0),
        (600, False, 600),
        (9_000_000_000, False, 0),
        (-400_000_000, True, 0),
        (None, True, 0),
    ],
)
def test_the_servers_time_is_taken_where_it_can_be(said_s: int | None, synced: bool, expected_s: int) -> None:
    now = msgspec.structs.replace(Host().stamp(), synced=synced)
    at_ns = None if said_s is None else now.wall_ns + said_s * 10**9
    found = subscriber._stamp(now, at_ns)
    assert found.wall_ns - now.wall_ns == expected_s * 10**9
    assert (found.boot_ns, found.synced) == (now.boot_ns, synced or expected_s != 0)
