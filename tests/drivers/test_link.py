"""What holds for every link, whatever is behind the URL. Each body has its own tests besides (test_links_*.py)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from tests.drivers.fakes import ComPort, Device, Pty, run, tcp_device
from torhaus.drivers.base import DriverGone
from torhaus.drivers.link import READ_BYTES, open_link, parse_link

pytestmark = pytest.mark.filterwarnings(r"ignore:set(Daemon|Name)\(\):DeprecationWarning")
"""pyserial 3.5 calls Thread.setDaemon and Thread.setName."""

DATA = bytes(range(256)) * 4


class Far:
    """The device's end: say something, once on each connection, and go away."""

    def __init__(self, url: str, say: Callable[[bytes], Awaitable[None]], leave: Callable[[], None]) -> None:
        self.url = url
        self.say = say
        self.leave = leave


@asynccontextmanager
async def serial_port(tmp_path: Path) -> AsyncIterator[Far]:
    with Pty() as port:

        async def say(data: bytes) -> None:
            port.send(data)

        yield Far(f"serial://{port.path}", say, port.unplug)


@asynccontextmanager
async def tcp_port(tmp_path: Path) -> AsyncIterator[Far]:
    devices: asyncio.Queue[Device] = asyncio.Queue()
    spoken: list[Device] = []

    async def say(data: bytes) -> None:
        spoken.append(await devices.get())
        await spoken[-1].send(data)

    def leave() -> None:
        spoken[-1].half_close()

    async with tcp_device(devices.put) as port:
        yield Far(f"tcp://127.0.0.1:{port}", say, leave)


@asynccontextmanager
async def rfc2217_port(tmp_path: Path) -> AsyncIterator[Far]:
    ports: asyncio.Queue[ComPort] = asyncio.Queue()
    spoken: list[ComPort] = []

    async def serve(device: Device) -> None:
        port = ComPort(device)
        await ports.put(port)
        await port.serve()

    async def say(data: bytes) -> None:
        spoken.append(await ports.get())
        spoken[-1].send(data)

    def leave() -> None:
        spoken[-1].leave()

    async with tcp_device(serve) as number:
        yield Far(f"rfc2217://127.0.0.1:{number}", say, leave)


@asynccontextmanager
async def replay_file(tmp_path: Path) -> AsyncIterator[Far]:
    """All that will be said is in the file beforehand; it leaves at its end."""
    (tmp_path / "a.cap").write_text(f"0 {DATA.hex()}\n")

    async def say(data: bytes) -> None:
        assert data == DATA

    yield Far(f"replay:{tmp_path}/a.cap", say, lambda: None)


Place = Callable[[Path], AbstractAsyncContextManager[Far]]

every_link = pytest.mark.parametrize("place", [serial_port, tcp_port, rfc2217_port, replay_file])


@every_link
def test_what_is_said_is_read_in_order_and_a_loss_is_driver_gone(place: Place, tmp_path: Path) -> None:
    async def main() -> None:
        async with place(tmp_path) as far, await open_link(parse_link(far.url)) as link:
            await far.say(DATA)
            got = [await link.read(1)]
            while len(b"".join(got)) < len(DATA):
                got.append(await link.read(100))
            assert b"".join(got) == DATA
            assert len(got[0]) == 1
            assert all(1 <= len(piece) <= 100 for piece in got)
            far.leave()
            for _ in range(2):
                with pytest.raises(DriverGone):
                    await link.read()

    run(main())


@every_link
def test_closing_twice_is_once_and_reading_then_is_driver_gone(place: Place, tmp_path: Path) -> None:
    async def main() -> None:
        async with place(tmp_path) as far:
            link = await open_link(parse_link(far.url))
            await link.close()
            await link.close()
            with pytest.raises(DriverGone):
                await link.read()

    run(main())


@every_link
def test_it_can_be_opened_again(place: Place, tmp_path: Path) -> None:
    async def main() -> None:
        async with place(tmp_path) as far:
            for _ in range(3):
                async with await open_link(parse_link(far.url)) as link:
                    await far.say(DATA)
                    assert await link.read(READ_BYTES)

    run(main())


@pytest.mark.parametrize(
    "url",
    ["serial:///dev/torhaus-none", "tcp://127.0.0.1:1", "rfc2217://127.0.0.1:1", "replay:/nowhere/none.cap"],
)
def test_what_is_not_there_is_driver_gone(url: str) -> None:
    async def main() -> None:
        with pytest.raises(DriverGone) as caught:
            async with await open_link(parse_link(url)) as link:
                await link.read()
        assert 10 < len(str(caught.value)) < 200

    run(main())
