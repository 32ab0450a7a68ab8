import asyncio
from pathlib import Path

import pytest

from tests.daemon.home import METER, Home, archive, frame, running, sender, until
from tests.daemon.test_cli_status import run
from torhaus.daemon.cli import queue


def test_it_needs_the_daemon(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = Home(tmp_path, archive(tmp_path))
    words = ("queue", "replay", "--forwarder", "archive", "--since", "2h", "--config")
    assert run(queue, *words, str(home.config)) == 69
    assert capsys.readouterr().err == "the daemon is not running: start it, it is the one that sends\n"
    assert run(queue, *words, str(tmp_path / "none.toml")) == 78


def test_what_the_log_has_is_sent_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = Home(tmp_path, archive(tmp_path), devices=METER)  # frames are stamped 2026-11-18T11:06:40Z

    async def go() -> None:
        async def replay(*words: str, name: str = "archive") -> tuple[int, str]:
            code = await asyncio.to_thread(
                run, queue, "queue", "replay", "--forwarder", name, *words, "--config", str(home.config)
            )
            out, err = capsys.readouterr()
            return code, out + err

        app = home.app({"x": sender([frame(), frame(), frame()])})
        async with running(app):
            await until(lambda: app.runners["archive"][1].tally.accepted == 3)
            code, said = await replay("--since", "2026-11-18T11:06:40Z", "--dry-run")
            assert (code, said.partition(" (")[0]) == (0, "3 records would be sent again")
            assert await replay("--since", "2026-11-19T00:00Z") == (0, "the log has nothing of that time\n")
            assert await replay("--since", "2020-01-01", "--until", "2026-11-18T11:06:00Z") == (
                0,
                "the log has nothing of that time; the log begins at 2026-11-18T11:06:40.000Z\n",
            )
            assert await replay("--since", "2026-11-17") == (
                0,
                "3 records to be sent again; backlog now 3; the log begins at 2026-11-18T11:06:40.000Z\n",
            )
            await until(lambda: app.runners["archive"][1].tally.accepted == 6)
            code, said = await replay("--since", "1h", name="a b")
            assert (code, said) == (64, "no such forwarder, or it is not enabled\n")

    asyncio.run(go())
    ids = [line["id"] for line in home.lines()]
    assert ids[3:] == ids[:3]
