"""A job's folder: pages as they come, and at the end one file that says what came. Then it is a batch like any other.

    <root>/pull/<station>/.<job>/0001.pdf   while the job runs; `….part` while a page comes
    <root>/pull/<station>/<job>/            when it is over: renamed whole, with job.json in it

Whatever happens in between, what came whole is kept: a job that was cut off is completed at the next start, as one with
trouble, and so held for a person.
"""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from torhaus.codecs.sidecar import MAX_RECORDS
from torhaus.daemon.scans.disk import Disk, hash_file
from torhaus.daemon.scans.pull.faults import CUT_OFF

SIDECAR: Final = "job.json"
_PAGE: Final = re.compile(r"[0-9]{4,5}\.(pdf|jpg|tif|png)")


class File(msgspec.Struct, frozen=True):
    """One file that came."""

    document: str


class JobReport(msgspec.Struct, frozen=True):
    """job.json. `pages`: images that the scanner says it made, null where it does not count."""

    batch: str
    documents: int
    pages: int | None
    trouble: str | None
    files: list[File]


class JobFolder:
    """One job. All calls block and raise OSError. Pages never take the last `min_free_bytes` of the file system."""

    def __init__(self, station: Path, job: str, disk: Disk, min_free_bytes: int = 0) -> None:
        self._station = station
        self._job = job
        self._path = station / f".{job}"
        self._disk = disk
        self._min_free_bytes = min_free_bytes
        self.count = 0
        """Files that came so far. A program that writes them itself has them counted by whom it tells."""

    @property
    def path(self) -> Path:
        """Where pages lie while the job runs."""
        return self._path

    def open(self) -> None:
        """Make it."""
        self.check_room()
        self._disk.make_dir(self._path)

    def check_room(self, size: int = 0) -> None:
        """Raise ENOSPC where less than `min_free_bytes` would be left with so much more."""
        if self._disk.free(self._station) - size < self._min_free_bytes:
            raise OSError(errno.ENOSPC, "less than min_free_bytes would be left")

    def write(self, fd: int, data: bytes) -> None:
        """More of a page."""
        self.check_room(len(data))
        self._disk.write(fd, data)

    @contextmanager
    def page(self, ending: str) -> Iterator[int]:
        """An open file for the next page; it counts when this ends without an exception."""
        path = self._path / f"{self.count + 1:04}.{ending}"
        part = path.with_suffix(".part")
        part.unlink(missing_ok=True)
        fd = self._disk.create(part)
        try:
            yield fd
            self._disk.fsync(fd)
        finally:
            os.close(fd)
        self._disk.rename(part, path)
        self.count += 1

    def same_as_before(self) -> bool:
        """Whether the last two files have the same bytes: a scanner that gives its last page again and again."""
        last = sorted(p for p in self._path.iterdir() if _PAGE.fullmatch(p.name))[-2:]
        return len(last) == 2 and hash_file(self._disk, last[0]) == hash_file(self._disk, last[1])

    def close(self, pages: int | None, trouble: str | None) -> int:
        """Hand over what came, and how many files that are. With none, nothing is left."""
        if not self._path.is_dir():
            return 0  # it was never made
        names = sorted(p.name for p in self._path.iterdir())
        good = [name for name in names if _PAGE.fullmatch(name)][:MAX_RECORDS]
        for name in names:
            if name not in good:
                self._disk.unlink(self._path / name)
        if not good:
            self._path.rmdir()
            return 0
        for name in good:
            fd = self._disk.open_read(self._path / name)
            try:
                self._disk.fsync(fd)  # another program may have written it
            finally:
                os.close(fd)
        report = JobReport(self._job, len(good), pages, trouble, [File(name) for name in good])
        self._disk.keep(self._path / SIDECAR, msgspec.json.encode(report))
        self._disk.rename(self._path, self._station / self._job)
        self._disk.fsync_dir(self._station)
        return len(good)


def complete_cut_off(station: Path, disk: Disk) -> int:
    """Hand over what jobs left that were running when the daemon ended; how many files."""
    return sum(
        JobFolder(station, path.name.removeprefix("."), disk).close(None, CUT_OFF.text)
        for path in sorted(station.iterdir())
        if path.name.startswith(".job-") and path.is_dir() and not path.is_symlink()
    )
