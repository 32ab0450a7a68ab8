"""`torhaus codecs new`: what it makes passes its own examples and can be a device's profile at once."""

import argparse
from pathlib import Path

import pytest

from torhaus.daemon.cli import codecs
from torhaus.daemon.config.profiles import find


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    codecs.add(parser.add_subparsers())
    args = parser.parse_args(["codecs", *arguments])
    code: int = args.run(args)
    return code


@pytest.mark.parametrize(("more", "ending"), [([], "toml"), (["--script"], "js")])
def test_passes_its_own_examples(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], ending: str
) -> None:
    name = "stadtwerke/pegel-2"
    assert run("new", name, "--to", str(tmp_path), *more) == 0
    said = capsys.readouterr().out.splitlines()
    examples = tmp_path / f"{name}.examples.jsonl"
    assert said[-1] == f"edit them, then: torhaus codecs test {examples} --base {tmp_path}"
    assert run("test", str(examples), "--base", str(tmp_path)) == 0
    assert capsys.readouterr().out == "3 passed, 0 failed\n"
    assert find(name, tmp_path).codec == f"{name}.{ending}"
    assert run("new", name, "--to", str(tmp_path), *more) == 73
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["pegel", "A/b", "../a/b", "a/b/c"])
def test_names(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert run("new", name, "--to", str(tmp_path)) == 64
    assert "must be vendor/model" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert run("new", "a/b", "--to", str(tmp_path / "file")) == 73


def test_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "torhaus.toml"
    assert run("new", "a/b", "--config", str(config)) == 0
    assert (tmp_path / "decoders/a/b.toml").is_file()
    config.write_text("[scripts]\ndir = 5\n")
    assert run("new", "a/c", "--config", str(config)) == 78
    assert run("list", "--profiles", "--config", str(config)) == 78
    assert capsys.readouterr().out.count("scripts.dir") == 2
