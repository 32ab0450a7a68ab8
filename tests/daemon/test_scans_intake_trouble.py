"""Intake when files change under it, cannot be removed or read, or when our own disk fails."""

import errno
import hashlib
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.scans_fakes import Bench, FaultyDisk, blob, fake_pdf, left, refuse, with_bench
from torhaus.daemon.scans.check import CheckUnavailable
from torhaus.daemon.scans.checker import Verdict
from torhaus.daemon.scans.events import (
    IntakeFlows,
    IntakeStalled,
    NotTaken,
    SourceStuck,
    StationChanged,
)
from torhaus.daemon.scans.folder import CLAIM_FOLDER
from torhaus.daemon.scans.remembered import STUCK_RETRY_NS

PDF = fake_pdf()


def test_the_source_goes_only_after_blob_and_row_are_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = FaultyDisk()

    async def work(b: Bench) -> None:
        real = b.queue._db._commit

        def commit(conn: sqlite3.Connection) -> None:
            real(conn)
            disk.trace.append(("commit", ""))

        monkeypatch.setattr(b.queue._db, "_commit", commit)
        b.put("a.pdf", PDF)
        await b.queue.intakes[0].step()
        b.clock.pass_s(6)
        disk.trace.clear()
        await b.queue.intakes[0].step()
        trace.extend(disk.trace)

    trace: list[tuple[str, str]] = []
    with_bench(tmp_path, work, disk=disk)
    sha = hashlib.sha256(PDF).hexdigest()
    trace = [step for n, step in enumerate(trace) if n == 0 or step != trace[n - 1]]  # encrypted it is two writes
    names = [name for name, _ in trace]
    assert names[:8] == ["create", "write", "fsync", "make_dir", "fsync_dir", "rename", "fsync_dir", "commit"]
    assert trace[6] == ("fsync_dir", sha[:2])
    rest = [step for step in trace[8:] if step[0] != "make_dir" and step != ("fsync_dir", "hot")]
    assert rest == [("rename", "a.pdf"), ("unlink", "1"), ("fsync_dir", CLAIM_FOLDER), ("commit", "")]
    assert trace[-2:] == [("fsync_dir", "hot"), ("commit", "")]


