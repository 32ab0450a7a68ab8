"""`torhaus coversheet` against a daemon's pages, and what it says to a wrong command line."""

import asyncio
import io
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from aiohttp import web

from tests.daemon.home import Home
from tests.daemon.scans_fakes import Bench
from tests.daemon.test_cli_status import run
from tests.daemon.test_sheets_paper import words
from torhaus.daemon.cli import coversheet
from torhaus.daemon.config.load import load
from torhaus.daemon.httpd import serve
from torhaus.daemon.scans.pages import ScanPages


def order(tmp_path: Path, *arguments: str) -> int:
    """The command, while a scan queue answers."""
    home = Home(tmp_path)

    async def go() -> int:
        app = web.Application()
        async with Bench(tmp_path) as bench:
            for method, path, page in ScanPages(bench.queue).routes():
                app.router.add_route(method, path, page)
            server = await serve(app, socket=Path(load(home.config, check_only=True).control.socket))
            try:
                return await asyncio.to_thread(run, coversheet, "coversheet", *arguments, "--config", str(home.config))
            finally:
                await server.close()

    return asyncio.run(go())


def pages_of(path: Path) -> int:
    with pikepdf.open(path) as pdf:
        return len(pdf.pages)


def test_a_series(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "s.pdf"
    says = ("--department", "bauamt", "--class", "akte", "--pages", "7")
    assert order(tmp_path, *says, "--count", "3", "--duplex", "-o", str(out)) == 0
    assert capsys.readouterr().out == f"{out}: 3 cover sheets\n"
    assert pages_of(out) == 6
    assert "7 Seiten" in words(out.read_bytes())


@pytest.mark.parametrize("separator", [",", ";"])
def test_a_list(tmp_path: Path, separator: str) -> None:
    lines = ["department,class,pages,count", "bauamt,akte,7,2", "sozialamt,,,1"]
    (tmp_path / "l.csv").write_text("\n".join(lines).replace(",", separator), encoding="utf-8-sig")
    assert order(tmp_path, "--csv", str(tmp_path / "l.csv"), "-o", str(tmp_path / "s.pdf")) == 0
    assert pages_of(tmp_path / "s.pdf") == 3
    assert "sozialamt" in words((tmp_path / "s.pdf").read_bytes(), 2)


def test_to_another_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Pipe(io.StringIO):
        buffer = io.BytesIO()

    monkeypatch.setattr("sys.stdout", Pipe())
    assert order(tmp_path, "--department", "bauamt") == 0
    assert words(Pipe.buffer.getvalue())


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 64, "--department or --csv"),
        (["--department", "Bauamt"], 64, "department: 1 to 32"),
        (["--department", "bauamt", "--pages", "0"], 64, "pages: 1 to 9999"),
        (["--department", "bauamt", "--count", "501"], 64, "count: 1 to 500"),
        (["--csv", "no", "--department", "bauamt"], 64, "--csv says all"),
        (["--csv", "/no/such"], 66, "/no/such: No such file"),
    ],
)
def test_what_cannot_be_ordered(
    tmp_path: Path, arguments: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert order(tmp_path, *arguments, "-o", str(tmp_path / "s.pdf")) == code
    assert said in capsys.readouterr().err
    assert not (tmp_path / "s.pdf").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "l.csv:1: the first line names columns"),
        (b"department,colour\nbauamt,red\n", "l.csv:1: "),
        (b"department,class\nbauamt\n", "l.csv:2: has another number"),
        (b"department,class\nbauamt,akte,7\n", "l.csv:2: has another number"),
        (b"department\n", "l.csv: has 0 lines"),
        (b"department\n" + b"bauamt\n" * 1001, "l.csv: has 1001 lines"),
        (b"department\nb\xff\n", "l.csv: is no UTF-8"),
    ],
)
def test_lists_that_are_none(tmp_path: Path, text: bytes, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "l.csv").write_bytes(text)
    arguments: Any = ("--csv", str(tmp_path / "l.csv"), "-o", str(tmp_path / "s.pdf"), "--config", "/no/such")
    assert run(coversheet, "coversheet", *arguments) == 64
    assert said in capsys.readouterr().err


def test_without_a_daemon_or_a_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = Home(tmp_path)
    one = ("--department", "bauamt", "-o", str(tmp_path / "no/s.pdf"))
    assert run(coversheet, "coversheet", *one, "--config", str(home.config)) == 69
    assert "not running" in capsys.readouterr().err
    assert order(tmp_path, *one) == 73
