"""A job's folder: handed over whole, and after a crash, too."""

from pathlib import Path

import msgspec
import pytest

from tests.daemon.scans_fakes import FaultyDisk
from torhaus.daemon.scans.disk import Disk
from torhaus.daemon.scans.pull.job import SIDECAR, JobFolder, JobReport, complete_cut_off


def page(folder: JobFolder, data: bytes) -> None:
    with folder.page("pdf") as fd:
        Disk().write(fd, data)


def broken(fd: int) -> None:
    Disk().write(fd, b"ha")
    raise ConnectionError


def report(path: Path) -> JobReport:
    return msgspec.json.decode((path / SIDECAR).read_bytes(), type=JobReport)


def names(path: Path) -> list[str]:
    return sorted(p.name for p in path.iterdir())


def test_pages_are_handed_over_at_once(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path, "job-1", Disk())
    folder.open()
    page(folder, b"one")
    assert not folder.same_as_before()
    page(folder, b"one")
    assert folder.same_as_before()
    assert names(tmp_path) == [".job-1"]
    assert folder.close(2, None) == 2
    assert names(tmp_path / "job-1") == ["0001.pdf", "0002.pdf", SIDECAR]
    made = report(tmp_path / "job-1")
    assert (made.batch, made.documents, made.pages, made.trouble) == ("job-1", 2, 2, None)


def test_half_a_page_is_none(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path, "job-1", Disk())
    folder.open()
    page(folder, b"one")
    with pytest.raises(ConnectionError), folder.page("pdf") as fd:
        broken(fd)
    page(folder, b"two")
    assert folder.count == 2
    folder.close(None, "jam")
    assert report(tmp_path / "job-1").trouble == "jam"
    assert (tmp_path / "job-1" / "0002.pdf").read_bytes() == b"two"


def test_a_job_without_a_page_leaves_nothing(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path, "job-1", Disk())
    folder.open()
    (folder.path / "0001.part").write_bytes(b"ha")
    assert folder.close(None, None) == 0
    assert names(tmp_path) == []


def test_what_a_crash_cut_off_is_completed_with_trouble(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path, "job-1", Disk())
    folder.open()
    page(folder, b"one")
    (folder.path / "0002.part").write_bytes(b"ha")
    (folder.path / SIDECAR).write_bytes(b"{}")
    (tmp_path / ".torhaus").mkdir()
    assert complete_cut_off(tmp_path, Disk()) == 1
    assert names(tmp_path / "job-1") == ["0001.pdf", SIDECAR]
    assert report(tmp_path / "job-1").trouble == "the job was cut off"
    assert complete_cut_off(tmp_path, Disk()) == 0


def test_a_page_that_would_take_the_reserve_is_none(tmp_path: Path) -> None:
    disk = FaultyDisk()
    folder = JobFolder(tmp_path, "job-1", disk, min_free_bytes=100)
    disk.free_bytes = 99
    with pytest.raises(OSError, match="min_free_bytes"):
        folder.open()
    assert folder.close(None, "full") == 0
    disk.free_bytes = 200
    folder.open()
    with folder.page("pdf") as fd:
        folder.write(fd, bytes(100))
    with pytest.raises(OSError, match="min_free_bytes"), folder.page("pdf") as fd:
        folder.write(fd, bytes(101))
    assert folder.close(None, "full") == 1
    assert names(tmp_path / "job-1") == ["0001.pdf", SIDECAR]
