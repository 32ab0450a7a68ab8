import json
from pathlib import Path

import pytest

from tests.daemon.home import Home
from tests.daemon.scans_fakes import Bench, fake_pdf, with_bench
from tests.daemon.test_cli_status import run
from torhaus.daemon.cli import scans


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
    head, line = capsys.readouterr().out.splitlines()
    assert head.split() == ["ID", "STATION", "STATE", "TARGET", "PAGES", "SIZE", "CHANGED", "NAME"]
    assert line.split()[1:3] == ["counter", "spooled"]
    assert line.isprintable()
    scan = line.split()[0]
    assert run(scans, "scans", "show", scan, "--config", config) == 0
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
