import errno
import os
from pathlib import Path

import pytest

from tests.daemon.scans_fakes import FaultyDisk, refuse
from torhaus.daemon.scans.disk import Disk, errno_name, hash_fd, hash_file

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # FIPS 180-4, SHA-256 of no bytes
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-4, example "abc"


class NoRenameAt2:
    """A libc of a system, or over a file system, that cannot rename without replacing."""

    def renameat2(self, *_: object) -> int:
        import ctypes

        ctypes.set_errno(errno.EINVAL)
        return -1


def test_hashes(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"")
    assert hash_file(Disk(), path) == EMPTY
    path.write_bytes(b"abc")
    fd = os.open(path, os.O_RDONLY)
    os.lseek(fd, 2, os.SEEK_SET)
    assert hash_fd(fd) == (ABC, 3)
    os.close(fd)


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path / "f")
    os.mkfifo(tmp_path / "pipe")
    disk = Disk()
    os.close(disk.open_read(tmp_path / "f"))
    for name, code in (("link", errno.ELOOP), ("pipe", errno.EINVAL), (".", errno.EINVAL)):
        with pytest.raises(OSError) as caught:
            disk.open_read(tmp_path / name)
        assert caught.value.errno == code


@pytest.mark.parametrize("disk", [Disk(), Disk(NoRenameAt2())], ids=["renameat2", "link"])  # type: ignore[arg-type]
def test_rename_new_never_replaces(tmp_path: Path, disk: Disk) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_bytes(b"1")
    disk.rename_new(old, new)
    assert new.read_bytes() == b"1"
    assert not old.exists()
    old.write_bytes(b"2")
    with pytest.raises(FileExistsError):
        disk.rename_new(old, new)
    assert new.read_bytes() == b"1"
    assert old.read_bytes() == b"2"


def test_create_follows_nothing_and_replaces_nothing(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        Disk().create(tmp_path / "link")
    assert not (tmp_path / "elsewhere").exists()


def test_make_dir_is_private_and_can_be_repeated(tmp_path: Path) -> None:
    Disk().make_dir(tmp_path / "d")
    Disk().make_dir(tmp_path / "d")
    assert (tmp_path / "d").stat().st_mode & 0o777 == 0o700


def test_free_is_what_the_file_system_gives_us(tmp_path: Path) -> None:
    found = os.statvfs(tmp_path)
    assert 0 <= Disk().free(tmp_path) <= found.f_blocks * found.f_frsize
    with pytest.raises(FileNotFoundError):
        Disk().free(tmp_path / "none")


def test_errno_name_shows_no_path() -> None:
    assert errno_name(OSError(errno.ENOSPC, "full", "/secret/name.pdf")) == "ENOSPC"
    assert errno_name(OSError()) == "OSError"


@pytest.mark.parametrize("operation", ["write", "fsync", "rename"])
def test_what_cannot_be_kept_leaves_nothing(tmp_path: Path, operation: str) -> None:
    disk = FaultyDisk()
    disk.keep(tmp_path / "head", b"old")
    disk.fault = refuse(errno.ENOSPC, operation)
    for _ in range(3):
        with pytest.raises(OSError, match="No space"):
            disk.keep(tmp_path / "head", b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("head", b"old")]
