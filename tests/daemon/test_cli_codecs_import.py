"""`torhaus codecs import`: the report, the catalogue's own examples, and what is said when there is nothing."""

import argparse
from pathlib import Path

import pytest

from tests.daemon import catalogues
from torhaus.daemon.cli import codecs
from torhaus.daemon.config.load import device_files, read_device_set, read_files


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    codecs.add(parser.add_subparsers())
    args = parser.parse_args(["codecs", *arguments])
    code: int = args.run(args)
    return code


def test_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("import", str(catalogues.ttn(tmp_path / "ttn")), "--to", str(tmp_path / "d")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split(None, 3) == [
        "taken",
        "boke/pegel-1",
        "boke/level.js",
        "(licence: Copyright 2026 Example, MIT)",
    ]
    assert {line.split()[2] for line in lines[1:-1]} == {"boke/pegel-2", "boke/bare", "boke/gone-codec"}
    assert lines[-1] == f"1 models taken into {tmp_path / 'd'}, 3 left out"


def test_many_alike_are_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torhaus.daemon.cli.codecs_import.SHOWN", 0)
    root, to = str(catalogues.ttn(tmp_path / "ttn")), str(tmp_path / "d")
    run("import", root, "--to", to)
    assert "left out  1 models" in capsys.readouterr().out
    run("import", root, "--to", to, "--verbose")
    assert "left out  boke/bare" in capsys.readouterr().out


def test_examples_are_run_on_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = catalogues.ttn(tmp_path / "ttn")
    assert run("import", str(root), "--to", str(tmp_path / "d"), "--test") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "3 passed, 0 failed"
    script = root / "vendor/boke/level.js"
    script.write_text(script.read_text().replace("i.bytes[0]", "7"))
    assert run("import", str(root), "--to", str(tmp_path / "d"), "--test", "--replace") == 1
    lines = capsys.readouterr().out.splitlines()
    assert "boke/pegel-1: up: level: got 7, expected 5" in lines
    assert lines[-1] == "2 passed, 1 failed"


def test_nothing_is_run_without_request(tmp_path: Path) -> None:
    root = catalogues.chirpstack(tmp_path / "c")
    (root / "vendors/boke/codecs/level.js").write_text("while (true);")
    assert run("import", str(root), "--to", str(tmp_path / "d")) == 0


def test_into_the_configured_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "torhaus.toml"
    config.write_text('[site]\nid = "x"\n[scripts]\ndir = "codecs"\n')
    assert run("import", str(catalogues.chirpstack(tmp_path / "c")), "--config", str(config)) == 0
    (tmp_path / "devices.toml").write_text('[[device]]\nname = "a"\nprofile = "boke/pegel-1"\n')
    _, tree, _ = read_files(config)
    found = read_device_set(device_files(config, tree), tmp_path)
    assert (found.faults, found.devices[0].codec) == ([], "boke/level.js")
    capsys.readouterr()
    assert run("list", "--profiles", "--config", str(config)) == 0
    assert any(
        line.split() == ["boke/pegel-1", "boke/level.js", "Pegel", "1"] for line in capsys.readouterr().out.splitlines()
    )


def test_faults(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("import", str(tmp_path), "--to", str(tmp_path)) == 66
    assert "no catalogue of devices" in capsys.readouterr().err
    config = tmp_path / "torhaus.toml"
    config.write_text("[scripts]\ndir = 5\n")
    assert run("import", str(tmp_path), "--config", str(config)) == 78
    assert "torhaus.toml:2: scripts.dir" in capsys.readouterr().out
    (tmp_path / "file").write_text("")
    assert run("import", str(catalogues.chirpstack(tmp_path / "c")), "--to", str(tmp_path / "file")) == 73
