"""The commands beside a daemon, and with that the calls they make (scans/release/pages.py)."""

import asyncio
import csv
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pikepdf
import pytest

from tests.daemon.home import Home, running, until
from tests.daemon.scans_fakes import make_pdf
from tests.daemon.test_cli_evidence import MORE
from tests.daemon.test_cli_status import run
from torhaus.daemon.cli import scans
from torhaus.daemon.clock import SystemClock
from torhaus.daemon.scans.release.lots import close_some

Command = Callable[..., Awaitable[tuple[int, str]]]


@pytest.fixture(autouse=True)
def synced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SystemClock, "synced", lambda _: True)


def with_lot(
    folder: Path, capfd: pytest.CaptureFixture[str], body: Callable[[Command, str, str], Awaitable[None]]
) -> None:
    """A daemon with one delivered document whose day is closed: `body` gets the lot's and the document's names."""
    home = Home(folder, MORE.format(folder) + "[scan.release]\ndelay_days = 0\n[scan.retention]\n")
    for name in ("hot", "out"):
        (folder / name).mkdir()
    (folder / "hot" / "Müller.pdf").write_bytes(make_pdf())

    async def command(*arguments: str) -> tuple[int, str]:
        capfd.readouterr()
        code = await asyncio.to_thread(run, scans, "scans", *arguments, "--config", str(home.config))
        said = capfd.readouterr()
        return code, said.out + said.err

    async def go() -> None:
        app = home.app()
        async with running(app):
            await until(lambda: list((folder / "out").glob("*.pdf")))
            room = app._scans
            assert room is not None
            queue = room.queue
            release = queue._config.release
            assert release is not None
            while (await queue.list())[0].state not in {"verified", "filed"}:  # noqa: ASYNC110 - moved by its own task
                await asyncio.sleep(0.01)
            tomorrow = app.clock.wall_ns() + 86_400 * 10**9
            assert await queue._db.run(lambda tx: close_some(tx, release, tomorrow)) == 1
            await queue._db.run(lambda tx: tx.conn.execute("UPDATE lot SET drawn_ns = 0").rowcount)
            [lot] = await queue.release.lots()
            await body(command, lot.name, (await queue.list())[0].id)

    asyncio.run(go())


def test_from_the_sample_to_the_list(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    async def body(command: Command, lot: str, scan: str) -> None:
        code, out = await command("lots")
        assert (code, out.splitlines()[1].split()[0]) == (0, lot)
        code, out = await command("lots", "--json")
        assert json.loads(out)[0]["open"] == 1
        assert await command("feedback", scan, "ok", "--by", "B04") == (0, "1 document: ok\n")
        assert "quality control open" in (await command("release-list", "--batch", lot))[1]
        assert await command("qc", scan, "ok", "--by", "S17") == (0, "1 document: ok\n")
        assert await command("qc", "--batch", lot, "ok", "--by", "S17") == (0, "0 documents: ok\n")
        code, out = await command("release", "--batch", lot, "--by", "S17")
        assert (code, out.splitlines()[-1]) == (0, "1 of 1 released")
        code, out = await command("release-list", "--batch", lot, "--csv")
        assert list(csv.reader(out.splitlines(), delimiter=";"))[1][-1] == "freigegeben"
        path = tmp_path / "list.pdf"
        assert await command("release-list", "--batch", lot, "-o", str(path), "--lang", "en") == (0, "")
        with pikepdf.open(path) as pdf:
            assert len(pdf.pages) == 1
        assert "Müller" not in out
        assert (await command("release-list", "--batch", lot, "-o", str(tmp_path)))[0] == 73
        assert json.loads((await command("release-list", "--batch", lot, "--json"))[1])[0]["state"] == "released"
        code, out = await command("feedback", scan, "page-missing", "--by", "B04")
        assert (code, out.splitlines()[0]) == (0, "1 document: page-missing")
        assert "had been released: that is taken back" in out
        assert "taken back: keep the paper" in (await command("release-list", "--batch", lot))[1]
        assert "its release is taken back: keep its paper" in (await command("show", scan))[1]

    with_lot(tmp_path, capfd, body)


def test_a_bad_document_is_settled(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    async def body(command: Command, lot: str, scan: str) -> None:
        assert (await command("qc", scan, "bad", "--by", "S17"))[0] == 0
        code, said = await command("replaced", scan, scan, "--by", "S17")
        assert (code, said) == (64, f"{scan} did not come after it: only a later scan can replace it\n")
        assert await command("settled", scan, "--by", "S17") == (0, "1 document: settled\n")
        assert (await command("lots"))[1].splitlines()[1].split()[-3:] == ["1", "1", "0"]
        assert "settled: not released" in (await command("release-list", "--batch", lot))[1]

    with_lot(tmp_path, capfd, body)


def test_what_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    async def body(command: Command, lot: str, scan: str) -> None:
        for wrong in (
            ("qc", scan, "fine", "--by", "S17"),
            ("qc", scan, "ok", "--by", "Frau Meier"),
            ("qc", "ok", "--by", "S17"),
            ("qc", "--batch", lot, scan, "ok", "--by", "S17"),
            ("qc", "rathaus/0/99", "ok", "--by", "S17"),
            ("release-list", "--batch", "none"),
            ("release", "--batch", "none", "--by", "S17"),
            ("discard", scan, "--by", "S17"),
            ("replaced", scan, scan, "--by", "S17"),
            ("settled", scan, "--by", "S17"),
            ("discard", "rathaus/0/99", "--by", "S17"),
        ):
            code, said = await command(*wrong)
            assert (code, said.count("\n")) == (64, 1), wrong
            assert "/scans/" not in said, "how it was asked is nobody's business"

    with_lot(tmp_path, capfd, body)
