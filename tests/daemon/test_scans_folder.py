import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.daemon.scans_fakes import FaultyDisk, refuse
from torhaus.daemon.scans.disk import hash_fd
from torhaus.daemon.scans.folder import CLAIM_FOLDER, Entry, HotFolder, Removal, identity_of

DATA = b"document"
SHA = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def disk() -> FaultyDisk:
    return FaultyDisk()


@pytest.fixture
def folder(tmp_path: Path, disk: FaultyDisk) -> HotFolder:
    return HotFolder(tmp_path, ("*",), ("secret*",), disk)


def put(path: Path, data: bytes = DATA) -> Entry:
    path.write_bytes(data)
    return Entry(path, identity_of(path.lstat()))


def test_what_is_taken_and_what_is_left_alone(tmp_path: Path, folder: HotFolder) -> None:
    for name in (
        "a.pdf", "B.TIF", "ü.pdf", ".hidden.pdf", "~$a.docx", "x.tmp", "x.PART",
        "x.partial", "x.filepart", "x.crdownload",
        ".in.x.pdf.", ".davfs.tmp12", ".syncthing.x.tmp", "Thumbs.db", "Desktop.ini",
        ".DS_Store", "._a.pdf", "Secret.pdf",
    ):  # fmt: skip
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "@eaDir").mkdir()
    assert [entry.path.name for entry in folder.look().files] == ["a.pdf", "B.TIF", "ü.pdf"]


def test_patterns_do_not_see_case(tmp_path: Path, disk: FaultyDisk) -> None:
    for name in ("a.PDF", "b.pdf", "c.txt"):
        (tmp_path / name).write_bytes(b"x")
    hot = HotFolder(tmp_path, ("*.pdf",), (), disk)
    assert [entry.path.name for entry in hot.look().files] == ["a.PDF", "b.pdf"]


def test_links_and_special_files_are_refused(tmp_path: Path, folder: HotFolder) -> None:
    (tmp_path / "link.pdf").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe.pdf")
    look = folder.look()
    assert look.files == []
    assert look.refused == {b"link.pdf": "symlink", b"pipe.pdf": "special"}


def test_names_that_are_no_utf8_come_back_as_bytes(tmp_path: Path, folder: HotFolder) -> None:
    name = b"Bu\xdfgeld.pdf"
    (tmp_path / os.fsdecode(name)).write_bytes(b"x")
    assert [entry.name for entry in folder.look().files] == [name]


def test_removal_claims_checks_and_unlinks(tmp_path: Path, folder: HotFolder, disk: FaultyDisk) -> None:
    entry = put(tmp_path / "a.pdf")
    assert folder.remove(entry, 7, SHA) is Removal.REMOVED
    assert not entry.path.exists()
    assert list((tmp_path / CLAIM_FOLDER).iterdir()) == []
    assert (tmp_path / CLAIM_FOLDER).stat().st_mode & 0o777 == 0o700
    assert disk.trace[-4:-1] == [("rename", "a.pdf"), ("unlink", "7"), ("fsync_dir", CLAIM_FOLDER)]
    assert disk.trace[-1] == ("fsync_dir", tmp_path.name)
    assert folder.remove(entry, 7, SHA) is Removal.GONE


def test_content_that_changed_is_not_removed(tmp_path: Path, folder: HotFolder) -> None:
    entry = put(tmp_path / "a.pdf")
    status = entry.path.stat()
    entry.path.write_bytes(b"DOCUMENT")
    os.utime(entry.path, ns=(status.st_atime_ns, status.st_mtime_ns))  # as robocopy and cp -p do
    assert identity_of(entry.path.stat()) == entry.identity
    assert folder.remove(entry, 7, SHA) is Removal.CHANGED
    look = folder.look()
    assert [(e.path, e.claimed) for e in look.files] == [(folder.claim_path(7), True)]
    assert look.files[0].path.read_bytes() == b"DOCUMENT"


