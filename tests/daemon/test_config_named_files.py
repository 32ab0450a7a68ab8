import os
from pathlib import Path

import pytest

from torhaus.daemon.config.named_files import look_at


@pytest.mark.parametrize(
    "name", ["password_file", "token_file", "key_file", "client_key_file", "client_secret_file", "private_key_file"]
)
def test_secrets_are_for_their_owner(name: str, tmp_path: Path) -> None:
    file = tmp_path / "s"
    file.write_text("geheim")
    file.chmod(0o604)
    key = ("forwarder", 0, name)
    faults, notes = look_at({key: file})
    assert faults == {key: f"{file} can be read by others (mode 0604): chmod 600 {file}"}
    assert notes == []
    file.chmod(0o600)
    assert look_at({key: file}) == ({}, [])


@pytest.mark.parametrize("name", ["ca_file", "cert_file", "client_cert_file", "host_key_file"])
def test_certificates_and_public_keys_are_for_everybody(name: str, tmp_path: Path) -> None:
    file = tmp_path / "c"
    key = ("forwarder", 0, name)
    words = "(must be a file that torhaus can read)"
    assert look_at({key: file}) == ({key: f"{file} cannot be read: No such file or directory {words}"}, [])
    os.mkfifo(file)  # is not waited for
    assert look_at({key: file}) == ({key: f"{file} cannot be read: is no regular file {words}"}, [])
    file.unlink()
    file.touch(mode=0o644)
    assert look_at({key: file}) == ({}, [])


def test_folders_are_there(tmp_path: Path) -> None:
    key = ("driver", 0, "updates_dir")
    assert look_at({key: tmp_path}) == ({}, [])
    for path, why in ((tmp_path / "x", "No such file or directory"), (tmp_path / "f", "Not a directory")):
        (tmp_path / "f").touch()
        text = f"{path} cannot be read: {why} (must be a folder that torhaus can read)"
        assert look_at({key: path}) == ({key: text}, [])
