"""Uploads survive what happens between: crashes at any step, restarts, a checker that is not there, a lost file."""

import errno
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.scans_fakes import FaultyDisk, fake_pdf, key_file, refuse
from tests.daemon.upload_fakes import UploadBench, sha, with_uploads
from torhaus.daemon.scans.check import CheckUnavailable

DOC = fake_pdf("y" * 5000)


def test_a_restart_goes_on_where_it_was_flushed(tmp_path: Path) -> None:
    async def work(b: UploadBench) -> None:
        where = await b.create(len(DOC))
        assert (await b.tus("PATCH", where, DOC[:2000], Upload_Offset="0")).status == 204
        (name,) = b.uploads()
        path = b.root / "state/scans/uploads" / name
        with path.open("ab") as f:
            f.write(b"written, and never flushed")  # what a crash leaves
        (path.parent / "stray").write_bytes(b"of no upload")
        await b.restart()
        assert b.uploads() == [name]
        assert (await b.tus("HEAD", where)).headers["Upload-Offset"] == "2000"
        assert (await b.tus("PATCH", where, DOC[2000:], Upload_Offset="2000")).status == 204
        assert await b.hashes() == [sha(DOC)]

    with_uploads(tmp_path, work)


def test_bytes_that_are_gone_are_told(tmp_path: Path) -> None:
    async def work(b: UploadBench) -> None:
        for harm in (Path.unlink, lambda path: path.write_bytes(b"short")):
            where = await b.create(len(DOC))
            assert (await b.tus("PATCH", where, DOC[:2000], Upload_Offset="0")).status == 204
            path = b.root / "state/scans/uploads" / where.rpartition("/")[2]
            harm(path)
            b.queue.reception.pieces._marks.clear()
            assert (await b.tus("PATCH", where, DOC[2000:], Upload_Offset="2000")).status == 410
        assert await b.queue.list() == []

    with_uploads(tmp_path, work)


def test_what_cannot_be_finished_now_is_finished_later(tmp_path: Path) -> None:
    async def work(b: UploadBench) -> None:
        real = b.check.check

        async def unavailable(*_: Any, **__: Any) -> None:
            raise CheckUnavailable("no parsers")

        b.check.check = unavailable  # type: ignore[method-assign]
        where = await b.create(len(DOC))
        assert (await b.tus("PATCH", where, DOC, Upload_Offset="0")).status == 503
        assert (await b.tus("HEAD", where)).status == 503  # else a client would take it for done
        await b.queue.reception.tend_once()
        assert await b.queue.list() == []
        b.check.check = real  # type: ignore[method-assign]
        await b.restart()
        await b.queue.reception.tend_once()
        assert await b.hashes() == [sha(DOC)]
        head = await b.tus("HEAD", where)
        assert (head.status, head.headers["Upload-Offset"]) == (200, str(len(DOC)))
        assert b.uploads() == []

    with_uploads(tmp_path, work)


@pytest.mark.parametrize(
    "operation", ["write", "fsync", "open_read", "create", "link", "rename", "unlink", "fsync_dir"]
)
@pytest.mark.parametrize("mode", ["plain", "sealed"])
def test_any_step_on_the_disk_may_fail(
    tmp_path: Path, operation: str, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time it is told, and the client that tries again has one scan in the end."""
    if mode == "sealed":
        monkeypatch.setenv("TORHAUS_TEST_SPOOL_KEY", key_file(tmp_path))
    disk = UploadDisk()

    async def work(b: UploadBench) -> None:
        disk.fault = refuse(errno.ENOSPC, operation)
        made = await b.tus("POST", "/tus/phone/", Upload_Length=str(len(DOC)))
        assert made.status in {201, 507}
        disk.fault = lambda *_: None
        where = made.headers["Location"] if made.status == 201 else await b.create(len(DOC))
        disk.fault = refuse(errno.ENOSPC, operation)
        got = await b.tus("PATCH", where, DOC, Upload_Offset="0")
        assert got.status in {204, 500, 507}, got
        disk.fault = lambda *_: None
        head = await b.tus("HEAD", where)
        offset = int(head.headers["Upload-Offset"])
        assert (await b.tus("PATCH", where, DOC[offset:], Upload_Offset=str(offset))).status == 204
        assert await b.hashes() == [sha(DOC)]

    with_uploads(tmp_path, work, disk=disk)


class UploadDisk(FaultyDisk):
    def link(self, old: Path, new: Path) -> None:
        self._do("link", new)
        super().link(old, new)
