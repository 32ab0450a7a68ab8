from pathlib import Path

import pytest

from tests.daemon.backup_fakes import back_up, contents, fill, home_of
from tests.daemon.home import Home
from tests.daemon.test_cli_status import run
from torhaus.daemon.cli import restore


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    home = home_of(tmp_path / "a")
    fill(home.store)
    back_up(home, tmp_path / "b.tar")
    return tmp_path / "b.tar"


def words(home: Home, *more: str) -> list[str]:
    return ["restore", *more, "--config", str(home.config)]


def test_look_then_restore_then_refuse(tmp_path: Path, backup: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = home_of(tmp_path / "c")
    assert run(restore, *words(home, "--verify", str(backup))) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{backup}: whole; site rathaus, 2026-11-18T11:06:40.000Z, torhaus ")
    assert not home.store.exists()
    assert run(restore, *words(home, str(backup))) == 0
    assert capsys.readouterr().out == f"{home.store}: 6 records, 0 of strangers\n"
    assert contents(home.store)[0] == [0, 1, 2, 3, 4, 5]
    assert run(restore, *words(home, str(backup))) == 73
    assert "not empty" in capsys.readouterr().err


def test_exit_codes(tmp_path: Path, backup: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = home_of(tmp_path / "c")
    for more in ([], ["--dry-run"]):
        assert run(restore, *words(home, str(tmp_path / "none"), *more)) == 66
        assert run(restore, *words(home, str(tmp_path), *more)) == 66
    capsys.readouterr()
    (tmp_path / "x.tar").write_bytes(backup.read_bytes()[:9000])
    assert run(restore, *words(home, str(tmp_path / "x.tar"))) == 65
    assert capsys.readouterr().err.startswith(f"{tmp_path / 'x.tar'}: cut off")
    (tmp_path / "x.tar").write_bytes(b"\x1b[2J" * 1000)
    assert run(restore, *words(home, "--verify", str(tmp_path / "x.tar"))) == 65
    assert "\x1b" not in capsys.readouterr().err
    home.config.write_text(home.config.read_text().replace("rathaus", "school"))
    assert run(restore, *words(home, str(backup))) == 78
    home.config.write_text("nonsense")
    assert run(restore, *words(home, str(backup))) == 78
    assert not home.store.exists()
