import asyncio
import errno
import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.scans_fakes import FaultyDisk, context, refuse
from torhaus.daemon.scans.states import Reason
from torhaus.daemon.scans.targets.base import NotNow, Parcel, Receipt, Refused, TargetDown
from torhaus.daemon.scans.targets.folder import Config, Folder

DATA = b"document" * 1000
SHA = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def disk() -> FaultyDisk:
    return FaultyDisk()


@pytest.fixture
def parcel(tmp_path: Path) -> Parcel:
    (tmp_path / "blob").write_bytes(DATA)
    return Parcel(
        "rathaus/3f2a91c0/7", 7, "3f2a91c0", "counter", "Bußgeld/1.pdf", tmp_path / "blob", SHA, len(DATA),
        "application/pdf", "1:00"
    )  # fmt: skip


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def folder(out: Path, disk: FaultyDisk, **more: Any) -> Folder:
    return Folder(Config("archive", str(out), **more), context(disk))


def test_order_is_write_fsync_rename_fsync_dir(out: Path, disk: FaultyDisk, parcel: Parcel) -> None:
    assert asyncio.run(folder(out, disk).send(parcel)) == Receipt(SHA)
    assert [path.name for path in out.iterdir()] == ["7-Bußgeld_1.pdf"]
    assert (out / "7-Bußgeld_1.pdf").read_bytes() == DATA
    assert (out / "7-Bußgeld_1.pdf").stat().st_mode & 0o777 == 0o640
    assert [name for name, _ in disk.trace if name != "unlink"] == [
        "create",
        "write",
        "fsync",
        "rename_new",
        "fsync_dir",
    ]


def test_sending_again_changes_nothing(out: Path, disk: FaultyDisk, parcel: Parcel) -> None:
    target = folder(out, disk)
    asyncio.run(target.send(parcel))
    inode = (out / "7-Bußgeld_1.pdf").stat().st_ino
    assert asyncio.run(target.send(parcel)).stored_sha256 == SHA
    assert [path.stat().st_ino for path in out.iterdir()] == [inode]
    assert asyncio.run(target.stored(parcel)) == SHA


def test_another_files_content_is_never_overwritten(out: Path, disk: FaultyDisk, parcel: Parcel) -> None:
    target = folder(out, disk)
    (out / "7-Bußgeld_1.pdf").write_bytes(b"somebody else's")
    assert asyncio.run(target.stored(parcel)) is None
    asyncio.run(target.send(parcel))
    assert (out / "7-3f2a91c0-Bußgeld_1.pdf").read_bytes() == DATA
    (out / "7-3f2a91c0-Bußgeld_1.pdf").write_bytes(b"theirs too")
    with pytest.raises(Refused) as caught:
        asyncio.run(target.send(parcel))
    assert caught.value.reason is Reason.CONFLICT
    assert sorted(path.read_bytes() for path in out.iterdir()) == [b"somebody else's", b"theirs too"]


def test_a_name_taken_in_the_last_moment_is_tried_later(out: Path, disk: FaultyDisk, parcel: Parcel) -> None:
    def meanwhile(operation: str, path: Path) -> None:
        if operation == "rename_new":
            path.write_bytes(b"quicker")

    disk.fault = meanwhile
    with pytest.raises(NotNow):
        asyncio.run(folder(out, disk).send(parcel))
    assert [path.read_bytes() for path in out.iterdir()] == [b"quicker"]


def test_a_crashed_runs_draft_is_replaced(out: Path, disk: FaultyDisk, parcel: Parcel) -> None:
    (out / ".torhaus-3f2a91c0-7.part").write_bytes(b"half")
    asyncio.run(folder(out, disk).send(parcel))
    assert [path.name for path in out.iterdir()] == ["7-Bußgeld_1.pdf"]


def test_a_consumer_that_takes_the_file_at_once_does_not_make_it_lost(
    out: Path, disk: FaultyDisk, parcel: Parcel
) -> None:
    def consume(operation: str, path: Path) -> None:
        if operation == "fsync_dir":
            (out / "7-Bußgeld_1.pdf").unlink()

    disk.fault = consume
    assert asyncio.run(folder(out, disk).send(parcel)).stored_sha256 == SHA


def test_a_folder_that_flips_a_bit_is_noticed_before_the_file_has_its_name(
    out: Path, disk: FaultyDisk, parcel: Parcel
) -> None:
    def flip(operation: str, path: Path) -> None:
        if operation == "fsync":
            with (out / path.name).open("r+b") as file:
                file.write(b"D")

    disk.fault = flip
    with pytest.raises(NotNow) as caught:
        asyncio.run(folder(out, disk).send(parcel))
    assert caught.value.reason is Reason.MISMATCH
    assert list(out.iterdir()) == []


@pytest.mark.parametrize(
    ("operation", "code", "detail"),
    [("create", errno.EACCES, "EACCES"), ("write", errno.ENOSPC, "disk_full"), ("fsync", errno.EIO, "EIO"),
     ("rename_new", errno.EROFS, "EROFS")],
)  # fmt: skip
def test_a_broken_folder_is_down(
    out: Path, disk: FaultyDisk, parcel: Parcel, operation: str, code: int, detail: str
) -> None:
    disk.fault = refuse(code, operation)
    with pytest.raises(TargetDown) as caught:
        asyncio.run(folder(out, disk).send(parcel))
    assert caught.value.detail == detail
    assert list(out.iterdir()) == []


def test_a_missing_or_unmounted_folder_is_down_and_not_empty(out: Path, disk: FaultyDisk, parcel: Parcel) -> None:
    for target in (folder(out / "missing", disk), folder(out, disk, mounted=True)):
        for call in (target.send, target.stored):
            with pytest.raises(TargetDown):
                asyncio.run(call(parcel))
    assert list(out.iterdir()) == []
