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
        ["lora", "decode", "--dev-nonce", "65536", "00"],
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


def test_a_file_that_cannot_be_had_is_no_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main.main(["demo", "--dir", str(tmp_path / "file"), "--seconds", "1"]) == 74
    assert capsys.readouterr().err == f"torhaus demo: {tmp_path / 'file'}: File exists\n"


def test_the_daemon_s_journal_keeps_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def failed(_: argparse.Namespace) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("torhaus.daemon.cli.run.run", failed)
    with pytest.raises(OSError, match="Input/output"):
        main.main(["run"])


def test_words_that_are_no_text_are_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def asked(_: argparse.Namespace) -> int:
        "\udcff".encode()
        return 0

    monkeypatch.setattr("torhaus.daemon.cli.schema.run", asked)
    assert main.main(["schema"]) == 65
    assert capsys.readouterr().err == "torhaus schema: an argument or the input is no UTF-8 text\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_the_output_is_no_traceback() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = torhaus("sample", stdout=full.fileno())
    assert (done.returncode, done.stderr) == (74, b"torhaus sample: No space left on device\n")


def test_an_old_terminal_gets_what_it_can_show() -> None:
    done = torhaus("queue", "--help", stdout=subprocess.PIPE, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\\u2014" in done.stdout


def torhaus(*words: str, stdout: int, **more: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, "-m", "torhaus", *words],
        stdout=stdout, stderr=subprocess.PIPE, check=False, cwd="/", env={**os.environ, **more},
    )  # fmt: skip
