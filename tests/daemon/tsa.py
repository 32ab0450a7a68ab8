"""A time-stamping authority made with `openssl ts`, and bad manners for it."""

import asyncio
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from msgspec.structs import replace

from tests.daemon.scans_fakes import Bench
from torhaus.daemon.evidence.config import Evidence

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")

CONFIG = """
[req]
distinguished_name = dn
[dn]
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[tsa]
basicConstraints = CA:FALSE
extendedKeyUsage = critical, timeStamping
[soft]
extendedKeyUsage = timeStamping
[web]
extendedKeyUsage = critical, serverAuth
[ts]
serial = {folder}/serial
crypto_device = builtin
digests = sha256
default_policy = 1.2.3.4
signer_digest = sha256
ess_cert_id_chain = no
"""


def openssl(folder: Path, *words: str | Path) -> None:
    subprocess.run(["openssl", *map(str, words)], cwd=folder, check=True, capture_output=True)


class Authority:
    """A root, a certificate below it for each use, and answers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "serial").write_text("17\n")
        (folder / "cnf").write_text(CONFIG.format(folder=folder))
        self.ca = folder / "ca.pem"
        self._issue("ca", "ca")
        for use in ("tsa", "soft", "web"):
            self._issue(use, use, "-CA", "ca.pem", "-CAkey", "ca.key")
        self._expired()

    def _issue(self, name: str, kind: str, *ca: str) -> None:
        openssl(
            self.folder, "req", "-x509", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-config", "cnf", "-extensions", kind, "-subj", f"/CN={name}", "-days", "30",
            "-set_serial", "1" if kind == "ca" else "5",
            "-keyout", f"{name}.key", "-out", f"{name}.pem", *ca,
        )  # fmt: skip

    def _expired(self) -> None:
        """A certificate `old` with the key of `tsa`, which is no longer valid."""
        real = x509.load_pem_x509_certificate((self.folder / "tsa.pem").read_bytes())
        key = load_pem_private_key((self.folder / "ca.key").read_bytes(), None)
        assert isinstance(key, EllipticCurvePrivateKey)
        day = timedelta(days=1)
        old = x509.CertificateBuilder(
            real.issuer, real.subject, real.public_key(), 6, datetime.now(UTC) - 9 * day, datetime.now(UTC) - day,
            list(real.extensions),
        ).sign(key, SHA256())  # fmt: skip
        (self.folder / "old.pem").write_bytes(old.public_bytes(Encoding.PEM))
        (self.folder / "old.key").write_bytes((self.folder / "tsa.key").read_bytes())

    def answer(self, request: bytes, by: str = "tsa") -> bytes:
        (self.folder / "q").write_bytes(request)
        openssl(
            self.folder, "ts", "-reply", "-config", "cnf", "-section", "ts", "-queryfile", "q", "-signer", f"{by}.pem",
            "-inkey", f"{by}.key", "-chain", "ca.pem", "-out", "r",
        )  # fmt: skip
        return (self.folder / "r").read_bytes()

    def question(self, about: bytes, nonce: bool = True) -> bytes:
        (self.folder / "about").write_bytes(about)
        more = [] if nonce else ["-no_nonce"]
        openssl(self.folder, "ts", "-query", "-data", "about", "-sha256", "-cert", *more, "-out", "own")
        return (self.folder / "own").read_bytes()

    def verified(self, root: Path, stamp: Path) -> bool:
        """By OpenSSL itself."""
        done = subprocess.run(
            ["openssl", "ts", "-verify", "-data", root, "-in", stamp, "-CAfile", self.ca],
            capture_output=True,
            check=False,
        )
        return done.returncode == 0


Manners = Callable[[bytes], Awaitable[web.StreamResponse]]


class Served:
    """Where it is, how it behaves, and what it was asked."""

    def __init__(self, good: Authority) -> None:
        self.url = ""
        self.asked: list[bytes] = []
        self.manners: Manners = self.good
        self._authority = good

    async def good(self, request: bytes) -> web.StreamResponse:
        return web.Response(body=await asyncio.to_thread(self._authority.answer, request))


@asynccontextmanager
async def served(good: Authority) -> AsyncIterator[Served]:
    """On loopback."""
    it = Served(good)

    async def handle(request: web.Request) -> web.StreamResponse:
        assert request.content_type == "application/timestamp-query"
        it.asked.append(await request.read())
        return await it.manners(it.asked[-1])

    app = web.Application()
    app.router.add_post("/tsa", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    it.url = f"http://{host}:{port}/tsa"
    try:
        yield it
    finally:
        await runner.cleanup()


def bench_with(root: Path, url: str, ca: Path, every: str = "day") -> Bench:
    """A bench whose roots are stamped; its clock says today."""
    b = Bench(root)
    evidence = Evidence(tsa_url=url, tsa_ca_file=str(ca), stamp_every=every)  # type: ignore[arg-type]
    b.config = replace(b.config, evidence=evidence)
    b.clock.wall_offset_ns = time.time_ns() - b.clock.now_ns
    b.new_queue()
    return b
