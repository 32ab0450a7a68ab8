"""Taken files that still lie in their folder: removed, or remembered, and tried again later."""

import errno
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.scans_fakes import Bench, fake_pdf, left, refuse, with_bench
from torhaus.daemon.scans.events import NotTaken, SourceStuck
from torhaus.daemon.scans.remembered import STUCK_RETRY_NS


def test_what_cannot_be_removed_is_told_once_and_tried_again_later(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        disk: Any = b.disk
        disk.fault = refuse(errno.EACCES, "rename", "unlink", under=b.hot)
        b.put("a.pdf", fake_pdf())
        assert await b.look() == 1
        await b.restart()
        for _ in range(3):
            assert await b.look() == 0
        assert left(b) == ["a.pdf"]
        disk.fault = lambda _name, _path: None
        await b.look()
        assert left(b) == ["a.pdf"]  # not tried again yet
        b.clock.pass_s(STUCK_RETRY_NS / 1e9)
        await b.queue.intakes[0].step()
        assert left(b) == []
        assert len(await b.queue.list()) == 1

    b = with_bench(tmp_path, work)
    assert len(b.told(SourceStuck)) == 1


def test_what_was_taken_is_remembered_whatever_the_store_does_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    async def work(b: Bench) -> None:
        disk: Any = b.disk
        disk.fault = refuse(errno.EACCES, "rename", "unlink", under=b.hot)
        b.put("a.pdf", fake_pdf(1))
        assert await b.look() == 1
        b.put("a.pdf", fake_pdf("another one"))
        b.put("b.pdf", fake_pdf(2))
        with monkeypatch.context() as patch:
            patch.setattr("torhaus.daemon.scans.sources.forget", broken)
            await b.look()
        assert len(await b.queue.list()) == 3
        for _ in range(3):
            assert await b.look() == 0
        assert len(await b.queue.list()) == 3

    with_bench(tmp_path, work)


def test_hard_links_that_cannot_be_removed_are_told_apart(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        disk: Any = b.disk
        disk.fault = refuse(errno.EACCES, "rename", "unlink", under=b.hot)
        os.link(b.put("a.pdf", fake_pdf()), b.hot / "b.pdf")
        assert await b.look() == 2
        await b.restart()
        for _ in range(3):
            assert await b.look() == 0
        assert b.check.checked == 2  # not read again and again

    with_bench(tmp_path, work)


@pytest.mark.parametrize("trouble", ["overflow", "unreadable"])
def test_what_a_look_did_not_get_to_see_has_not_gone(
    tmp_path: Path, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.scandir

    def refused(path: Path) -> Any:
        if trouble == "unreadable" and path.name == "east":
            raise OSError(errno.EIO, "the file server stumbles")
        return real(path)

    def stuck(operation: str, path: Path) -> None:
        if path.name == "a.pdf" and operation in {"rename", "unlink"}:
            raise OSError(errno.EACCES, "not permitted")

    async def work(b: Bench) -> None:
        disk: Any = b.disk
        disk.fault = stuck
        (b.hot / "east").mkdir()
        b.put("east/a.pdf", fake_pdf())
        assert await b.look() == 1
        with monkeypatch.context() as patch:
            patch.setattr("torhaus.daemon.scans.folder.os.scandir", refused)
            if trouble == "overflow":
                patch.setattr("torhaus.daemon.scans.folder.MAX_ENTRIES", 0)
            assert await b.look() == 0
        assert await b.look() == 0
        assert len(await b.queue.list()) == 1
        assert b.told(NotTaken) == [NotTaken("counter", trouble)]
        (b.hot / "east/a.pdf").unlink()
        await b.look()
        b.put("east/a.pdf", fake_pdf())
        assert await b.look() == 1

    with_bench(tmp_path, work, subfolder_depth=1)
