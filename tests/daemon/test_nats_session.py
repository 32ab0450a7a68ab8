import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.nats_server import NatsServer
from tests.peers import Certificates, advance, run, until
from torhaus.daemon.forward.connection import SessionLost
from torhaus.daemon.nats.credentials import Credentials
from torhaus.daemon.nats.session import Session, Settings, connect


def settings(port: int, **values: object) -> Settings:
    return Settings(host="127.0.0.1", port=port, name="torhaus-rathaus-city", version="1", **values)  # type: ignore[arg-type]


async def refused(server: NatsServer, says: str, **values: object) -> None:
    with pytest.raises(SessionLost, match=says):
        await connect(settings(server.port, **values))
    await until(lambda: not server.peers)


def test_what_is_said_at_the_beginning() -> None:
    async def main() -> None:
        async with NatsServer() as server:
            who = Credentials(username="a", password="b")
            session = await connect(settings(server.port, credentials=who))
            said = server.peers[0].connect
            assert (said["user"], said["pass"], said["name"]) == ("a", "b", "torhaus-rathaus-city")
            assert said["headers"] is said["no_responders"] is True
            assert said["verbose"] is said["echo"] is said["tls_required"] is False
            assert server.subscribed == [f"{session.inbox}.*"]
            other = await connect(settings(server.port))
            assert other.inbox != session.inbox, "a late receipt can never hit another connection's message"
            await session.close()
            await session.close()
            await other.close()

    run(main())


@pytest.mark.parametrize(
    ("manners", "says"),
    [
        ({"refuse": "Authorization Violation"}, "server says: Authorization Violation; check user"),
        ({"refuse": "maximum connections exceeded"}, "as many connections as it takes"),
        ({"info": {"headers": False}}, "takes no headers"),
        ({"info": {"max_payload": 100}}, r"takes only 100 bytes \(max_payload\)"),
        ({"info": {"tls_required": True}}, "demands TLS: use a url that begins with tls://"),
        ({"forbidden": "_INBOX."}, r"may not subscribe to _INBOX\.>"),
        ({"hello": b"SSH-2.0-OpenSSH_9.2\r\n"}, "does not speak NATS"),
        ({"hello": b"PONG\r\nMSG a 1 0\r\n\r\nPING\r\n+OK\r\nINFO {}\r\n"}, "takes no headers"),
        ({"hello": b"MSG a 2 0\r\n\r\n"}, "not subscribed to"),
        ({"hello": bytes(70_000)}, "does not speak NATS: a line of more than"),
    ],
)
def test_a_start_that_fails_says_why(manners: dict[str, Any], says: str) -> None:
    async def main() -> None:
        async with NatsServer(**manners) as server:
            await refused(server, says)

    run(main())


def test_a_server_that_says_nothing() -> None:
    async def main() -> None:
        silent: list[dict[str, Any]] = [{"hello": b""}, {"no_pong": True}]
        for manners in silent:
            async with NatsServer(**manners) as server:
                task = asyncio.create_task(connect(settings(server.port)))
                await until(server.peers.__len__)
                for _ in range(20):
                    await asyncio.sleep(0)
                advance(31)
                with pytest.raises(SessionLost, match="no connection within 30 s"):
                    await task

    run(main())


def test_what_comes_in_clear_before_tls_ends_it(tmp_path: Path) -> None:
    """Somebody between us and the server could put answers there."""

    context = ssl.create_default_context(cafile=Certificates(tmp_path).ca)

    async def main() -> None:
        async with NatsServer() as server:
            info = server.info(tls_required=True)
            for more in (b"PONG\r\n", b"PON", b"PONG\r\n" * 2):
                server.manners.hello = info + more
                await refused(server, "in clear", tls=context)
            server.manners.hello = None
            await refused(server, "offers no TLS", tls=context)

    run(main())


def test_pings_both_ways_and_a_peer_that_is_dead() -> None:
    async def main() -> None:
        async with NatsServer() as server:
            session = await connect(settings(server.port, keepalive_s=10))
            server.say(b"PING\r\n")
            await until(lambda: session._heard)
            for _ in range(3):
                advance(4.1)
                await until(lambda: session._pinged)
                await until(lambda: session._heard)
            assert session.lost is None
            server.manners.no_pong = True
            advance(4.1)
            await until(lambda: session._pinged and not session._heard)
            advance(4.1)
            await session.closed
            assert str(session.lost) == "no answer to PING"

    run(main())


def test_a_subscription_nobody_answers() -> None:
    async def main() -> None:
        async with NatsServer() as server:
            session = await connect(settings(server.port))
            server.manners.no_pong = True
            task = asyncio.create_task(session.subscribe("orders", lambda _: None))
            await until(lambda: len(server.subscribed) == 2)
            advance(31)
            with pytest.raises(SessionLost, match="no answer to a subscription"):
                await task
            with pytest.raises(SessionLost):
                await session.subscribe("orders", lambda _: None)
            session.send(b"PING\r\n")  # no connection: nothing happens
            assert isinstance(session, Session)

    run(main())
