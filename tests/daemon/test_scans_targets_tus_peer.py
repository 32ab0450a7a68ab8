"""Against @tus/server (npm, MIT), which knows no checksums: what is altered on the way is seen when it is read back.

The peer is installed into build/ when npm is there and reaches its registry.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.daemon.scans_fakes import context
from tests.daemon.target_scene import DATA, SHA, parcel
from tests.npm import installed, node, serving
from torhaus.daemon.scans.targets.base import NotNow, Parcel, TargetDown
from torhaus.daemon.scans.targets.tus import Config, Tus

SCRIPT = Path(__file__).with_name("far_sides") / "tus_server.js"


@pytest.fixture(scope="module")
def packages() -> Path:
    """Where they are installed. Skips without node, npm or a way to its registry."""
    node()
    return installed("tus-server", "@tus/server@2.4.5", "@tus/file-store@2.1.1")


@contextlib.asynccontextmanager
async def line(to: int, *, flips: bool = False, cut_after: int | None = None) -> AsyncIterator[int]:
    """A connection in between that flips a bit of the first large piece, or is cut after so many bytes, once."""
    left = {"flip": flips, "cut": cut_after}

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, up: bool) -> None:
        sent = 0
        while data := await reader.read(2000):
            if up and left["flip"] and len(data) == 2000:
                data, left["flip"] = data[:-1] + bytes([data[-1] ^ 1]), False
            sent += len(data)
            if up and left["cut"] is not None and sent > left["cut"]:
                left["cut"] = None
                break
            writer.write(data)
            await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", to)
        with contextlib.suppress(OSError):
            async with asyncio.TaskGroup() as group:
                group.create_task(pump(reader, far_writer, True))
                group.create_task(pump(far_reader, writer, False))
        for each in (writer, far_writer):
            each.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def config(port: int) -> Config:
    return Config("tus", f"http://127.0.0.1:{port}/files", chunk_bytes=8192)


def test_what_arrives_is_read_back(packages: Path, tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(SCRIPT, str(packages), str(tmp_path / "store")) as port:
            target = Tus(config(port), context())
            assert await target.probe() == "tus 1.0.0, checksums of chunks: none"
            one = parcel(tmp_path)
            assert (await target.send(one)).stored_sha256 is None
            assert await target.stored(one) == SHA
            await target.close()

    asyncio.run(go())


def test_a_bit_that_was_flipped_on_the_way_is_seen(packages: Path, tmp_path: Path) -> None:
    async def go() -> None:
        store = str(tmp_path / "store")
        async with serving(SCRIPT, str(packages), store) as port, line(port, flips=True) as between:
            target = Tus(config(between), context())
            one = parcel(tmp_path)
            await target.send(one)
            assert await target.stored(one) not in {None, SHA}
            again = parcel(tmp_path)  # its way begins anew
            await target.send(again)
            assert await target.stored(again) == SHA
            await target.close()

    asyncio.run(go())


def test_a_line_that_is_cut_costs_no_byte_twice(packages: Path, tmp_path: Path) -> None:
    async def go() -> None:
        async with (
            serving(SCRIPT, str(packages), str(tmp_path / "store")) as port,
            line(port, cut_after=13_000) as between,
        ):
            target = Tus(config(between), context())
            one = parcel(tmp_path)
            with pytest.raises(TargetDown):
                await target.send(one)
            uploads = list(await asyncio.to_thread((tmp_path / "store").iterdir))
            await sent(target, parcel(tmp_path, progress=one.progress.text))
            assert await target.stored(one) == SHA
            assert len(DATA) == 16_000
            assert [p.name for p in uploads] == [p.name for p in await asyncio.to_thread((tmp_path / "store").iterdir)]
            await target.close()

    asyncio.run(go())


async def sent(target: Tus, one: Parcel) -> None:
    """The server may hold the cut upload for a moment."""
    for _ in range(100):
        try:
            await target.send(one)
        except (NotNow, TargetDown):
            await asyncio.sleep(0.05)
        else:
            return
    raise AssertionError("never taken")
