"""What drivers at a broker are configured with. How files are read: test_drivers_broker_files.py."""

import asyncio
import contextlib
from typing import Any

import aiomqtt
import msgspec
import pytest

from torhaus.drivers.broker import BrokerConfig, FilesUnusable, drop, printable, read_secrets


def config(**values: Any) -> BrokerConfig:
    return msgspec.convert({"name": "lns", "url": "mqtts://lns.example", "client_id": "c", **values}, BrokerConfig)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"url": "http://x"}, "url: expected mqtts://host"),
        ({"url": "mqtt://lns.example"}, "url: mqtt:// is not encrypted"),
        ({"url": "mqtt://127.0.0.1", "ca_file": "/x"}, "need a url with mqtts://"),
        ({"cert_file": "/x"}, "belong together"),
        ({"key_file": "/x"}, "belong together"),
        ({"password_file": "/x"}, "password_file: needs a username"),
        ({"client_id": "a b"}, "client_id"),
        ({"keepalive_s": 1}, "keepalive_s"),
    ],
)
def test_what_is_wrong_is_said(values: dict[str, Any], words: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=words):
        config(**values)


def test_what_is_right() -> None:
    for values in ({"url": "mqtt://localhost"}, {"url": "mqtt://lns.example", "insecure": True}, {"username": "u"}):
        config(**values)
    assert config(username="u", password_file="/x").user() == "u"


def test_a_file_that_is_not_there_is_named_by_its_key() -> None:
    with pytest.raises(FilesUnusable, match=r"^password_file cannot be used: "):
        read_secrets(encrypted=False, ca_file=None, cert_file=None, key_file=None, password_file="/none")
    assert printable("a\nb\x00" + "c" * 200) == "a?b?" + "c" * 96


def test_a_connection_that_is_given_up_while_the_broker_is_silent_leaves_no_error() -> None:
    """As when the daemon is stopped: `drop` makes paho read the end, and what aiomqtt does then must not fail."""

    async def main() -> list[dict[str, Any]]:
        strays: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: strays.append(context))
        asked, gone = asyncio.Event(), asyncio.Event()

        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            asked.set()
            while await reader.read(1000):
                pass
            writer.close()
            gone.set()

        async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
            client = aiomqtt.Client("127.0.0.1", server.sockets[0].getsockname()[1], timeout=30)
            connecting = asyncio.create_task(client.__aenter__())
            await asked.wait()
            connecting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await connecting
            await drop(client)
            await gone.wait()
        return strays

    assert asyncio.run(main()) == []
