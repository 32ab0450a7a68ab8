"""What the command line refuses by itself; the rest runs in test_cli_evidence.py beside a daemon."""

from pathlib import Path

import pytest

from tests.daemon.home import Home
from tests.daemon.test_cli_status import run
from torhaus.daemon.cli import scans


def test_a_document_or_a_batch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = ("--config", str(Home(tmp_path).config))
    assert run(scans, "scans", "note", *config) == 64
    assert run(scans, "scans", "note", "x/1/1", "--batch", "y", *config) == 64
    assert "name a document" in capsys.readouterr().err
    assert run(scans, "scans", "state", "--field", "match=yes", "--by", "S17", *config) == 64
    assert run(scans, "scans", "note", "x/1/1", *config) == 69
    assert run(scans, "scans", "state", "--batch", "y", "--field", "match=yes", "--by", "S17", *config) == 69
