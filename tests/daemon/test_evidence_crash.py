"""kill -9 at any moment of a document's life: the journal verifies, with every head that was published before."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]


def kill(tmp_path: Path, kills: int) -> None:
    command = [sys.executable, "-m", "tests.daemon.evidence_crash", str(tmp_path), str(kills)]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True)
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(results) == kills
    for found in results:
        where = f"killed before steps {found['at']}"
        assert found["finished"] == 0, where
        assert found["faults"] == found["store"] == [], where
        assert found["roots"], where
        assert found["states"] == ["verified"], where
        assert found["spool"] == found["out"] == [found["want"]], where
        assert found["sources"] == [], where
        assert found["drafts"] == 0, where


@pytest.mark.timeout(300)
def test_a_life_with_fifteen_kills(tmp_path: Path) -> None:
    kill(tmp_path, 15)


@pytest.mark.crash
@pytest.mark.timeout(1800)
def test_a_life_with_two_hundred_kills(tmp_path: Path) -> None:
    kill(tmp_path, 200)
