"""Real peers for tests, on loopback only, and an event loop whose time can be moved."""

import asyncio
import contextlib
import datetime as dt
import ipaddress
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

T = TypeVar("T")


class SteppedLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps on request: `advance(30)` makes timers due that lie up to 30 s ahead."""

    def __init__(self) -> None:
        super().__init__()
        self._ahead = 0.0

    def time(self) -> float:
        return super().time() + self._ahead

    def advance(self, seconds: float) -> None:
        self._ahead += seconds


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end on a SteppedLoop, with nothing left over."""
    with asyncio.Runner(loop_factory=SteppedLoop) as runner:
        return runner.run(main)


def advance(seconds: float) -> None:
    """Move the running SteppedLoop's clock."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SteppedLoop)
    loop.advance(seconds)


async def until(condition: Callable[[], object]) -> None:
    """Let the loop run until something holds (the test's own time-out is the limit)."""
    while not condition():  # noqa: ASYNC110 - whatever is waited for, in any object
        await asyncio.sleep(0)


def program(name: str) -> str:
    """The path of a program; the test is skipped where it is not installed."""
    found = shutil.which(name, path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/sbin")
    if found is None:
        if os.environ.get("TORHAUS_REQUIRE_PEERS") or os.environ.get("CI") == "true":
            pytest.fail(f"{name} is not installed, and this run needs every peer (.ci/packages)")
        pytest.skip(f"{name} is not installed: this test talks to a real one")
    return found


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def mosquitto(folder: Path, *lines: str, port: int | None = None) -> Iterator[int]:
    """A real mosquitto on loopback with these lines of config; yields its port.

    Anonymous unless a line says otherwise; lines that name the listener's own settings come behind `listener`.
    """
    binary = program("mosquitto")
    chosen = port or free_port()
    config = folder / f"mosquitto-{chosen}.conf"
    anonymous = (
        [] if any(line.startswith(("allow_anonymous", "password_file")) for line in lines) else ["allow_anonymous true"]
    )
    first = ["user root", "persistence false", "log_dest stderr", f"listener {chosen} 127.0.0.1"]
    config.write_text("\n".join([*first, *anonymous, *lines, ""]))
    with subprocess.Popen([binary, "-c", str(config)], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            said = []
            for line in process.stderr:
                said.append(line)
                if "running" in line:
                    break
            else:
                pytest.fail("mosquitto did not start: " + "".join(said))
            yield chosen
        finally:
            process.terminate()
            process.stderr.read()


@contextlib.contextmanager
def nats_server(folder: Path, *lines: str, port: int | None = None) -> Iterator[int]:
    """A real nats-server with JetStream on loopback, and these lines of config; yields its port.

    What its streams hold is in `folder`, and there again when it is started anew.
    """
    binary = program("nats-server")
    chosen = port or free_port()
    config = folder / f"nats-{chosen}.conf"
    first = [f'listen: "127.0.0.1:{chosen}"', f'jetstream {{ store_dir: "{folder}/jetstream-{chosen}" }}']
    config.write_text("\n".join([*first, *lines, ""]))
    with subprocess.Popen([binary, "-c", str(config)], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            said = []
            for line in process.stderr:
                said.append(line)
                if "Server is ready" in line:
                    break
            else:
                pytest.fail("nats-server did not start: " + "".join(said))
            yield chosen
        finally:
            process.terminate()
            process.stderr.read()


class Certificates:
    """A certificate authority in a folder, with a server's and a client's certificate for loopback."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"test {name}")])
        self.ca = self._write(f"{name}.pem", self._sign(self._name, self._key.public_key(), authority=True))

    def issue(self, name: str) -> tuple[str, str]:
        """Paths of a certificate for 127.0.0.1 and localhost, and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        certificate = self._write(f"{name}.pem", self._sign(subject, key.public_key(), authority=False))
        path = self._folder / f"{name}.key"
        path.touch(mode=0o600)
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return certificate, str(path)

    def _sign(self, subject: x509.Name, key: ec.EllipticCurvePublicKey, *, authority: bool) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        names = x509.SubjectAlternativeName(
            [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        )
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=authority,
            crl_sign=authority,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(names, critical=False)
            .add_extension(usage, critical=True)
            .sign(self._key, hashes.SHA256())
        )

    def _write(self, name: str, certificate: x509.Certificate) -> str:
        path = self._folder / name
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return str(path)
