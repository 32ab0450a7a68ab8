"""TLS as stations use it: server and client certificates, refusals in words, certificates renewed while it runs."""

import asyncio
import contextlib
import os
import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from tests.drivers.fakes import advance, run
from tests.drivers.station_fakes import EUI, OTHER, Host, Refused, raw, running, station, until
from tests.pki import Authority
from torhaus.drivers.base import DriverGone
from torhaus.drivers.stations.server import RENEW_S
from torhaus.drivers.stations.tls import Tls, words

LOCAL = x509.DNSName("localhost"), x509.DNSName("127.0.0.1")


class Site:
    """A folder with the server's certificate and the authority of the gateways."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.servers = Authority("servers")
        self.gateways = Authority("gateways")
        self.renew("gateways.delbrueck.example")
        (folder / "ca.pem").write_bytes(self.gateways.pem)

    def renew(self, name: str) -> None:
        certificate, key = self.servers.issue(name, *LOCAL)
        (self.folder / "cert.pem").write_bytes(certificate)
        (self.folder / "key.pem").write_bytes(key)
        later = (self.folder / "key.pem").stat().st_mtime + 10
        os.utime(self.folder / "key.pem", (later, later))

    def config(self, **more: Any) -> dict[str, Any]:
        files = {f"{name}_file": str(self.folder / f"{name}.pem") for name in ("cert", "key")}
        return files | {"client_ca_file": str(self.folder / "ca.pem")} | more

    def client(
        self, name: str | None, issuer: Authority | None = None, *alternatives: x509.GeneralName, days: int = 30
    ) -> ssl.SSLContext:
        """What a gateway has: the server's authority, and its own certificate."""
        context = ssl.create_default_context(cadata=self.servers.pem.decode())
        context.check_hostname = False
        if name is not None:
            certificate, key = (issuer or self.gateways).issue(name, *alternatives, days=days)
            (self.folder / "client.pem").write_bytes(certificate + key)
            context.load_cert_chain(self.folder / "client.pem")
        return context


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_gateway_with_its_certificate(site: Site) -> None:
    async def main() -> None:
        host = Host()
        async with running(host, **site.config()) as server:
            async with station(server, tls=site.client(EUI)) as gateway:
                assert (await gateway.discover()).startswith("wss://127.0.0.1:")
                await gateway.connect()
                await gateway.heard_frame()
                await host.until_frames(1)
                assert host.stats[0].stranger is None
            by_other_name = site.client("dach", None, x509.DNSName("aa-55-5a-00-00-00-01-ff"))
            async with station(server, OTHER, tls=by_other_name) as gateway:
                await gateway.start()
            assert host.seen() == [EUI, OTHER]

    run(main())


def test_whoever_is_refused_is_told_why_and_so_is_the_technician(site: Site) -> None:
    async def main() -> None:
        host = Host()
        async with running(host, **site.config()) as server:
            async with station(server, tls=site.client(None)) as bare:
                with pytest.raises(Refused, match="it shows no certificate"):
                    await bare.discover()
                with pytest.raises(Refused, match="403"):
                    await bare.connect()
            async with station(server, tls=site.client(OTHER)) as other:
                with pytest.raises(Refused, match=f"its certificate is for {OTHER}"):
                    await other.discover()
            assert [e.gateway for e in host.refused()] == [EUI] * 3

    run(main())


@pytest.mark.parametrize(
    ("kind", "detail"),
    [
        ("stranger", "certificate"),
        ("expired", "certificate has expired"),
        ("plain", "http request"),
    ],
)
def test_handshakes_that_fail_have_words(site: Site, kind: str, detail: str) -> None:
    """asyncio drops such connections without telling anybody."""

    async def main() -> None:
        host = Host()
        async with running(host, **site.config()) as server:
            tls: ssl.SSLContext | None = None
            if kind == "stranger":
                tls = site.client(EUI, Authority("somebody else"))
            elif kind == "expired":
                tls = site.client(EUI, days=-1)
            async with station(server, tls=tls) as gateway:
                with pytest.raises((Refused, ConnectionError)):
                    await gateway.start()
            await until(host.refused)
            assert detail in host.refused()[0].detail
            assert host.refused()[0].detail.startswith("TLS: ")
            assert host.seen() == []
            async with station(server, tls=site.client(EUI)) as gateway:
                await gateway.start()

    run(main())


def test_one_handshake_is_told_once(site: Site) -> None:
    async def main() -> None:
        host = Host()
        async with running(host, **site.config()) as server, raw(server.port) as (reader, writer):
            writer.write(b"GET /router-info HTTP/1.1\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                await reader.read()
            await advance(0)
            assert [e.detail for e in host.refused()] == ["TLS: http request"]

    run(main())


async def certificate_of(port: int, context: ssl.SSLContext) -> str:
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    names = writer.get_extra_info("peercert")["subject"]
    writer.transport.abort()
    await asyncio.sleep(0)
    return str(names[0][0][1])


def test_a_renewed_certificate_is_taken_and_connections_stay(site: Site) -> None:
    async def main() -> None:
        host = Host()
        context = site.client(EUI)
        async with running(host, **site.config(idle_s=3600)) as server, station(server, tls=context) as gateway:
            await gateway.start()
            assert await certificate_of(server.port, context) == "gateways.delbrueck.example"
            (site.folder / "cert.pem").write_bytes(b"half written")
            await advance(RENEW_S + 1)
            await until(host.refused)
            assert "the renewed certificate cannot be used" in host.refused()[0].detail
            assert await certificate_of(server.port, context) == "gateways.delbrueck.example"
            site.renew("renewed")
            await advance(RENEW_S + 1)
            await advance(0)
            assert await certificate_of(server.port, context) == "renewed"
            await gateway.heard_frame()
            await host.until_frames(1)

    run(main())


@pytest.mark.parametrize(
    ("file", "content"), [("cert.pem", None), ("key.pem", None), ("ca.pem", None), ("cert.pem", b"x"), ("ca.pem", b"x")]
)
def test_files_that_cannot_be_used_are_a_loss_that_says_why(site: Site, file: str, content: bytes | None) -> None:
    path = site.folder / file
    path.unlink() if content is None else path.write_bytes(content)

    async def main() -> None:
        with pytest.raises(DriverGone, match="certificate or key cannot be used"):
            async with running(Host(), **site.config()):
                pass

    run(main())


def test_a_key_with_a_password_is_refused_without_asking_for_it(site: Site) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

    key = ec.generate_private_key(ec.SECP256R1())
    certificate, _ = site.servers.issue("x", key=key)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    (site.folder / "cert.pem").write_bytes(certificate)
    (site.folder / "key.pem").write_bytes(locked)
    with pytest.raises(OSError):
        Tls(str(site.folder / "cert.pem"), str(site.folder / "key.pem"), "", print)


def test_words_without_codes() -> None:
    assert words(ssl.SSLError(1, "[SSL: X] x")) == "TLS: handshake failed"
