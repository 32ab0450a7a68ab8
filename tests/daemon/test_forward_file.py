"""The file forwarder: on disk when accepted, whole lines only, whatever the disk does."""

import asyncio
import os
from pathlib import Path

import msgspec
import pytest

from tests.daemon.file_fakes import config, forwarder, item, numbers
from torhaus.daemon.forward.base import Unavailable
from torhaus.daemon.forward.message import Message


def test_lines_of_json(tmp_path: Path) -> None:
    async def main() -> None:
        it = forwarder(tmp_path / "deep" / "er" / "{site}.jsonl")
        await it.open()
        assert (await it.send([item(0), item(1)])).accepted == [0, 1]
        assert (await it.send([item(2)])).accepted == [0]
        await it.close()
        path = tmp_path / "deep/er/rathaus.jsonl"
        assert numbers(path) == [0, 1, 2]
        assert msgspec.json.decode(path.read_bytes().splitlines()[0], type=Message) == item(0).message

    asyncio.run(main())


def test_it_can_be_opened_again_and_appends(tmp_path: Path) -> None:
    async def main() -> None:
        it = forwarder(tmp_path / "f")
        for n in range(3):
            await it.open()
            await it.open()
            await it.send([item(n)])
            if n != 1:
                await it.close()
                await it.close()
        assert numbers(tmp_path / "f") == [0, 1, 2]

    asyncio.run(main())


def test_unopened_it_is_unavailable(tmp_path: Path) -> None:
    async def main() -> None:
        it = forwarder(tmp_path / "f")
        with pytest.raises(Unavailable, match="not open"):
            await it.send([item(0)])
        await it.close()

    asyncio.run(main())


def test_it_is_fsynced_before_it_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[tuple[str, int]] = []
    fsync = os.fsync

    def spy(fd: int) -> None:
        fsync(fd)
        synced.append((str(Path(f"/proc/self/fd/{fd}").readlink()), os.fstat(fd).st_size))

    monkeypatch.setattr(os, "fsync", spy)

    async def main() -> None:
        it = forwarder(tmp_path / "a" / "f")
        await it.open()
        assert [path for path, _ in synced] == [str(tmp_path), str(tmp_path / "a")]
        await it.send([item(0)])
        assert synced[-1] == (str(tmp_path / "a" / "f"), (tmp_path / "a" / "f").stat().st_size)
        await it.close()

    asyncio.run(main())


@pytest.mark.parametrize("keep", [0, 1, 3])
def test_rotation(tmp_path: Path, keep: int) -> None:
    async def main() -> None:
        it = forwarder(tmp_path / "f", rotate_bytes=4096, keep=keep)
        await it.open()
        for n in range(40):
            await it.send([item(n, 700)])
        await it.close()
        files = sorted(tmp_path.glob("*"), key=lambda p: int(p.suffix[1:] or 0))  # noqa: ASYNC240 - a test
        assert [p.name for p in files] == ["f", *(f"f.{n}" for n in range(1, keep + 1))]
        assert all(p.stat().st_size <= 4096 for p in files)
        seen = [n for p in reversed(files) for n in numbers(p)]
        assert seen == list(range(40 - len(seen), 40))
        if keep == 3:
            assert len(seen) > 9

    asyncio.run(main())


def test_a_batch_larger_than_a_file_is_written_whole(tmp_path: Path) -> None:
    async def main() -> None:
        it = forwarder(tmp_path / "f", rotate_bytes=4096, keep=2)
        await it.open()
        for n in range(3):
            await it.send([item(n, 20_000)])
        await it.close()
        assert [numbers(tmp_path / name) for name in ("f.2", "f.1", "f")] == [[0], [1], [2]]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("found", "left"),
    [
        (b"", b""),
        (b"{}\n", b"{}\n"),
        (b'{}\n{"id', b"{}\n"),
        (b'{"id', b""),
        (b"\n" + b"x" * 200_000, b"\n"),
        (b"x" * 65_536, b""),
        (b"{}\n" * 50_000 + b"x" * 65_535, b"{}\n" * 50_000),
    ],
)
def test_a_torn_last_line_is_mended(tmp_path: Path, found: bytes, left: bytes) -> None:
    async def main() -> None:
        path = tmp_path / "f"
        path.write_bytes(found)
        it = forwarder(path)
        await it.open()
        assert path.read_bytes() == left
        await it.send([item(7)])
        await it.close()
        assert path.read_bytes().startswith(left + b'{"id":"rathaus/0/7"')

    asyncio.run(main())


@pytest.mark.parametrize("bad", [{"rotate_bytes": 100}, {"keep": -1}, {"keep": 10_001}, {"compress": True}])
def test_config_refused(tmp_path: Path, bad: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        config(tmp_path, **bad)
