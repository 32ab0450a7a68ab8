import json
from pathlib import Path

import pytest

from tests.daemon.home import Home
from tests.daemon.scans_fakes import Bench, fake_pdf, with_bench
from tests.daemon.test_cli_status import run
from torhaus.daemon.cli import scans
from torhaus.daemon.scans.pull.pulls import Pull


@pytest.fixture
def config(tmp_path: Path) -> str:
    return str(Home(tmp_path).config)


def test_while_it_is_down_the_store_is_read(tmp_path: Path, config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(scans, "scans", "list", "--json", "--config", config) == 0
    assert capsys.readouterr().out == "[]\n"

    async def work(b: Bench) -> None:
        b.put("a\x1b.pdf", fake_pdf())
        await b.look()

    with_bench(tmp_path, work)
    assert run(scans, "scans", "list", "--state", "spooled", "--state", "held", "--config", config) == 0
    head, line, progress = capsys.readouterr().out.splitlines()
    assert progress == "1 document: 1 spooled"
    assert head.split() == ["ID", "STATION", "STATE", "TARGET", "PAGES", "SIZE", "CHANGED", "NAME"]
    assert line.split()[1:3] == ["counter", "spooled"]
    assert line.isprintable()
    scan = line.split()[0]
    assert run(scans, "scans", "show", scan, "--config", config) == 0
    assert "on our own disk, and hashed" in capsys.readouterr().out
    assert run(scans, "scans", "show", scan, "--json", "--config", config) == 0
    assert json.loads(capsys.readouterr().out)["scan"]["id"] == scan
    assert run(scans, "scans", "show", "none", "--config", config) == 64
    assert capsys.readouterr().err == "no such scan\n"
    assert run(scans, "scans", "retry", scan, "--config", config) == 69
    assert "not running" in capsys.readouterr().err
    (tmp_path / "state/scans/scans.db").write_bytes(b"no database" * 100)
    assert run(scans, "scans", "list", "--config", config) == 74
    assert run(scans, "scans", "show", scan, "--config", config) == 74


def test_a_broken_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(scans, "scans", "list", "--config", str(tmp_path / "none.toml")) == 78
    assert "none.toml:1: file: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("end", "code", "said"),
    [
        (Pull("flur", "job-1", "done", 1), 0, "job-1: 1 file\n"),
        (Pull("flur", "job-1", "trouble", 2, "paper jam"), 75, "job-1: paper jam; 2 files are held\n"),
        (Pull("flur", "job-1", "refused", 0, "the feeder is not ready: it is empty"), 75, "it is empty\n"),
        (64, 64, ""),
    ],
)
def test_a_pull_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], end: Pull | int, code: int, said: str
) -> None:
    running = Pull("flur", "job-1", "running")
    answers = iter([running, running, end])
    asked: list[tuple[str, str]] = []

    def ask(_config: Path, what: str, _kind: object, method: str = "GET") -> object:
        asked.append((method, what))
        return next(answers)

    monkeypatch.setattr(scans, "ask", ask)
    monkeypatch.setattr(scans, "PULL_LOOK_S", 0)
    assert run(scans, "scans", "pull", "flur") == code
    assert asked == [(method, "/scans/pull?station=flur") for method in ("POST", "GET", "GET")]
    printed = capsys.readouterr()
    assert (printed.out + printed.err).endswith(said)
