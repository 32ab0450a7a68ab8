import argparse
from pathlib import Path
from typing import Any

import pytest

from torhaus.daemon.cli import demo
from torhaus.daemon.demo import run


def test_arguments(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[Any] = []

    async def fake(folder: Path | None, seconds: float | None) -> int:
        asked.append((folder, seconds))
        return 1

    monkeypatch.setattr(run, "demo", fake)
    monkeypatch.chdir(tmp_path)
    parser = argparse.ArgumentParser()
    demo.add(parser.add_subparsers())
    for line in (["demo"], ["demo", "--dir", "x", "--seconds", "1.5"]):
        args = parser.parse_args(line)
        assert args.run(args) == 1
    assert asked == [(None, None), (tmp_path / "x", 1.5)]
