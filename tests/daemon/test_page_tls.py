import asyncio
import os
import ssl
from pathlib import Path

import pytest

from tests.peers import Certificates
from torhaus.daemon.config.model import Http
from torhaus.daemon.httpd import CannotListen
from torhaus.daemon.page.tls import server_tls


async def served_name(context: ssl.SSLContext, cafile: str) -> str:
    """The common name of the certificate that a client is shown."""

    async def hello(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hello, "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        client = ssl.create_default_context(cafile=cafile)
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client, server_hostname="localhost")
        found = writer.get_extra_info("peercert")["subject"][0][0][1]
        writer.close()
        return str(found)


def test_a_renewed_certificate_is_taken_up(tmp_path: Path) -> None:
    authority = Certificates(tmp_path)
    certificate, key = authority.issue("old")
    context = server_tls(Http(cert_file=certificate, key_file=key))
    assert context is not None
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2

    async def go() -> list[str]:
        seen = [await served_name(context, authority.ca)]
        new, new_key = authority.issue("new")
        Path(certificate).write_bytes(b"half of it")  # noqa: ASYNC240 - it is being written
        os.utime(certificate, ns=(1, 1))
        seen.append(await served_name(context, authority.ca))
        Path(new_key).replace(key)  # noqa: ASYNC240 - a test
        Path(new).replace(certificate)  # noqa: ASYNC240 - a test
        os.utime(certificate, ns=(2, 2))
        await served_name(context, authority.ca)
        return [*seen, await served_name(context, authority.ca)]

    assert asyncio.run(go()) == ["old", "old", "new"]


def test_without_a_certificate_there_is_none() -> None:
    assert server_tls(Http()) is None


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    certificate, key = Certificates(tmp_path).issue("box")
    with pytest.raises(CannotListen, match=r"cert_file .*nothing.pem.*No such file"):
        server_tls(Http(cert_file=str(tmp_path / "nothing.pem"), key_file=key))
    Path(key).write_text("x")
    with pytest.raises(CannotListen, match="cannot listen with TLS"):
        server_tls(Http(cert_file=certificate, key_file=key))
