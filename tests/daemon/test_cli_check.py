import argparse
import os
from pathlib import Path

import pytest

from torhaus.daemon.cli import check

KEY = "00112233445566778899aabbccddeeff"


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    check.add(parser.add_subparsers())
    args = parser.parse_args(["check", *arguments])
    code: int = args.run(args)
    return code


def write(folder: Path, text: str) -> str:
    path = folder / "torhaus.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_what_is_good(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, '[site]\nid = "x"\n[[driver]]\nname = "radio"\ntype = "semtech_udp"\n')
    assert run("--config", path) == os.EX_OK
    assert capsys.readouterr() == ("OK: 1 driver, 0 forwarders, 0 devices\n", "")


def test_scan_stations_are_counted_where_there_are_any(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    station = f'[[scan.station]]\nname = "post"\ntype = "folder"\npath = "{tmp_path}"\ntarget = "out"\n'
    target = f'[[scan.target]]\nname = "out"\ntype = "folder"\npath = "{tmp_path}/out"\n'
    assert run("--config", write(tmp_path, f'[site]\nid = "x"\n{station}{target}')) == os.EX_OK
    said = "OK: 0 drivers, 0 forwarders, 0 devices, 1 scan station, 1 scan target\n"
    assert capsys.readouterr() == (said, "")


def test_what_is_wrong_one_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(
        tmp_path, '[site]\nid = "X"\n[[driver]]\ntype = "sml"\nname = "m"\nlink = "x\\u001b[0m"\n[log]\nlevel = 3\n'
    )
    assert run("--config", path) == os.EX_CONFIG == 78
    out, err = capsys.readouterr()
    assert err == ""
    lines = out.splitlines()
    assert [line.removeprefix(f"{path}:").split(":")[0] for line in lines] == ["2", "3", "8"]
    assert out.isascii()
    assert "\x1b" not in out


def test_where_the_file_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TORHAUS_CONFIG", str(tmp_path / "none.toml"))
    assert run() == os.EX_CONFIG
    assert capsys.readouterr().out == f"{tmp_path}/none.toml:1: file: cannot be read: No such file or directory\n"


def test_notes_are_no_faults(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, '[site]\nid = "x"\n')
    keys = tmp_path / "devices.keys.toml"
    keys.write_text(f'[0011223344556677]\napp_key = "{KEY}"\n')
    keys.chmod(0o600)
    assert run("--config", path) == os.EX_OK
    assert capsys.readouterr().err == "note: 0011223344556677: keys of no device in the list\n"


FORWARDER = """
[[forwarder]]
name = "broker"
type = "mqtt"
url = "mqtts://broker.example.org"
username = "torhaus"
password_file = "password"
ca_file = "ca.pem"
cert_file = "client.pem"
key_file = "client.key"
[[scan.target]]
name = "archive"
type = "http"
url = "https://archive.example.org"
token_file = "{token}"
"""


def test_files_that_are_named_are_looked_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    token = tmp_path / "token"
    path = write(tmp_path, '[site]\nid = "x"\n' + FORWARDER.format(token=token))
    (tmp_path / "password").write_text("s3cret")
    (tmp_path / "password").chmod(0o644)
    (tmp_path / "ca.pem").mkdir()
    token.touch(mode=0o600)
    assert run("--config", path) == os.EX_CONFIG
    out = capsys.readouterr().out
    none, right = "No such file or directory", "(must be a file that torhaus can read and others cannot: chmod 600)"
    assert [line.partition(": ")[2] for line in out.replace(f"{tmp_path}/", "").splitlines()] == [
        "forwarder[broker].password_file: password can be read by others (mode 0644): chmod 600 password",
        "forwarder[broker].ca_file: ca.pem cannot be read: is no regular file (must be a file that torhaus can read)",
        f"forwarder[broker].cert_file: client.pem cannot be read: {none} (must be a file that torhaus can read)",
        f"forwarder[broker].key_file: client.key cannot be read: {none} {right}",
        f"scan.target[archive].token_file: token is empty {right}",
    ]
    (tmp_path / "ca.pem").rmdir()
    for name in ("password", "ca.pem", "client.pem", "client.key", "token"):
        (tmp_path / name).write_text("s3cret")
        (tmp_path / name).chmod(0o644 if name.endswith(".pem") else 0o600)
    assert run("--config", path) == os.EX_OK


def test_files_of_a_forwarder_that_is_off_may_come_later(tmp_path: Path) -> None:
    text = FORWARDER.partition("[[scan")[0]
    assert run("--config", write(tmp_path, f'[site]\nid = "x"\n{text}enabled = false\n')) == os.EX_OK


def test_credentials_are_a_note_where_no_service_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = FORWARDER.partition("ca_file")[0].replace('"password"', '"credential:broker"')
    path = write(tmp_path, f'[site]\nid = "x"\n{text}')
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert run("--config", path) == os.EX_OK
    assert capsys.readouterr().err == (
        "note: password_file /run/credentials/torhaus.service/broker: not checked,"
        " a credential that only the service can read\n"
    )
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert run("--config", path) == os.EX_CONFIG
    (tmp_path / "broker").write_text("s3cret")
    (tmp_path / "broker").chmod(0o444)
    assert run("--config", path) == os.EX_OK
