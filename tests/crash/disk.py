"""Small real file systems for tests: ext4 on a loop device, of which a power cut can be taken."""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers import program


def run(*command: str) -> None:
    """A command that must work."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"


class Disk:
    """An ext4 in a file, mounted; nothing but fsync brings anything into the file (`commit=600`)."""

    def __init__(self, folder: Path, size_bytes: int) -> None:
        self.path = folder / "disk"
        self.cuts = 0
        self._folder = folder
        self._image = folder / "disk.0.img"
        self.path.mkdir()
        with self._image.open("wb") as f:
            f.truncate(size_bytes)
        run(program("mke2fs"), "-q", "-t", "ext4", "-m", "0", "-F", str(self._image))

    def mount(self) -> None:
        """Make it available at `path`."""
        run("mount", "-o", "loop,commit=600", str(self._image), str(self.path))

    def unmount(self) -> None:
        """Let go of it, whoever may still look."""
        run("umount", "-l", str(self.path))

    def cut_power(self, pid: int) -> None:
        """Stop a process and go on with what an fsync had brought to the disk by then; the process is killed."""
        self.cuts += 1
        os.kill(pid, signal.SIGSTOP)
        copy = self._folder / f"disk.{self.cuts}.img"
        try:
            run("cp", "--sparse=always", str(self._image), str(copy))
        finally:
            os.kill(pid, signal.SIGKILL)
        self._go_on_with(copy)

    def _go_on_with(self, copy: Path) -> None:
        self.unmount()
        self._image.unlink()
        self._image = copy
        self.mount()


def fill(folder: Path, leave_bytes: int = 0) -> Path:
    """Occupy a file system but for so many bytes; the file that does it."""
    filler = folder / "filler"
    with contextlib.suppress(OSError), filler.open("ab", buffering=0) as f:
        while (room := free_bytes(folder) - leave_bytes) > 0:
            f.write(bytes(min(room, 1 << 16)))
    return filler


def free_bytes(folder: Path) -> int:
    """Room on a file system."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def may_mount() -> None:
    """Skip, or fail where every peer is wanted, unless this process may mount file systems on loop devices."""
    if os.geteuid() == 0 and Path("/dev/loop-control").exists():
        program("mke2fs")
        return
    why = "needs root and loop devices"
    if os.environ.get("TORHAUS_REQUIRE_PEERS") or os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)


@contextlib.contextmanager
def small_disk(folder: Path, size_bytes: int) -> Iterator[Disk]:
    """A file system of that size, gone afterwards."""
    may_mount()
    disk = Disk(folder, size_bytes)
    disk.mount()
    try:
        yield disk
    finally:
        disk.unmount()


@contextlib.contextmanager
def memory_disk(folder: Path, size_bytes: int) -> Iterator[Path]:
    """A tmpfs of that size."""
    may_mount()
    path = folder / "memory"
    path.mkdir()
    run("mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", str(path))
    try:
        yield path
    finally:
        run("umount", "-l", str(path))
        shutil.rmtree(path, ignore_errors=True)
