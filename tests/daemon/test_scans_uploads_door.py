"""The door: certificates, hostile heads, few connections, and a defect that ends one request."""

import asyncio
import ssl
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from cryptography import x509

from tests.daemon.scans_fakes import fake_pdf
from tests.daemon.upload_fakes import UploadBench, with_uploads
from tests.pki import Authority
from torhaus.daemon.scans.uploads import door
from torhaus.daemon.scans.uploads.door import Guests, address_of
from torhaus.drivers.base import DriverGone


def put(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    return str(path)


def test_a_client_certificate_is_a_login(tmp_path: Path) -> None:
    ca, clients = Authority("gate authority"), Authority("clients")
    cert, key = ca.issue("gate", x509.DNSName("localhost"))
    http = {
        "cert_file": put(tmp_path / "cert", cert), "key_file": put(tmp_path / "key", key),
        "client_ca_file": put(tmp_path / "clients", clients.pem),
    }  # fmt: skip

    async def work(b: UploadBench) -> None:
        url = f"https://localhost:{b.port}/scans/phone/a.pdf"
        for by, name, status in ((clients, "scanner-3", 201), (clients, "scanner-4", 401), (None, "", 401)):
            context = ssl.create_default_context(cadata=ca.pem.decode())
            if by is not None:
                own, own_key = by.issue(name)
                context.load_cert_chain(put(tmp_path / "own", own), put(tmp_path / "own.key", own_key))
            async with aiohttp.ClientSession() as http, http.put(url, data=fake_pdf(name), ssl=context) as r:
                assert r.status == status, name

    with_uploads(tmp_path, work, http=http, certificate_name="scanner-3")


async def said(b: UploadBench, sent: bytes, *, is_all: bool = True) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", b.port)
    writer.write(sent)
    if is_all:
        writer.write_eof()
    got = await reader.read()
    writer.close()
    return got


def test_hostile_heads_are_refused_and_the_next_one_is_served(tmp_path: Path) -> None:
    async def work(b: UploadBench) -> None:
        login = f"Host: x\r\nAuthorization: Bearer {b.text}\r\n".encode()
        for head in (
            b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n",
            b"PUT /scans/phone/a HTTP/1.1\r\n" + b"X: " + b"y" * 9000 + b"\r\n\r\n",
            b"PUT /scans/phone/a HTTP/1.1\r\n" + b"".join(b"X%d: y\r\n" % n for n in range(200)) + b"\r\n",
            b"PUT /scans/phone/a HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"PUT /scans/phone/a HTTP/1.1\r\n" + login + b"Content-Length: -5\r\n\r\n",
            b"PUT /scans/phone/a HTTP/1.1\r\n" + login + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"\x16\x03\x01\x00\xa5\x01\x00",
        ):
            got = await said(b, head)
            assert got == b"" or got.startswith((b"HTTP/1.0 4", b"HTTP/1.1 4")), (head[:80], got[:80])
        for path in (b"/scans/phone/%00%ff%2e%2e%2f", b"/scans/ph%6fne/..%2f..%2fetc"):
            got = await said(
                b,
                b"PUT " + path + b" HTTP/1.1\r\n" + login + b"Connection: close\r\nContent-Length: 3\r\n\r\nabc",
                is_all=False,
            )
            assert b" 201 " in got, got
        assert {s.state for s in await b.queue.list()} == {"quarantined"}
        assert (await b.ask("PUT", "/scans/phone/a", fake_pdf(1))).status == 201

    with_uploads(tmp_path, work)


def test_a_defect_ends_one_request(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    async def work(b: UploadBench) -> None:
        real = b.check.check

        async def broken(*_: Any, **__: Any) -> None:
            raise ZeroDivisionError("secret-name.pdf")

        b.check.check = broken  # type: ignore[method-assign]
        assert (await b.ask("PUT", "/scans/phone/a", fake_pdf(1))).status == 500
        b.check.check = real  # type: ignore[method-assign]
        assert (await b.ask("PUT", "/scans/phone/a", fake_pdf(1))).status == 201

    with_uploads(tmp_path, work)
    assert "secret-name" not in "".join(capfd.readouterr())


def test_half_a_head_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "PATIENCE_S", 0.05)

    async def work(b: UploadBench) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", b.port)
        writer.write(b"PUT /scans/phone/a HTTP/1.1\r\nHost:")
        async with asyncio.timeout(30):
            assert await reader.read() == b""
        writer.close()

    with_uploads(tmp_path, work)


def test_few_connections(tmp_path: Path) -> None:
    async def work(b: UploadBench) -> None:
        first = await asyncio.open_connection("127.0.0.1", b.port)
        second = await asyncio.open_connection("127.0.0.1", b.port)
        assert await second[0].read() == b""
        first[1].close()
        second[1].close()
        async with asyncio.timeout(30):
            while True:
                try:
                    assert (await b.ask("PUT", "/scans/phone/a", fake_pdf(1))).status == 201
                    break
                except aiohttp.ClientConnectionError:  # until its place is free
                    await asyncio.sleep(0.01)

    with_uploads(tmp_path, work, http={"max_connections": 1})


def test_one_address_has_a_share() -> None:
    guests = Guests(8)
    assert [guests.enter("192.0.2.1") for _ in range(3)] == [True, True, False]
    guests.leave("192.0.2.1")
    assert guests.enter("192.0.2.1")
    assert [guests.enter("::1") for _ in range(7)] == [True] * 6 + [False]
    assert [address_of(("192.0.2.1", 1)), address_of(None), address_of("")] == ["192.0.2.1", "", ""]


def test_an_address_or_certificate_that_cannot_be_had_is_tried_again(tmp_path: Path) -> None:
    async def work(b: UploadBench) -> None:
        taken = UploadBench(tmp_path / "two", http={"listen": f"127.0.0.1:{b.port}"})
        with pytest.raises(DriverGone, match="cannot listen on"):
            await taken.queue.reception.door.run()
        missing = str(tmp_path / "none")
        untrusted = UploadBench(tmp_path / "two", http={"cert_file": missing, "key_file": missing})
        with pytest.raises(DriverGone, match="certificate"):
            await untrusted.queue.reception.door.run()

    (tmp_path / "two").mkdir()
    with_uploads(tmp_path, work)


def test_while_the_store_is_closed_it_says_later(tmp_path: Path) -> None:
    async def work(b: UploadBench) -> None:
        await b.queue._db.close()
        got = await b.ask("PUT", "/scans/phone/a", fake_pdf(1))
        assert (got.status, "Retry-After" in got.headers) == (503, True)
        await b.queue._db.open()

    with_uploads(tmp_path, work)
