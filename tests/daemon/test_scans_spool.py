import errno
import hashlib
import os
from pathlib import Path

import pytest

from tests.daemon.scans_fakes import FaultyDisk, refuse
from torhaus.daemon.scans.spool import Draft, Spool, TooLarge

DATA = os.urandom(3_000_000)
SHA = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def disk() -> FaultyDisk:
    return FaultyDisk()


@pytest.fixture
def spool(tmp_path: Path, disk: FaultyDisk) -> Spool:
    spool = Spool(tmp_path / "scans", disk)
    spool.prepare()
    return spool


def draft(spool: Spool, tmp_path: Path, data: bytes = DATA, limit: int = 1 << 30) -> Draft:
    (tmp_path / "source").write_bytes(data)
    fd = os.open(tmp_path / "source", os.O_RDONLY)
    try:
        return spool.draft(fd, limit)
    finally:
        os.close(fd)


def test_bytes_come_out_as_they_went_in(spool: Spool, tmp_path: Path) -> None:
    made = draft(spool, tmp_path)
    assert (made.sha256, made.size_bytes) == (SHA, len(DATA))
    path = spool.publish(made)
    assert path == tmp_path / "scans/blobs" / SHA[:2] / SHA
    assert path.read_bytes() == DATA
    assert path.stat().st_mode & 0o777 == 0o600
    assert list((tmp_path / "scans/tmp").iterdir()) == []


def test_order_is_write_fsync_rename_fsync_dir(spool: Spool, disk: FaultyDisk, tmp_path: Path) -> None:
    disk.trace.clear()
    spool.publish(draft(spool, tmp_path))
    operations = [name for name, _ in disk.trace]
    assert operations == ["create", "write", "write", "write", "fsync", "make_dir", "fsync_dir", "rename", "fsync_dir"]
    assert disk.trace[-1] == ("fsync_dir", SHA[:2])


def test_same_content_twice_is_one_blob(spool: Spool, tmp_path: Path) -> None:
    path = spool.publish(draft(spool, tmp_path))
    inode = path.stat().st_ino
    assert spool.publish(draft(spool, tmp_path)) == path
    assert path.stat().st_ino == inode
    assert list((tmp_path / "scans/tmp").iterdir()) == []


def test_a_damaged_blob_is_noticed_and_replaced(spool: Spool, tmp_path: Path) -> None:
    path = spool.publish(draft(spool, tmp_path))
    path.write_bytes(b"\0" + DATA[1:])
    assert not spool.intact(SHA)
    spool.publish(draft(spool, tmp_path))
    assert spool.intact(SHA)
    path.unlink()
    assert not spool.intact(SHA)


def test_too_large_and_disk_full_leave_nothing(spool: Spool, disk: FaultyDisk, tmp_path: Path) -> None:
    with pytest.raises(TooLarge):
        draft(spool, tmp_path, limit=len(DATA) - 1)
    for operation in ("write", "fsync"):
        disk.fault = refuse(errno.ENOSPC, operation)
        with pytest.raises(OSError):
            draft(spool, tmp_path)
    assert list((tmp_path / "scans/tmp").iterdir()) == []


def test_what_others_are_copying_counts_too(disk: FaultyDisk, tmp_path: Path) -> None:
    spool = Spool(tmp_path / "scans", disk, 1000)
    spool.prepare()
    disk.free_bytes = 1000 + 2 * len(DATA) - 1
    refused = []

    def another(operation: str, _: Path) -> None:
        if operation == "fsync":
            disk.fault = lambda _operation, _path: None
            with pytest.raises(OSError) as caught:
                draft(spool, tmp_path)
            refused.append(caught.value.errno)

    disk.fault = another
    made = draft(spool, tmp_path)
    assert refused == [errno.ENOSPC]
    assert list((tmp_path / "scans/tmp").iterdir()) == [made.path]
    draft(spool, tmp_path)  # the first is on the disk by now, and the file system knows


def test_prepare_removes_drafts_and_sweep_removes_orphans(spool: Spool, tmp_path: Path) -> None:
    left = draft(spool, tmp_path, b"left")
    kept = spool.publish(draft(spool, tmp_path, b"kept"))
    orphan = spool.publish(draft(spool, tmp_path, b"orphan"))
    (kept.parent / "notes.txt").write_text("not ours")
    spool.prepare()
    assert not left.path.exists()
    assert spool.sweep({kept.name}.__contains__) == 1
    assert kept.exists()
    assert not orphan.exists()
    assert (kept.parent / "notes.txt").exists()
