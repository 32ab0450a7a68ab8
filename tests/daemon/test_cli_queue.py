import asyncio
import json
from pathlib import Path

import pytest

from tests.daemon.home import Home, archive, running, stamp
from tests.daemon.test_cli_status import run
from tests.daemon.test_offline import fill
from torhaus.daemon.cli import queue
from torhaus.daemon.clock import SystemClock


def test_backlogs_and_dead_letters_while_it_is_down(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path, archive(tmp_path))
    config = ("--config", str(home.config))
    fill(home.store, 5)
    monkeypatch.setattr(SystemClock, "wall_ns", lambda _: stamp().wall_ns + 7 * 86_400 * 10**9)
    assert run(queue, "queue", *config) == 0
    assert capsys.readouterr().out == (
        "FORWARDER  STATE  BACKLOG  OLDEST  NOW/S  MINUTE/S  DRAINED IN  ASIDE  DEAD\n"
        "archive    —            3  7 d     —      —         —               0     1  the daemon is not running\n"
    )
    assert run(queue, "queue", "dead-letters", "list", *config) == 0
    assert capsys.readouterr().out == (
        "NUMBER  FORWARDER  ID                DEVICE  REASON\n     1  archive    test/3f2a91c0/17  meter   no\\x1b\n"
    )
    assert run(queue, "queue", "dead-letters", "list", "--json", "--forwarder", "none", *config) == 0
    assert capsys.readouterr().out == "[]\n"
    assert run(queue, "queue", "dead-letters", "drop", "1", *config) == 69
    assert capsys.readouterr().err == "the daemon is not running\n"
    (home.store / "state.db").write_bytes(b"no database" * 100)
    assert run(queue, "queue", "dead-letters", "list", *config) == 74
    assert run(queue, "queue", *config) == 74


def test_a_person_decides(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = Home(tmp_path, archive(tmp_path))
    config = ("--config", str(home.config))
    fill(home.store, 5)

    async def go() -> None:
        def ask(*arguments: str) -> int:
            return run(queue, "queue", *config, "dead-letters", *arguments)

        async with running(home.app({})):
            assert await asyncio.to_thread(ask, "list", "--json", "--forwarder", "a b") == 0
            assert await asyncio.to_thread(ask, "list", "--json") == 0
            assert await asyncio.to_thread(ask, "retry", "2") == 64
            assert await asyncio.to_thread(ask, "drop", "1") == 0
            assert await asyncio.to_thread(ask, "drop", "1") == 64

    asyncio.run(go())
    out, err = capsys.readouterr()
    none, one = out.splitlines()
    assert (json.loads(none), json.loads(one)[0]["number"]) == ([], 1)
    assert err.count("no such dead letter") == 2


def test_a_broken_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = ("--config", str(tmp_path / "none.toml"))
    for arguments in ([], ["dead-letters", "list"], ["dead-letters", "retry", "1"]):
        assert run(queue, "queue", *arguments, *config) == 78
        assert "none.toml:1: file: " in capsys.readouterr().err
