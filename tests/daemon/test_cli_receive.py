import argparse
from pathlib import Path

import pytest

from tests.daemon.home import Home
from tests.daemon.process_kept import process_kept  # noqa: F401 - used for each test
from torhaus.daemon.cli import receive, run


def start(config: Path) -> int:
    parser = argparse.ArgumentParser()
    receive.add(parser.add_subparsers())
    args = parser.parse_args(["receive", "--config", str(config)])
    return int(args.run(args))


def test_it_is_the_daemon_with_a_station_for_sites(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path)
    started: list[object] = []

    def serve(loaded: object) -> int:
        started.append(loaded)
        return 0

    monkeypatch.setattr(run, "serve", serve)
    assert start(home.config) == 78
    assert 'scan.station: has none of type "site"' in capsys.readouterr().err
    assert started == []
    home.config.write_text(
        home.config.read_text()
        + f'[scan.http]\nlisten = "127.0.0.1:0"\n[[scan.station]]\nname = "rathaus"\ntype = "site"\ntarget = "out"\n'
        f'[[scan.target]]\nname = "out"\ntype = "folder"\npath = "{home.config.parent}"\n'
    )
    assert start(home.config) == 0
    assert len(started) == 1
