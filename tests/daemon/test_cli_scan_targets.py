import asyncio
import json
from pathlib import Path

import pytest

from tests.daemon.home import Home, running
from tests.daemon.test_cli_status import run
from tests.peers import until
from torhaus.daemon.cli import scan_targets, scans
from torhaus.daemon.scans.delivery import Standing

TARGET = """
[[scan.target]]
name = "archive"
type = "folder"
path = "{folder}"
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "archive").mkdir()
    return Home(tmp_path, TARGET.format(folder=tmp_path / "archive"))


def test_without_a_daemon_it_is_tried_from_here(home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = ("--config", str(home.config))
    assert run(scans, "scans", "try", "archive", *config) == 0
    assert capsys.readouterr().out.startswith("can be written, ")
    assert run(scans, "scans", "try", "none", *config) == 64
    assert capsys.readouterr().err == "no such target\n"
    (tmp_path / "archive").rmdir()
    assert run(scans, "scans", "try", "archive", *config) == 69
    assert capsys.readouterr().err == "folder not there or not mounted\n"
    assert run(scans, "scans", "targets", *config) == 69
    assert run(scans, "scans", "try", "archive", "--config", str(tmp_path / "none.toml")) == 78


def test_beside_a_daemon(home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = ("--config", str(home.config))

    async def go() -> None:
        async with running(home.app({})) as app:
            assert app._scans is not None
            queue = app._scans.queue
            await until(lambda: queue.is_open)
            for words in (("targets",), ("targets", "--json"), ("try", "archive")):
                assert await asyncio.to_thread(run, scans, "scans", *words, *config) == 0
            assert await asyncio.to_thread(run, scans, "scans", "try", "none", *config) == 64
            (tmp_path / "archive").rmdir()
            assert await asyncio.to_thread(run, scans, "scans", "try", "archive", *config) == 69

    asyncio.run(go())
    said = capsys.readouterr()
    head, line, as_json, tried = said.out.splitlines()
    assert head.split()[:4] == ["TARGET", "TYPE", "PROVES", "STATE"]
    assert line.split() == ["archive", "folder", "verified", "up", "0"]
    assert json.loads(as_json)[0]["name"] == "archive"
    assert tried.startswith("can be written")
    assert "no such target" in said.err
    assert "not mounted" in said.err


def test_states_in_words() -> None:
    down = Standing("a", "s3", "verified", False, True, "503", 7200, 45)
    assert scan_targets.state(down) == "down for 2 h, tried again in 45 s"
    assert scan_targets.state(Standing("a", "s3", "verified", True, False, "")) == "out of hours"
