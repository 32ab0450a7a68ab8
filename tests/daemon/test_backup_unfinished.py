import subprocess
import sys
from pathlib import Path

import pytest

from torhaus.daemon.backup.unfinished import sweep, unfinished

KILLED = """
import os, signal, sys
from pathlib import Path
from torhaus.daemon.backup.unfinished import unfinished
with unfinished(Path(sys.argv[1])) as (out, work):
    (work / "state.db").write_bytes(b"x")
    out.write(b"half")
    out.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_it_has_its_name_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "b.tar"
    with unfinished(target) as (out, work):
        out.write(b"whole")
        (work / "copy").write_bytes(b"x")
        assert not target.exists()
        assert work.stat().st_mode & 0o777 == 0o700
    assert target.read_bytes() == b"whole"
    assert target.stat().st_mode & 0o777 == 0o600
    assert names(tmp_path) == ["b.tar"]


def test_after_a_failure_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no"), unfinished(tmp_path / "b.tar"):
        raise ValueError("no")
    assert names(tmp_path) == []


def test_what_one_that_was_killed_has_left_goes_with_the_next(tmp_path: Path) -> None:
    """Also where the next one has another name, as with dates; what belongs to others, or is at work, stays."""
    monday = tmp_path / "monday.tar"
    done = subprocess.run([sys.executable, "-c", KILLED, str(monday)], check=False)
    assert done.returncode == -9
    assert len(names(tmp_path)) == 2, "a kill leaves file and folder"
    (tmp_path / ".somebody.part-77").write_bytes(b"his")
    (tmp_path / ".lost.tar.torhaus-5.d").mkdir()
    (tmp_path / ".link.torhaus-6").symlink_to(tmp_path / ".somebody.part-77")
    with unfinished(tmp_path / "tuesday.tar") as (out, work):
        out.write(b"t")
        sweep(tmp_path)
        assert work.exists()
    assert names(tmp_path) == [".link.torhaus-6", ".somebody.part-77", "tuesday.tar"]
    assert (tmp_path / "tuesday.tar").read_bytes() == b"t"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    sweep(tmp_path / "no")
    with pytest.raises(FileNotFoundError), unfinished(tmp_path / "no" / "b.tar"):
        raise AssertionError
