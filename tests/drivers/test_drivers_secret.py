import os
from pathlib import Path

import pytest

from torhaus.drivers.secret import (
    MAX_SECRET_BYTES,
    SecretError,
    credentials_folder,
    is_credential,
    read_secret,
    secret_path,
)

SECRET = "sehr-geheim"


def write(path: Path, data: bytes = SECRET.encode() + b"\n", mode: int = 0o600) -> Path:
    path.write_bytes(data)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(("end", "rest"), [(b"", ""), (b"\n", ""), (b"\r\n", ""), (b"\n\n", "\n"), (b" \n", " ")])
def test_one_newline_at_the_end_is_none_of_the_secret(tmp_path: Path, end: bytes, rest: str) -> None:
    write(tmp_path / "s", SECRET.encode() + end)
    assert read_secret("s", tmp_path) == SECRET + rest
    assert read_secret(str(tmp_path / "s"), Path("/nowhere")) == SECRET + rest


@pytest.mark.parametrize(
    ("data", "mode", "words"),
    [
        (SECRET.encode(), 0o604, "chmod 600"),
        (SECRET.encode() * MAX_SECRET_BYTES, 0o600, "too long"),
        (SECRET.encode() + b"\xff", 0o600, "not UTF-8"),
        (b"\n", 0o600, "is empty"),
    ],
)
def test_refused_without_a_word_of_it(tmp_path: Path, data: bytes, mode: int, words: str) -> None:
    write(tmp_path / "s", data, mode)
    with pytest.raises(SecretError, match=words) as caught:
        read_secret("s", tmp_path)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="cannot be read: No such file"):
        read_secret("none", tmp_path)
    with pytest.raises(SecretError, match=r"directory|regular"):
        read_secret(".", tmp_path)
    with pytest.raises(SecretError, match="must be a path or"):
        read_secret("", tmp_path)
    with pytest.raises(SecretError, match="is no regular file"):
        read_secret("/dev/null", tmp_path)
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(SecretError, match="is no regular file"):
        read_secret("pipe", tmp_path)


def test_credentials_are_the_services_whatever_their_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    write(tmp_path / "mqtt.token", mode=0o444)
    assert read_secret("credential:mqtt.token", Path("/nowhere")) == SECRET
    assert is_credential(secret_path("credential:mqtt.token", Path()))
    with pytest.raises(SecretError, match=r"^credential:none cannot be read"):
        read_secret("credential:none", tmp_path)


@pytest.mark.parametrize("name", ["", "..", "a/b", "../x", ".hidden", "a b", "x" * 300, "a\0"])
def test_names_of_credentials_lead_nowhere_else(name: str) -> None:
    with pytest.raises(SecretError, match="must be credential:NAME"):
        secret_path(f"credential:{name}", Path("/etc"))


def test_without_a_service_the_folder_is_the_one_that_systemd_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert credentials_folder() == Path("/run/credentials/torhaus.service")