def test_append_while_it_is_being_checked_is_a_second_scan_and_nothing_is_lost(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        path = b.put("a.pdf", PDF)

        def append() -> None:
            b.check.meanwhile = lambda: None
            with path.open("ab") as file:
                file.write(b"more\n%%EOF\n")

        b.check.meanwhile = append
        assert await b.look() == 1
        assert left(b) == ["1"]  # claimed, found to be other content, kept
        assert await b.look() == 1
        newest, first = await b.queue.list()
        assert (blob(b, first), blob(b, newest)) == (PDF, PDF + b"more\n%%EOF\n")
        assert newest.name == b"a.pdf"
        assert left(b) == []

    with_bench(tmp_path, work)


def test_a_file_that_changes_while_it_is_copied_starts_anew(tmp_path: Path) -> None:
    disk = FaultyDisk()

    async def work(b: Bench) -> None:
        path = b.put("a.pdf", fake_pdf("old"))

        def rewrite(operation: str, _path: Path) -> None:
            if operation == "write":
                disk.fault = lambda _operation, _path: None
                path.write_bytes(fake_pdf("new"))

        disk.fault = rewrite
        assert await b.look() == 0
        assert list((b.root / "state/scans/tmp").iterdir()) == []
        assert await b.look() == 1
        assert [blob(b, scan) for scan in await b.queue.list()] == [fake_pdf("new")]

    with_bench(tmp_path, work, disk=disk)


def test_a_write_through_an_open_handle_after_the_claim_is_not_lost(tmp_path: Path) -> None:
    disk = FaultyDisk()

    async def work(b: Bench) -> None:
        handle = b.put("a.pdf", PDF).open("ab", buffering=0)

        def late(operation: str, path: Path) -> None:
            if operation == "open_read" and path.parent.name == CLAIM_FOLDER:
                disk.fault = lambda _operation, _path: None
                handle.write(b"late\n%%EOF\n")

        disk.fault = late
        assert await b.look() == 1
        handle.close()
        assert await b.look() == 1
        assert blob(b, (await b.queue.list())[0]) == PDF + b"late\n%%EOF\n"

    with_bench(tmp_path, work, disk=disk)


def test_a_source_that_cannot_be_deleted_is_taken_once(tmp_path: Path) -> None:
    disk = FaultyDisk()

    async def work(b: Bench) -> None:
        disk.fault = refuse(errno.EPERM, "rename", "unlink", under=b.hot)
        path = b.put("a.pdf", PDF)
        assert await b.look() == 1
        for _ in range(3):
            assert await b.look() == 0
        await b.restart()
        assert await b.look() == 0
        os.utime(path)  # an indexer touches it
        assert await b.look() == 0
        assert len(await b.queue.list()) == 1
        path.write_bytes(fake_pdf("other content, same inode"))
        assert await b.look() == 1
        disk.fault = lambda _operation, _path: None
        b.clock.pass_s(STUCK_RETRY_NS / 1e9)
        await b.look()
        assert left(b) == []
        assert len(await b.queue.list()) == 2

    b = with_bench(tmp_path, work, disk=disk)
    assert len(b.told(SourceStuck)) == 2


def test_an_unmounted_share_does_not_make_remembered_files_forgotten(tmp_path: Path) -> None:
    disk = FaultyDisk()

    async def work(b: Bench) -> None:
        disk.fault = refuse(errno.EPERM, "rename", "unlink", under=b.hot)
        b.put("a.pdf", PDF)
        await b.look()
        intake = b.queue.intakes[0]
        real = intake._folder.look

        def unmounted() -> Any:
            import msgspec

            return msgspec.structs.replace(real(), files=[], dev=12345)

        intake._folder.look = unmounted  # type: ignore[method-assign]
        assert await b.look() == 0
        intake._folder.look = real  # type: ignore[method-assign]
        assert await b.look() == 0
        assert len(await b.queue.list()) == 1

    with_bench(tmp_path, work, disk=disk)


def test_disk_full_leaves_the_source_and_is_tried_again(tmp_path: Path) -> None:
    disk = FaultyDisk()

    async def work(b: Bench) -> None:
        b.put("a.pdf", PDF)
        disk.fault = refuse(errno.ENOSPC, "write")
        for _ in range(3):
            assert await b.look() == 0
        assert left(b) == ["a.pdf"]
        assert list((b.root / "state/scans/tmp").iterdir()) == []
        disk.fault = lambda _operation, _path: None
        assert await b.look() == 1

    b = with_bench(tmp_path, work, disk=disk)
    assert [e.kind for e in b.told(IntakeStalled)] == ["disk_full"]


def test_scans_leave_room_for_readings(tmp_path: Path) -> None:
    disk = FaultyDisk()

    async def work(b: Bench) -> None:
        floor = b.config.min_free_bytes
        assert floor == 512 << 20
        disk.free_bytes = floor + len(PDF) - 1
        b.put("a.pdf", PDF)
        for _ in range(3):
            disk.trace.clear()
            assert await b.look() == 0
            assert not [step for step in disk.trace if step[0] in {"create", "write"}]
        assert left(b) == ["a.pdf"]
        assert [e.kind for e in b.told(IntakeStalled)] == ["disk_full"]
        disk.free_bytes += 1
        assert await b.look() == 1
        assert left(b) == []
        b.put("b.pdf", fake_pdf("next episode"))
        disk.free_bytes = floor
        assert await b.look() == 0
        assert len(b.told(IntakeFlows)) == 1
        (b.hot / "b.pdf").unlink()  # somebody has carried it away: nothing waits any more
        assert await b.look() == 0

    b = with_bench(tmp_path, work, disk=disk)
    assert [e.kind for e in b.told(IntakeStalled)] == ["disk_full", "disk_full"]
    assert len(b.told(IntakeFlows)) == 2


def test_a_store_that_fails_leaves_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(b: Bench) -> None:
        real = b.queue._db._commit

        def full(conn: sqlite3.Connection) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        b.put("a.pdf", PDF)
        await b.queue.intakes[0].step()
        monkeypatch.setattr(b.queue._db, "_commit", full)
        assert await b.look() == 0
        monkeypatch.setattr(b.queue._db, "_commit", real)
        assert left(b) == ["a.pdf"]
        assert await b.look() == 1

    b = with_bench(tmp_path, work)
    assert [e.kind for e in b.told(IntakeStalled)] == ["store"]


def test_one_unreadable_file_does_not_stop_the_others(tmp_path: Path) -> None:
    disk = FaultyDisk()

    async def work(b: Bench) -> None:
        disk.fault = refuse(errno.EIO, "open_read", under=b.hot / "a.pdf")
        b.put("a.pdf", PDF)
        b.put("b.pdf", PDF)
        assert await b.look() == 1
        assert await b.look() == 0
        assert left(b) == ["a.pdf"]

    b = with_bench(tmp_path, work, disk=disk)
    assert [e.kind for e in b.told(NotTaken)] == ["unreadable"]


def test_links_and_too_large_files_stay_and_are_told_once(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        (b.hot / "link.pdf").symlink_to("/etc/passwd")
        b.put("big.pdf", fake_pdf("x" * 200))
        for _ in range(3):
            assert await b.look() == 0
        assert left(b) == ["big.pdf", "link.pdf"]

    b = with_bench(tmp_path, work, max_bytes=100)
    assert sorted(e.kind for e in b.told(NotTaken)) == ["symlink", "too_large"]


def test_a_missing_folder_is_told_once_and_comes_back(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        b.hot.rmdir()
        await b.look()
        await b.look()
        b.hot.mkdir()
        b.put("a.pdf", PDF)
        assert await b.look() == 1

    b = with_bench(tmp_path, work)
    assert [(e.up, e.detail) for e in b.told(StationChanged)] == [
        (False, f"{tmp_path / 'hot'}: No such file or directory"),
        (True, ""),
    ]


def test_without_a_checker_nothing_is_judged(tmp_path: Path) -> None:
    class NoCheck:
        async def check(self, path: Path, *, codes: bool = False) -> Verdict:
            raise CheckUnavailable

        async def close(self) -> None:
            pass

    async def work(b: Bench) -> None:
        b.put("a.pdf", PDF)
        assert await b.look(10_000) == 0
        assert left(b) == ["a.pdf"]
        assert list((b.root / "state/scans/tmp").iterdir()) == []

    b = with_bench(tmp_path, work, check=NoCheck())
    assert [e.kind for e in b.told(IntakeStalled)] == ["no_checker"]
