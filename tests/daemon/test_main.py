import argparse
import importlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from torhaus.daemon import main


def test_help_lists_what_is_built(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main(["--help"])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    for command in main.COMMANDS:
        assert f"\n    {command}" in out
    assert "\n    forward " not in out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main.main(["--version"])
    assert capsys.readouterr().out.startswith("torhaus ")


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["nonsense"],
        ["status", "--nonsense"],
        ["queue", "dead-letters"],
        ["queue", "dead-letters", "drop", "x"],
        ["decode", "--codec", "elsys", "--fport", "256", "00"],
        ["decode", "--codec", "elsys", "--fport", "x", "00"],
        ["scans", "list", "--state", "lost"],
        ["codecs"],
    ],
)
def test_wrong_usage_is_64(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main(argv)
    assert ended.value.code == os.EX_USAGE == 64
    assert capsys.readouterr().err.startswith("usage: torhaus")


def test_the_configuration_may_be_named_before_or_behind_the_action(tmp_path: Path) -> None:
    one, other = str(tmp_path / "one.toml"), str(tmp_path / "other.toml")
    letters = ["queue", "--config", one, "--json", "dead-letters", "list"]
    args = main.parser().parse_args(letters)
    assert (str(args.config), args.json) == (one, True)
    args = main.parser().parse_args([*letters, "--config", other])
    assert str(args.config) == other
    args = main.parser().parse_args(["queue", "--config", one, "dead-letters", "retry", "1"])
    assert str(args.config) == one


def test_where_the_configuration_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TORHAUS_CONFIG", raising=False)
    assert str(main.parser().parse_args(["status"]).config) == "/etc/torhaus/torhaus.toml"
    monkeypatch.setenv("TORHAUS_CONFIG", "/somewhere/else.toml")
    assert str(main.parser().parse_args(["status"]).config) == "/somewhere/else.toml"
    assert str(main.parser().parse_args(["queue", "dead-letters", "list"]).config) == "/somewhere/else.toml"


def test_ctrl_c_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: argparse.Namespace) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("torhaus.daemon.cli.schema.run", interrupted)
    assert main.main(["schema"]) == 130


@pytest.mark.parametrize("command", ["schema", "demo", "receive", "run"])
def test_ctrl_c_while_modules_are_loaded_ends_it_at_once(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before, seen = signal.getsignal(signal.SIGINT), []
    add = importlib.import_module(f"torhaus.daemon.cli.{command}").add

    def adding(commands: argparse.Action) -> None:
        seen.append(signal.getsignal(signal.SIGINT))
        add(commands)

    def ran(_: argparse.Namespace) -> int:
        seen.append(signal.getsignal(signal.SIGINT))
        return 7

    monkeypatch.setattr(f"torhaus.daemon.cli.{command}.add", adding)
    monkeypatch.setattr(f"torhaus.daemon.cli.{command}.run", ran)
    assert main.main([command]) == 7
    assert seen == [signal.SIG_DFL, before if command == "schema" else signal.SIG_DFL]
    assert signal.getsignal(signal.SIGINT) == before


def test_a_reader_that_leaves_is_no_traceback() -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "torhaus", "schema"], stdout=write, stderr=subprocess.PIPE, check=False, cwd="/"
        )
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")
