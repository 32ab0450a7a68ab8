"""A keys file is its owner's alone; whatever is wrong with it, no key is shown."""

import tomllib
from pathlib import Path

import pytest

from tests.daemon.test_config_devices import EUI, KEYS_1_0, K
from torhaus.daemon.config.document import ConfigFaults, Document
from torhaus.daemon.config.keys_file import read_keys_file
from torhaus.daemon.config.sealed import seal


def keys_file(path: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602])
def test_a_keys_file_is_its_owners_alone(tmp_path: Path, mode: int) -> None:
    with pytest.raises(
        ConfigFaults, match=f"^k.toml:1: file: can be read by others .mode {mode:04o}.: chmod 600 k.toml$"
    ):
        read_keys_file(keys_file(tmp_path / "k.toml", KEYS_1_0, mode), "k.toml")


def test_a_credential_has_the_mode_that_systemd_gives_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    document = read_keys_file(keys_file(tmp_path / "k", KEYS_1_0, 0o440), "k")
    assert isinstance(document, Document)
    assert document.data == tomllib.loads(KEYS_1_0)


@pytest.mark.parametrize("text", [b"\xff", f'[{EUI}]\napp_key = "{K[0]}'.encode(), f"{K[0]}".encode()])
def test_a_keys_file_that_cannot_be_read_is_not_shown(tmp_path: Path, text: bytes) -> None:
    with pytest.raises(ConfigFaults) as caught:
        read_keys_file(keys_file(tmp_path / "k", text), "k")
    assert K[0] not in str(caught.value)


def test_a_sealed_one_is_read_with_its_passphrase(tmp_path: Path) -> None:
    words = keys_file(tmp_path / "words", "a long passphrase\n")
    sealed = keys_file(tmp_path / "k", seal(KEYS_1_0, "a long passphrase"))
    assert read_keys_file(sealed, "k", words).data == tomllib.loads(KEYS_1_0)
    assert read_keys_file(keys_file(tmp_path / "clear", KEYS_1_0), "clear", words).data == tomllib.loads(KEYS_1_0)
    with pytest.raises(ConfigFaults, match=r"^k:1: file: is sealed: say keys_passphrase_file in \[devices\]$"):
        read_keys_file(sealed, "k")
    for bad, said in ((b"another one here", "another passphrase"), (b"\xff", "UTF-8"), (b"", "is empty")):
        words.write_bytes(bad)
        with pytest.raises(ConfigFaults, match=f"is sealed, and .*{said}"):
            read_keys_file(sealed, "k", words)
    words.write_bytes(b"a long passphrase")
    words.chmod(0o604)
    with pytest.raises(ConfigFaults, match="can be read by others"):
        read_keys_file(sealed, "k", words)
