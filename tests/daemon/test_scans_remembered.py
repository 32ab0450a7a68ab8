"""Taken files that still lie in their folder: removed, or remembered, and tried again later."""

import errno
from pathlib import Path
from typing import Any

from tests.daemon.scans_fakes import Bench, fake_pdf, left, refuse, with_bench
from torhaus.daemon.scans.events import SourceStuck
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
