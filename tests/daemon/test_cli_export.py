import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.home import Home, archive, running
from tests.daemon.test_cli_status import run
from tests.daemon.test_offline import contents, fill
from torhaus.daemon.cli import queue
from torhaus.daemon.extract import Extract
from torhaus.daemon.outbox.segment import path_of


def export(home: Home, capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[Any], str]:
    code = run(queue, "queue", "export", *words, "--config", str(home.config))
    sys.stdout.flush()
    out, err = capfd.readouterr()
    return code, [json.loads(line) for line in out.splitlines()], err


def seqs(found: list[Any]) -> list[int]:
    return [int(m["id"].rpartition("/")[2]) for m in found]


def test_with_and_without_the_daemon(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    home = Home(tmp_path, archive(tmp_path).replace('"file"', '"file"\nkinds = ["frame"]'))
    assert export(home, capfd) == (0, [], "")
    fill(home.store, 5)  # of which `archive` has 0 and 2
    before = contents(home.store)
    code, found, err = export(home, capfd)
    assert (code, seqs(found), err) == (0, [0, 1, 2, 3, 4], "")
    assert found[0] == {
        "id": found[0]["id"],
        "kind": "frame",
        "site": "test",
        "at": "2026-11-18T11:06:40.000Z",
        "clock": "synced",
        "late": True,
        "driver": "x",
        "raw": "MQ==",
    }
    assert seqs(export(home, capfd, "--forwarder", "archive")[1]) == [1, 3, 4]
    assert export(home, capfd, "--log", "strangers") == (0, [], "")
    assert export(home, capfd, "--forwarder", "nobody") == (64, [], "no forwarder 'nobody' is configured\n")
    assert seqs(export(home, capfd, "--since", "2026-11-18T11:06:40Z")[1]) == [0, 1, 2, 3, 4]
    assert export(home, capfd, "--since", "2026-11-18T11:06:41Z") == (0, [], "")
    assert export(home, capfd, "--until", "2026-11-18T11:06:40Z") == (0, [], "")
    assert contents(home.store) == before

    async def beside() -> None:
        async with running(home.app({}, forwarders=[])):
            code, found, _ = await asyncio.to_thread(export, home, capfd)
            assert (code, seqs(found)) == (0, [0, 1, 2, 3, 4])

    asyncio.run(beside())


def test_what_a_forwarder_does_not_want(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    home = Home(tmp_path, archive(tmp_path))  # readings only; these are frames
    fill(home.store, 5)
    assert export(home, capfd, "--forwarder", "archive") == (0, [], "")


def test_into_a_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    home = Home(tmp_path, archive(tmp_path))
    fill(home.store, 3)
    target = tmp_path / "out" / "x.jsonl"
    code, _, err = export(home, capfd, "-o", str(target))
    assert (code, err) == (73, f"{target}: No such file or directory\n")
    target.parent.mkdir()
    target.write_text("old")
    assert export(home, capfd, "-o", str(target)) == (0, [], "")
    assert seqs([json.loads(line) for line in target.read_text().splitlines()]) == [0, 1, 2]
    assert (target.stat().st_mode & 0o777, [p.name for p in target.parent.iterdir()]) == (0o600, ["x.jsonl"])


def test_what_is_damaged_is_said_and_the_rest_is_written(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    home = Home(tmp_path, archive(tmp_path))
    fill(home.store, 5)
    path = path_of(home.store / "log", 0)
    data = path.read_bytes()
    at = data.index(b"\xa5frame", data.index(b"\xa5frame") + 1)
    path.write_bytes(data[:at] + b"\xa5frxme" + data[at + 6 :])
    code, found, err = export(home, capfd)
    assert (code, len(found)) == (74, 4)
    assert err.splitlines()[0].startswith("damaged: 1 record from position ")
    assert err.splitlines()[1] == "damaged on disk and missing here: 1 record"
    (home.store / "state.db").write_bytes(b"no database" * 100)
    target = tmp_path / "x.jsonl"
    assert export(home, capfd, "-o", str(target))[0] == 74
    assert not target.exists()


def test_a_broken_configuration(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    home = Home(tmp_path, "nonsense")
    assert export(home, capfd)[0] == 78


def test_a_store_that_may_not_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path, archive(tmp_path))
    where = home.store / "state.db"

    def refuse(*_: Any) -> Any:
        raise PermissionError(13, "Permission denied", str(where))

    monkeypatch.setattr(Extract, "messages", refuse)
    assert export(home, capfd) == (74, [], f"{where}: Permission denied\n")
