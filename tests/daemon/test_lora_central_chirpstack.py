"""Sessions asked for over the wire: a strict server with ChirpStack's own classes, TLS, tokens, and odd answers."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web
from cryptography.x509 import DNSName

from tests.daemon.chirpstack_api_server import TOKEN, ChirpStackApi, said
from tests.pki import Authority
from torhaus.codecs.framing.chirpstack_api import Activation
from torhaus.codecs.lorawan.keys import Version, keys_1_0
from torhaus.daemon.config.lorawan import ChirpStack
from torhaus.daemon.lora.central.chirpstack import Away, Client, Refused

EUI = "a81758fffe0312ab"
KEYS = keys_1_0(bytes(16), b"\1" * 16)


def with_client(
    folder: Path, body: Callable[[ChirpStackApi, Client], Awaitable[None]], tls: ssl.SSLContext | None = None
) -> None:
    token = folder / "token"
    token.touch(mode=0o600)
    token.write_text(TOKEN)

    async def main() -> None:
        server = ChirpStackApi()
        async with asyncio.timeout(20), server.serving(tls):
            ca = str(folder / "ca.pem") if tls else None
            client = Client(ChirpStack(url=server.url, token_file=str(token), ca_file=ca))
            try:
                await body(server, client)
            finally:
                await client.close()

    asyncio.run(main())


async def why(client: Client, kind: type[Exception] = Away) -> str:
    with pytest.raises(kind) as e:
        await client.activation(EUI, Version.V1_0)
    assert TOKEN not in str(e.value)
    return str(e.value)


def test_sessions_and_devices_without_one(tmp_path: Path) -> None:
    async def body(server: ChirpStackApi, client: Client) -> None:
        assert "does not know" in await why(client, Refused)
        server.sessions[EUI] = None
        assert await client.activation(EUI, Version.V1_0) is None
        server.joined(EUI, 0x01020304, KEYS, 7)
        assert await client.activation(EUI, Version.V1_0) == Activation(0x01020304, KEYS, 7)
        server.joined("00" * 8, 0x01020304, KEYS)
        server.sessions[EUI] = server.sessions["00" * 8]
        assert "is of" in await why(client, Refused)

    with_client(tmp_path, body)


def test_a_token_that_is_not_right_or_not_there(tmp_path: Path) -> None:
    async def body(server: ChirpStackApi, client: Client) -> None:
        server.token = "another"
        assert await why(client) == "it does not allow that: no such key (is the API key right?)"
        server.token = "renewed"
        server.sessions[EUI] = None
        (tmp_path / "token").write_text("renewed\n")
        assert await client.activation(EUI, Version.V1_0) is None
        (tmp_path / "token").unlink()
        assert "cannot be read" in await why(client)
        assert server.asked == [EUI]

    with_client(tmp_path, body)


@pytest.mark.parametrize(
    ("odd", "text"),
    [
        (web.Response(status=404), "HTTP status 404"),
        (web.Response(status=302, headers={"Location": "/elsewhere"}), "HTTP status 302"),
        (web.Response(text="<html>a page</html>"), "no gRPC-Web"),
        (web.Response(body=bytes((1 << 20) + 1)), "too long"),
        (said(b"", 14, "restarting"), "restarting (gRPC status 14)"),
        (said(b"", 7), "no reason given"),
    ],
    ids=["404", "moved", "a page", "long", "unavailable", "denied"],
)
def test_odd_answers(tmp_path: Path, odd: web.Response, text: str) -> None:
    async def body(server: ChirpStackApi, client: Client) -> None:
        server.odd = odd
        assert text in await why(client)
        server.sessions[EUI] = None
        assert await client.activation(EUI, Version.V1_0) is None

    with_client(tmp_path, body)


def test_tls_and_a_server_that_is_away(tmp_path: Path) -> None:
    authority, other = Authority("ours"), Authority("another")
    (tmp_path / "ca.pem").write_bytes(other.pem)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate, key = authority.issue("localhost", DNSName("localhost"))
    for name, pem in (("c.pem", certificate), ("k.pem", key)):
        (tmp_path / name).write_bytes(pem)
    context.load_cert_chain(tmp_path / "c.pem", tmp_path / "k.pem")

    async def body(server: ChirpStackApi, client: Client) -> None:
        server.sessions[EUI] = None
        assert "certificate verify failed" in await why(client)
        (tmp_path / "ca.pem").write_text("no certificate")
        assert "ca_file cannot be used" in await why(client)
        (tmp_path / "ca.pem").write_bytes(authority.pem)
        assert await client.activation(EUI, Version.V1_0) is None

    with_client(tmp_path, body, context)
    gone = Client(ChirpStack(url="http://127.0.0.1:1", token_file=str(tmp_path / "token")))

    async def away() -> None:
        assert "127.0.0.1" in await why(gone)
        await gone.close()

    asyncio.run(away())