def test_what_is_written_to_while_it_is_read_once_more_stays(
    tmp_path: Path, folder: HotFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = put(tmp_path / "a.pdf")

    def hashed(fd: int) -> tuple[str, int]:
        found = hash_fd(fd)
        with folder.claim_path(7).open("r+b") as file:  # behind where the reading is
            file.write(b"D")
        return found

    monkeypatch.setattr("torhaus.daemon.scans.folder.hash_fd", hashed)
    os.utime(entry.path, ns=(0, 0))
    assert folder.remove(entry, 7, SHA) is Removal.STUCK
    monkeypatch.undo()
    [claimed] = folder.look().files
    assert folder.remove(claimed, 7, SHA) is Removal.CHANGED
    assert claimed.path.read_bytes() == b"Document"


def test_one_that_stat_stumbles_over_does_not_keep_the_others_back(
    tmp_path: Path, folder: HotFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "a.pdf")
    put(tmp_path / "b.pdf")
    real = os.scandir

    class Stale:
        name = "a.pdf"

        def stat(self, *, follow_symlinks: bool) -> os.stat_result:
            raise OSError(errno.ESTALE, "stale file handle")

    @contextmanager
    def scandir(path: Path) -> Iterator[list[object]]:
        with real(path) as entries:
            yield [Stale() if entry.name == "a.pdf" else entry for entry in entries]

    monkeypatch.setattr("torhaus.daemon.scans.folder.os.scandir", scandir)
    look = folder.look()
    assert [entry.name for entry in look.files] == [b"b.pdf"]
    assert look.refused == {b"a.pdf": "unreadable"}
    assert not look.is_whole


def test_a_new_file_under_the_old_name_survives_the_removal(
    tmp_path: Path, folder: HotFolder, disk: FaultyDisk
) -> None:
    entry = put(tmp_path / "a.pdf")

    def device_writes_again(operation: str, path: Path) -> None:
        if operation == "unlink":
            (tmp_path / "a.pdf").write_bytes(b"next document")

    disk.fault = device_writes_again
    assert folder.remove(entry, 7, SHA) is Removal.REMOVED
    assert (tmp_path / "a.pdf").read_bytes() == b"next document"


def test_a_link_put_in_its_place_is_not_followed(tmp_path: Path, folder: HotFolder) -> None:
    target = tmp_path / "target"
    target.write_bytes(DATA)
    entry = put(tmp_path / "a.pdf")
    entry.path.unlink()
    entry.path.symlink_to(target)
    assert folder.remove(entry, 7, SHA) is Removal.CHANGED
    assert target.read_bytes() == DATA


@pytest.mark.parametrize("code", [errno.EPERM, errno.EACCES, errno.EROFS])
@pytest.mark.parametrize("operation", ["rename", "unlink"])
def test_what_may_not_be_removed_is_stuck(
    tmp_path: Path, folder: HotFolder, disk: FaultyDisk, operation: str, code: int
) -> None:
    entry = put(tmp_path / "a.pdf")
    disk.fault = refuse(code, operation)
    assert folder.remove(entry, 7, SHA) is Removal.STUCK
    assert sum(path.is_file() for path in tmp_path.rglob("*")) == 1


def test_without_a_claim_folder_it_is_checked_and_unlinked_in_place(
    tmp_path: Path, folder: HotFolder, disk: FaultyDisk
) -> None:
    disk.fault = refuse(errno.EACCES, "make_dir")
    assert folder.remove(put(tmp_path / "a.pdf", b"other"), 7, SHA) is Removal.CHANGED
    assert folder.remove(put(tmp_path / "a.pdf"), 7, SHA) is Removal.REMOVED


def test_a_claim_folder_made_by_somebody_else_is_not_used(tmp_path: Path, folder: HotFolder) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "9").write_bytes(DATA)
    (tmp_path / CLAIM_FOLDER).symlink_to(elsewhere)
    assert folder.look().files == []
    assert folder.remove(put(tmp_path / "a.pdf"), 9, SHA) is Removal.REMOVED
    assert (elsewhere / "9").exists()


def test_a_claim_folder_that_goes_meanwhile_takes_no_document_with_it(
    tmp_path: Path, folder: HotFolder, disk: FaultyDisk
) -> None:
    entry = put(tmp_path / "a.pdf")

    def cleaned_up(operation: str, _: Path) -> None:
        if operation == "rename":
            (tmp_path / CLAIM_FOLDER).rmdir()
            disk.fault = lambda _name, _path: None

    disk.fault = cleaned_up
    assert folder.remove(entry, 7, SHA) is Removal.STUCK
    assert folder.remove(entry, 7, SHA) is Removal.REMOVED


def test_other_trouble_leaves_it_where_it_is(tmp_path: Path, folder: HotFolder, disk: FaultyDisk) -> None:
    entry = put(tmp_path / "a.pdf")
    disk.fault = refuse(errno.EIO, "rename")
    assert folder.remove(entry, 7, SHA) is Removal.STUCK
    assert entry.path.exists()


def test_a_crowded_folder_is_looked_at_in_part(
    tmp_path: Path, folder: HotFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torhaus.daemon.scans.folder.MAX_ENTRIES", 3)
    for n in range(5):
        put(tmp_path / f"{n}.pdf")
    look = folder.look()
    assert len(look.files) == 3
    assert look.refused == {b"": "overflow"}


def test_subfolders_as_deep_as_is_said(tmp_path: Path, disk: FaultyDisk) -> None:
    for name in ("10/a.pdf", "2/b/c.pdf", "2/b/d/e.pdf", "x.xml", "2/x.lock"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "link").symlink_to("/etc")
    look = HotFolder(tmp_path, ("*",), (), disk, beside=("*.xml",), depth=2).look()
    assert [entry.name for entry in look.files] == [b"2/b/c.pdf", b"10/a.pdf"]
    assert set(look.beside) == {b"x.xml", b"2/x.lock"}
    assert look.refused == {b"d": "too_deep", b"link": "symlink"}


def test_a_subfolder_that_is_swapped_for_a_link_leads_nowhere(tmp_path: Path, disk: FaultyDisk) -> None:
    hot, other = tmp_path / "hot", tmp_path / "other"
    for place in (hot / "b1", other):
        place.mkdir(parents=True)
        (place / "a.pdf").write_bytes(DATA)
    folder = HotFolder(hot, ("*",), (), disk, depth=1)
    [entry] = folder.look().files
    (hot / "b1").rename(tmp_path / "gone")
    (hot / "b1").symlink_to(other)
    with pytest.raises(OSError, match=r"(Not a directory|Too many levels)"):
        folder.read(entry, 100)
    assert folder.remove(entry, 1, SHA) in {Removal.GONE, Removal.STUCK}
    folder.tidy([entry])
    assert (other / "a.pdf").read_bytes() == DATA
