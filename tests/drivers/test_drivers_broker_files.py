from pathlib import Path

import pytest

from tests.peers import Certificates
from torhaus.drivers.broker import Endpoint, FilesUnusable, Secrets, parse_url, read_secrets


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("mqtts://broker.example", Endpoint("broker.example", 8883, encrypted=True, loopback=False)),
        ("mqtt://127.0.0.1", Endpoint("127.0.0.1", 1883, encrypted=False, loopback=True)),
        ("mqtt://localhost:1884/", Endpoint("localhost", 1884, encrypted=False, loopback=True)),
        ("mqtts://[::1]:8884", Endpoint("::1", 8884, encrypted=True, loopback=True)),
        ("mqtt://192.0.2.1", Endpoint("192.0.2.1", 1883, encrypted=False, loopback=False)),
    ],
)
def test_urls(url: str, endpoint: Endpoint) -> None:
    assert parse_url(url) == endpoint


@pytest.mark.parametrize(
    "url",
    [
        "",
        "broker",
        "http://broker",
        "mqtts://",
        "mqtts://broker:0",
        "mqtts://broker:99999",
        "mqtts://broker:x",
        "mqtts://user:secret@broker",
        "mqtts://broker/topic",
        "mqtts://broker?x=1",
        "mqtts://[::1",
    ],
)
def test_urls_refused(url: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_url(url)
    assert "secret" not in str(caught.value)


def read(
    password: str | None = None, ca: str | None = None, cert: str | None = None, key: str | None = None
) -> Secrets:
    return read_secrets(encrypted=True, ca_file=ca, cert_file=cert, key_file=key, password_file=password)


def test_secrets_are_read_and_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.touch(mode=0o600)
    file.write_bytes("geheim ü\n".encode())
    certificates = Certificates(tmp_path)
    cert, key = certificates.issue("client")
    secrets = read(str(file), certificates.ca, cert, key)
    assert secrets.password == "geheim ü".encode()
    assert secrets.tls is not None
    assert "geheim" not in repr(secrets)
    assert read_secrets(encrypted=False, ca_file=None, cert_file=None, key_file=None, password_file=None).tls is None


def test_a_file_that_cannot_be_used_is_named_by_its_key(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "nowhere")
    junk = tmp_path / "junk"
    junk.write_text("no certificate")
    with pytest.raises(FilesUnusable, match="password_file cannot be used"):
        read(nowhere)
    with pytest.raises(FilesUnusable, match="ca_file cannot be used"):
        read(ca=nowhere)
    with pytest.raises(FilesUnusable, match="ca_file cannot be used"):
        read(ca=str(junk))
    junk.chmod(0o600)
    with pytest.raises(FilesUnusable, match="cert_file or key_file cannot be used"):
        read(cert=str(junk), key=str(junk))


def test_what_everybody_can_read_is_no_secret(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("geheim")
    file.chmod(0o644)
    with pytest.raises(FilesUnusable, match=rf"^password_file cannot be used: .*: chmod 600 {file}") as caught:
        read(str(file))
    assert "geheim" not in str(caught.value)
    cert, key = Certificates(tmp_path).issue("client")
    Path(key).chmod(0o604)
    with pytest.raises(FilesUnusable, match=rf"^key_file cannot be used: .*: chmod 600 {key}"):
        read(cert=cert, key=key)
