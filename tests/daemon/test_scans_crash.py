"""kill -9 at every step: every file becomes exactly one scan, arrives exactly once, with its hash, and is removed.

The suite takes every third step, each of its three runs begins with another one; the crash suite takes all.
"""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.scans_fakes import key_file
from tests.daemon.scans_server import FakeServer

CHILD = Path(__file__).with_name("scans_crash.py")
REPO = CHILD.parents[2]
MAX_STEPS = 400


def check(found: dict[str, Any]) -> None:
    where = f"killed before step {found['n']}"
    assert found["died"] == -9, where
    assert found["finished"] == 0, where
    assert found["states"] == ["verified"] * 3, where
    assert found["hashes"] == found["want"], where
    assert found["spool"] == found["want"], where
    assert found["faults"] == [], where
    assert found["intact"], where
    assert found["sources"] == [], where
    assert found["drafts"] == 0, where


EVERY = 3
ALL = pytest.param(1, 1, marks=[pytest.mark.crash, pytest.mark.timeout(900)], id="all")


def command(root: Path, url: str, first: int, every: int) -> list[str]:
    steps = [str(number) for number in (first, MAX_STEPS, every)]
    return [sys.executable, "-m", "tests.daemon.scans_crash", str(root), url, *steps]


def lines(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


@pytest.mark.parametrize(
    ("mode", "first", "every"),
    [
        ("plain", 1, EVERY),
        ("sealed", 2, EVERY),
        pytest.param("plain", *ALL.values, marks=ALL.marks, id="plain-all"),
        pytest.param("sealed", *ALL.values, marks=ALL.marks, id="sealed-all"),
    ],
)
def test_exactly_once_into_a_folder(
    tmp_path: Path, mode: str, first: int, every: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if mode == "sealed":
        monkeypatch.setenv("TORHAUS_TEST_SPOOL_KEY", key_file(tmp_path))
    done = subprocess.run(
        command(tmp_path, "folder", first, every), cwd=REPO, capture_output=True, text=True, check=True
    )
    *found, end = lines(done.stdout)
    assert end.get("end"), "the work has more steps than were tried"
    assert len(found) > 60 // every
    for one in found:
        check(one)
        assert one["out"] == one["want"], f"killed before step {one['n']}"


@pytest.mark.parametrize(("first", "every"), [(3, EVERY), ALL])
def test_exactly_once_to_a_server(tmp_path: Path, first: int, every: int) -> None:
    async def go() -> tuple[str, dict[str, bytes]]:
        async with FakeServer() as server:
            url = f"http://127.0.0.1:{server.port}/in"
            child = await asyncio.create_subprocess_exec(
                *command(tmp_path, url, first, every), cwd=REPO, stdout=asyncio.subprocess.PIPE
            )
            output, _ = await child.communicate()
            assert server.faults == []
            return output.decode(), dict(server.stored)

    import hashlib

    output, stored = asyncio.run(go())
    *found, end = lines(output)
    assert end.get("end"), "the work has more steps than were tried"
    for one in found:
        check(one)
        at_server = sorted(hashlib.sha256(stored[scan_id]).hexdigest() for scan_id in one["ids"])
        assert at_server == one["want"], f"killed before step {one['n']}"
    delivered = {scan_id for one in found for scan_id in one["ids"]}
    assert len(delivered) == 3 * len(found)
