"""The command on a running daemon and beside one that is down."""

import asyncio
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.daemon.home import Home, running, until
from tests.daemon.scans_fakes import make_pdf
from tests.daemon.test_cli_status import run
from torhaus.daemon.cli import evidence, scans

PDF = make_pdf()
MORE = """
[[scan.station]]
name = "counter"
type = "folder"
path = "{0}/hot"
target = "out"
stable_s = 0.05
scan_interval_s = 0.05
[[scan.target]]
name = "out"
type = "folder"
path = "{0}/out"
[scan.evidence.procedure]
organisation = "Stadt"
document = "Verfahrensdokumentation"
version = "1.3"
"""


def with_daemon(folder: Path, capfd: pytest.CaptureFixture[str]) -> tuple[Home, str]:
    """A home that has taken in one document, which was exported meanwhile; its id."""
    home = Home(folder, MORE.format(folder))
    for name in ("hot", "out"):
        (folder / name).mkdir()
    (folder / "hot" / "Müller.pdf").write_bytes(PDF)

    async def go() -> str:
        async def command(module: object, *arguments: str) -> tuple[int, str]:
            capfd.readouterr()
            code = await asyncio.to_thread(run, module, *arguments, "--config", str(home.config))
            return code, capfd.readouterr().out

        async with running(home.app()):
            await until(lambda: list((folder / "out").glob("*.pdf")))
            code, out = await command(scans, "scans", "list", "--json")
            scan: str = json.loads(out)[0]["id"]
            code, key = await command(evidence, "evidence", "key")
            assert (code, len(key.strip())) == (0, 64)
            statement = ("--field", "quality=passed", "--field", "match=yes", "--by", "S17")
            assert await command(scans, "scans", "state", scan, *statement) == (
                0,
                f"{scan}: open: creator, completeness\n",
            )
            code, out = await command(scans, "scans", "note", scan)
            note = json.loads(out)
            assert (code, note["quality"]["by"], note["procedure"]["version"]) == (0, "S17", "1.3")
            code, out = await command(scans, "scans", "note", scan, "--xml")
            assert (code, out.splitlines()[1][:14]) == (0, "<transfer-note")
            assert await command(scans, "scans", "note") == (64, "")
            assert await command(scans, "scans", "state", "--field", "match=yes", "--by", "S1") == (64, "")
            assert (await command(scans, "scans", "state", scan, "--field", "x=y", "--by", "S1"))[0] == 64
            assert (await command(scans, "scans", "note", "--batch", "none"))[0] == 64
            code, out = await command(evidence, "evidence", "export", scan, "-o", str(folder / "e.zip"))
            assert (code, out.splitlines()[-1]) == (0, "proved")
            assert (await command(evidence, "evidence", "export", scan, "-o", str(folder / "e.zip")))[0] == 73
            assert (await command(evidence, "evidence", "verify"))[0] == 0  # while it runs
        return scan

    return home, asyncio.run(go())


def test_evidence(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    home, scan = with_daemon(tmp_path, capfd)
    assert (tmp_path / "e.zip").stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(tmp_path / "e.zip") as archive:
        assert archive.read("document.pdf") == PDF
        assert json.loads(archive.read("note.json"))["original_name"] == "Müller.pdf"
    config = ("--config", str(home.config))
    capfd.readouterr()
    assert run(evidence, "evidence", "verify", "--key", _key(home, capfd), *config) == 0
    assert capfd.readouterr().out.splitlines()[-1] == "proved"
    journal = tmp_path / "j.jsonl"
    assert run(evidence, "evidence", "export", "--journal", str(journal), *config) == 0
    assert run(evidence, "evidence", "export", "--journal", str(journal), *config) == 73
    assert "ller" not in journal.read_text(encoding="utf-8")
    capfd.readouterr()
    assert run(evidence, "evidence", "verifier") == 0
    (tmp_path / "verify.py").write_text(capfd.readouterr().out, encoding="utf-8")
    done = subprocess.run([sys.executable, "-I", tmp_path / "verify.py", journal], capture_output=True, check=False)
    assert done.returncode == 0
    heads = tmp_path / "heads"
    heads.write_text(f"99999:{'ab' * 32}\n")
    assert run(evidence, "evidence", "verify", "--head", str(heads), *config) == 1
    assert "were cut off" in capfd.readouterr().out
    assert run(evidence, "evidence", "verify", "--since", "2020-01-01", *config) == 0
    assert run(evidence, "evidence", "verify", "--since", "soon", *config) == 64
    assert run(evidence, "evidence", "verify", "--head", str(tmp_path / "none"), *config) == 66
    (tmp_path / "image").write_bytes(b"\xff\xd8")
    assert run(evidence, "evidence", "verify", "--head", str(tmp_path / "image"), *config) == 66
    assert "none: No such file" in (told := capfd.readouterr().err)
    assert "no UTF-8 text" in told
    assert run(evidence, "evidence", "verify", "--key", "c0ffee", *config) == 64
    assert run(evidence, "evidence", "export", scan, *config) == 69
    assert run(evidence, "evidence", "export", *config) == 64


def _key(home: Home, capfd: pytest.CaptureFixture[str]) -> str:
    assert run(evidence, "evidence", "key", "--config", str(home.config)) == 0
    return capfd.readouterr().out.strip()


def test_where_there_is_no_journal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    config = ("--config", str(Home(tmp_path).config))
    assert run(evidence, "evidence", "verify", *config) == 66
    assert "no journal can be read" in capfd.readouterr().err
    assert run(evidence, "evidence", "export", "--journal", str(tmp_path / "j"), *config) == 66
    assert not (tmp_path / "j").exists()
    assert run(evidence, "evidence", "key", *config) == 74
    assert "one is made when torhaus starts" in capfd.readouterr().err
    assert run(evidence, "evidence", "verify", "--config", str(tmp_path / "none")) == 78
