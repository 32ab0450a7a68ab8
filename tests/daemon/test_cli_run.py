import argparse
import gc
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.daemon.home import Home
from tests.daemon.process_kept import process_kept  # noqa: F401 - used for each test
from tests.peers import free_port
from torhaus.daemon.cli import run
from torhaus.daemon.outbox import migrate


def start(home: Home) -> int:
    parser = argparse.ArgumentParser()
    run.add(parser.add_subparsers())
    args = parser.parse_args(["run", "--config", str(home.config)])
    code: int = args.run(args)
    return code


def one_line(text: str) -> str:
    assert "Traceback" not in text
    [line] = [line for line in text.splitlines() if " error " in line]
    return line


def test_until_sigterm(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    home = Home(tmp_path)
    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGTERM)).start()
    assert start(home) == os.EX_OK
    said = capfd.readouterr().err
    assert [line.split()[2] for line in said.splitlines() if line.split()[2] in {"ready", "stopping", "stopped"}] == [
        "ready",
        "stopping",
        "stopped",
    ]


def test_what_it_makes_is_nobody_elses(tmp_path: Path) -> None:
    home = Home(tmp_path)
    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGTERM)).start()
    assert start(home) == os.EX_OK
    made = [home.store, *home.store.rglob("*")]
    assert {p.relative_to(home.store).parts[0] for p in made[1:]} >= {"state.db", "log", "strangers"}
    assert {str(p): oct(p.stat().st_mode & 0o077) for p in made} == {str(p): "0o0" for p in made}


def test_a_bad_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = Home(tmp_path, "[nonsense]\n")
    assert start(home) == os.EX_CONFIG == 78
    assert capsys.readouterr().err.startswith(f"{home.config}:11: nonsense: ")


def test_a_store_that_is_a_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    home = Home(tmp_path)
    home.store.write_text("x")
    assert start(home) == os.EX_CANTCREAT == 73
    assert "cannot use the store" in one_line(capfd.readouterr().err)


def test_a_store_of_a_newer_torhaus(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    home = Home(tmp_path)
    home.store.mkdir()
    conn = sqlite3.connect(home.store / "state.db")
    conn.execute(f"PRAGMA user_version = {migrate.CURRENT['state'] + 1}")
    conn.close()
    assert start(home) == 78
    assert "is newer than this torhaus knows" in one_line(capfd.readouterr().err)


def test_a_port_that_is_in_use(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    import socket

    home = Home(tmp_path)
    port = free_port()
    home.write("", f"127.0.0.1:{port}")
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        assert start(home) == os.EX_UNAVAILABLE == 69
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in one_line(capfd.readouterr().err)


def test_two_daemons_on_one_store(tmp_path: Path) -> None:
    home = Home(tmp_path)
    command = [sys.executable, "-m", "torhaus", "run", "--config", str(home.config)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd="/") as first:
        assert first.stderr is not None
        assert any(" ready " in line for line in first.stderr)
        second = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", timeout=30)
        assert second.returncode == 73
        assert "another torhaus" in one_line(second.stderr)
        first.terminate()
        first.communicate(timeout=20)
        assert first.returncode == 0


def test_a_daemon_that_is_ready_does_not_look_for_cycles_all_the_time() -> None:
    run.settle_memory()
    assert gc.get_threshold()[0] == run.GC_YOUNG
    assert gc.get_freeze_count() > 1000
