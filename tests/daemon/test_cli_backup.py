from pathlib import Path

import pytest

from tests.daemon.backup_fakes import fill, home_of
from tests.daemon.test_cli_status import run
from torhaus.daemon.cli import backup
from torhaus.daemon.outbox.segment import path_of


def test_what_it_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = home_of(tmp_path / "a")
    fill(home.store)
    path_of(home.store / "log", 2).write_bytes(b"no database" * 400)
    target = tmp_path / "b.tar"
    assert run(backup, "backup", str(target), "--config", str(home.config)) == 0
    out, err = capsys.readouterr()
    first, keys, scans = out.splitlines()
    assert first.startswith(f"{target}: 7 files, ")
    assert (keys.startswith("left out: the devices' keys"), scans.startswith("left out: scans")) == (True, True)
    assert err.startswith(f"note: {path_of(home.store / 'log', 2)} is damaged") or err == ""
    assert run(backup, "backup", str(target), "--config", str(home.config)) == 73
    assert capsys.readouterr().err == f"{target}: is there already\n"


def test_exit_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = home_of(tmp_path / "a")
    config = ("--config", str(home.config))
    assert run(backup, "backup", str(tmp_path / "none" / "b.tar"), *config) == 73
    assert capsys.readouterr().err == f"{tmp_path / 'none' / 'b.tar'}: No such file or directory\n"
    assert run(backup, "backup", str(tmp_path / "b.tar"), "--config", str(tmp_path / "none.toml")) == 78
    fill(home.store)
    (home.store / "log").rename(home.store / "log.away")
    (home.store / "log").write_text("a file")
    assert (
        run(backup, "backup", str(tmp_path / "b.tar"), *config) == 0
    )  # a store without a log, and a file that is none
    assert str(home.store / "log") in capsys.readouterr().out
