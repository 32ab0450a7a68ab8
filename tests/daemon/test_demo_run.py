import asyncio
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from torhaus.daemon.control import NotRunning, Refused
from torhaus.daemon.demo import run
from torhaus.daemon.demo.run import Table


def message(device: str = "gym", kind: str = "reading", **fields: Any) -> dict[str, Any]:
    return {"kind": kind, "device": device, "at": "2026-11-23T09:53:25.400Z", "fields": fields}


def test_lines_where_there_is_no_terminal() -> None:
    out = io.StringIO()
    table = Table(out, 8680)
    table.add(json.dumps(message(temperature={"value": 21.4, "unit": "Cel"}, open={"value": True})).encode())
    table.add(json.dumps(message(kind="frame")).encode())
    table.add(json.dumps([message("a"), message("b")]).encode())  # a packed backlog
    table.document("scan.pdf")
    table.draw()
    assert out.getvalue().splitlines() == [
        "2026-11-23T09:53:25.400Z  gym                 temperature 21.4 Cel  open True",
        "2026-11-23T09:53:25.400Z  a                   ",
        "2026-11-23T09:53:25.400Z  b                   ",
        "document delivered: scan.pdf",
    ]
    assert (table.arrived, table.documents) == (3, 1)


def test_a_table_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(out, "isatty", lambda: True)
    table = Table(out, 8680)
    for _ in range(3):
        table.add(json.dumps(message(temperature={"value": 21.4})).encode())
    assert out.getvalue() == ""
    table.draw()
    last = out.getvalue().splitlines()[-1]
    assert last.split() == ["gym", "3", "09:53:25.400", "temperature", "21.4"]


@pytest.mark.parametrize("how", ["up", "stopped", "died", "late"])
def test_waiting_for_the_daemon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    answers: list[Exception | None] = [NotRunning("x"), Refused("x", 503), None]

    def ask(path: Path, what: str) -> bytes:
        assert (path, what) == (tmp_path / "torhaus.sock", "/readyz")
        answer = answers.pop(0) if how == "up" else NotRunning("x")
        if answer is not None:
            raise answer
        return b"ok"

    monkeypatch.setattr(run, "ask", ask)
    monkeypatch.setattr(run, "START_S", 0.2)

    async def go() -> bool:
        stop = asyncio.Event()
        if how == "stopped":
            stop.set()
        daemon = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "" if how == "died" else "import time; time.sleep(60)"
        )
        if how == "died":
            await daemon.wait()
        found = await run._wait_ready(tmp_path, daemon, stop)
        if daemon.returncode is None:
            daemon.kill()
        await daemon.wait()
        return found

    assert asyncio.run(go()) is (how == "up")
    assert ("did not start" in capsys.readouterr().err) is (how == "late")
