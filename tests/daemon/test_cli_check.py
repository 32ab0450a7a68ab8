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
