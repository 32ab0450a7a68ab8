"""The file forwarder when the disk, the folder or others get in its way."""

import asyncio
import errno
import os
import resource
import signal
import threading
from collections.abc import Callable
from io import FileIO
from pathlib import Path

import pytest

from tests.daemon.file_fakes import forwarder, item, numbers
from torhaus.daemon.forward.base import Unavailable


def test_a_full_disk_leaves_no_half_line(tmp_path: Path) -> None:
    """The kernel cuts a write short at RLIMIT_FSIZE, as a full disk does, and then refuses."""
    path = tmp_path / "f"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    async def main() -> None:
        it = forwarder(path)
        await it.open()
        await it.send([item(0, 3000)])
        size = path.stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 1000, hard))
        try:
            with pytest.raises(Unavailable, match="File too large"):
                await it.send([item(1, 100), item(2, 3000)])
            assert path.stat().st_size == size
            with pytest.raises(Unavailable):
                await it.send([item(1)])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        await it.close()
        await it.open()
        assert (await it.send([item(1), item(2)])).accepted == [0, 1]
        await it.close()
        assert numbers(path) == [0, 1, 2]

    try:
        asyncio.run(main())
    finally:
        signal.signal(signal.SIGXFSZ, handler)


def test_a_failed_fsync_takes_the_batch_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        it = forwarder(tmp_path / "f")
        await it.open()
        await it.send([item(0)])

        def fail(_: int) -> None:
            raise OSError(errno.EIO, "Input/output error")

        with monkeypatch.context() as broken:
            broken.setattr(os, "fsync", fail)
            with pytest.raises(Unavailable, match="Input/output error"):
                await it.send([item(1)])
        assert numbers(tmp_path / "f") == [0]
        await it.open()
        await it.send([item(1)])
        await it.close()
        assert numbers(tmp_path / "f") == [0, 1]

    asyncio.run(main())


@pytest.mark.parametrize("how", [Path.unlink, lambda path: path.rename(path.with_suffix(".moved"))])
def test_a_file_moved_or_removed_by_others_is_begun_anew(tmp_path: Path, how: Callable[[Path], object]) -> None:
    async def main() -> None:
        it = forwarder(tmp_path / "f")
        await it.open()
        await it.send([item(0)])
        how(tmp_path / "f")
        await it.send([item(1)])
        await it.close()
        assert numbers(tmp_path / "f") == [1]

    asyncio.run(main())


def test_a_place_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    async def main() -> None:
        for path in (tmp_path / "file" / "f", tmp_path):
            with pytest.raises(Unavailable, match=str(path)):
                await forwarder(path).open()

    asyncio.run(main())


def test_a_write_under_way_ends_before_the_file_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for the send may be cancelled: the thread is not, and must not meet a closed or another file."""
    begun, go_on = threading.Event(), threading.Event()
    fsync = os.fsync

    def slow(fd: int) -> None:
        begun.set()
        assert go_on.wait(10)
        fsync(fd)

    async def main() -> None:
        it = forwarder(tmp_path / "f")
        await it.open()
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", slow)
            sending = asyncio.create_task(it.send([item(0)]))
            await asyncio.to_thread(begun.wait)
            sending.cancel()
            await asyncio.wait([sending])
            closing = asyncio.create_task(it.close())
            await asyncio.sleep(0)
            assert not closing.done()
            go_on.set()
            await closing
        await it.open()
        await it.send([item(1)])
        await it.close()
        assert numbers(tmp_path / "f") == [0, 1]

    asyncio.run(main())


def test_a_failed_rotation_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        it = forwarder(tmp_path / "f", rotate_bytes=4096, keep=1)
        await it.open()
        await it.send([item(0, 2500)])

        def fail(*_: object) -> None:
            raise PermissionError(errno.EACCES, "Permission denied")

        with monkeypatch.context() as broken:
            broken.setattr(Path, "rename", fail)
            with pytest.raises(Unavailable, match="Permission denied"):
                await it.send([item(1, 2500)])
        await it.close()
        await it.open()
        await it.send([item(1, 2500)])
        await it.close()
        assert (numbers(tmp_path / "f.1"), numbers(tmp_path / "f")) == ([0], [1])

    asyncio.run(main())


def test_a_close_that_fails_is_no_matter(tmp_path: Path) -> None:
    class Stubborn(FileIO):
        def close(self) -> None:
            super().close()
            raise OSError(errno.EIO, "Input/output error")

    async def main() -> None:
        it = forwarder(tmp_path / "f")
        it._file = Stubborn(tmp_path / "f", "wb")
        await it.close()
        assert it._file is None

    asyncio.run(main())
