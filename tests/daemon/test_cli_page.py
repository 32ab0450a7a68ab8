import argparse
import getpass
import io
import os
from pathlib import Path

import pytest

from tests.daemon.home import Home
from torhaus.daemon.cli import page
from torhaus.daemon.page.users import Role, account_of, matches, read_users

PASSWORD = "correct horse battery"


def run(home: Home, *arguments: str) -> int:
    parser = argparse.ArgumentParser()
    page.add(parser.add_subparsers())
    args = parser.parse_args(["page", *arguments, "--config", str(home.config)])
    code: int = args.run(args)
    return code


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_from_nobody_to_somebody_and_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home, path = Home(tmp_path), tmp_path / "page.users.toml"
    assert run(home, "users") == 0
    assert capsys.readouterr().out == f"nobody: {path} names none\n"
    typed(monkeypatch, PASSWORD + "\n")
    assert run(home, "add-user", "technik", "--role", "admin") == 0
    assert capsys.readouterr().out == "technik may sign in with the role admin\n"
    typed(monkeypatch, PASSWORD)
    assert run(home, "add-user", "gast") == 0
    typed(monkeypatch, "another password\r\n")
    assert run(home, "add-user", "technik") == 0  # a new password, the role as it was
    users = read_users(path)
    assert {name: u.role for name, u in users.items()} == {"technik": Role.ADMIN, "gast": Role.VIEW}
    assert matches("another password", users["technik"].scrypt)
    assert PASSWORD not in path.read_text()
    capsys.readouterr()
    assert run(home, "users") == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        ["NAME", "ROLE", "ACCOUNT"],
        *([n, r, account_of(n)] for n, r in (("technik", "admin"), ("gast", "view"))),
    ]
    assert run(home, "remove-user", "gast") == 0
    assert list(read_users(path)) == ["technik"]
    assert run(home, "remove-user", "gast") == 64
    assert "nobody is called 'gast'" in capsys.readouterr().err


def test_a_made_password(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(Home(tmp_path), "add-user", "technik", "--make") == 0
    made = capsys.readouterr().out.rpartition("the password is ")[2].strip()
    assert matches(made, read_users(tmp_path / "page.users.toml")["technik"].scrypt)


def test_on_a_terminal_it_is_asked_for_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = iter([PASSWORD, PASSWORD, PASSWORD, "something else"])
    monkeypatch.setattr(getpass, "getpass", lambda _: next(said))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    assert run(Home(tmp_path), "add-user", "technik") == 0
    assert run(Home(tmp_path), "add-user", "technik") == 64
    assert "not the same" in capsys.readouterr().err


@pytest.mark.parametrize("password", ["", "short", "x" * 257])
def test_passwords_that_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], password: str
) -> None:
    typed(monkeypatch, password + "\n")
    assert run(Home(tmp_path), "add-user", "technik") == 64
    assert "10 to 256 characters" in capsys.readouterr().err
    assert not (tmp_path / "page.users.toml").exists()


def test_names_that_are_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(Home(tmp_path), "add-user", "<b>") == 64
    assert "a name must have" in capsys.readouterr().err


def test_files_that_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home, path = Home(tmp_path), tmp_path / "page.users.toml"
    path.write_text("x = 1")
    path.chmod(0o600)
    assert run(home, "users") == 74
    path.unlink()

    def refuse(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "fsync", refuse)
    typed(monkeypatch, PASSWORD)
    assert run(home, "add-user", "technik") == 73
    assert "Read-only file system" in capsys.readouterr().err
    home.write("[http]\n")
    assert run(home, "users") == 78


def test_it_belongs_to_whom_the_store_belongs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path)
    home.store.mkdir()
    given: list[tuple[Path, int, int]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "chown", lambda path, uid, gid: given.append((path, uid, gid)))
    assert run(home, "add-user", "technik", "--make") == 0
    owner = home.store.stat()
    assert given == [(tmp_path / "page.users.toml", owner.st_uid, owner.st_gid)]
