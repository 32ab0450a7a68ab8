import asyncio
import socket

import pytest
import uvloop

from tests.drivers.fakes import Device, StillLoop, advance, run, tcp_device
from torhaus.drivers.base import DriverGone
from torhaus.drivers.link import Link, open_link, parse_link
from torhaus.drivers.links.base import WRITE_S
from torhaus.drivers.links.tcp import CONNECT_S, KEEPALIVE, MAX_UNREAD_BYTES, TcpLink


async def opened(port: int, idle_s: float = 0.0) -> Link:
    return await open_link(parse_link(f"tcp://127.0.0.1:{port}"), idle_s)


async def read_all(link: Link) -> tuple[bytes, str]:
    """Everything up to the loss, and what is said about it."""
    data = b""
    while True:
        try:
            piece = await link.read()
        except DriverGone as gone:
            return data, str(gone)
        assert piece
        data += piece


def test_bytes_both_ways() -> None:
    async def echo(device: Device) -> None:
        while data := await device.reader.read(100):
            await device.send(data)

    async def main() -> None:
        async with tcp_device(echo) as port, await opened(port) as link:
            assert not link.sets_baud
            for data in (b"/?!\r\n", b"\x00\xff"):
                await link.write(data)
                assert await link.read() == data
            with pytest.raises(ValueError, match="cannot be set"):
                await link.set_baud(300)

    run(main())
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


def test_byte_at_a_time_and_then_an_orderly_end() -> None:
    async def dribble(device: Device) -> None:
        await device.send(bytes(range(256)), each=1)
        device.half_close()

    async def main() -> None:
        async with tcp_device(dribble) as port, await opened(port) as link:
            data, why = await read_all(link)
            assert data == bytes(range(256))
            assert why == f"127.0.0.1:{port}: closed by the far side"

    run(main())


def test_a_reset_is_a_loss() -> None:
    async def reset(device: Device) -> None:
        await device.send(b"half")
        await device.reader.read(1)
        device.reset()

    async def main() -> None:
        async with tcp_device(reset) as port, await opened(port) as link:
            assert await link.read() == b"half"
            await link.write(b"!")
            data, why = await read_all(link)
            assert data == b""
            assert why == f"127.0.0.1:{port}: Connection reset by peer"

    run(main())


def test_writing_after_a_reset_is_a_loss() -> None:
    async def reset(device: Device) -> None:
        device.reset()

    async def main() -> None:
        async with tcp_device(reset) as port, await opened(port) as link:
            await read_all(link)
            with pytest.raises(DriverGone):
                await link.write(b"x")

    run(main())


def test_a_far_side_that_went_away_without_a_word_is_noticed_when_idle() -> None:
    async def mute(device: Device) -> None:
        """Half-open: nothing comes, and no end either."""

    async def main() -> None:
        async with tcp_device(mute) as port, await opened(port, idle_s=5) as link:
            reading = asyncio.create_task(link.read())
            await advance(6)
            with pytest.raises(DriverGone, match="silent for 5 s"):
                await reading

    run(main())


def test_the_kernel_watches_the_far_side() -> None:
    async def mute(device: Device) -> None: ...

    async def main() -> None:
        async with tcp_device(mute) as port, await opened(port) as link:
            assert isinstance(link, TcpLink)
            sock = link._writer.get_extra_info("socket")
            for level, option, value in KEEPALIVE:
                assert sock.getsockopt(level, option) == value

    run(main())


def test_nobody_listens() -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        with pytest.raises(DriverGone) as caught:
            await opened(port)
        assert str(caught.value) == f"127.0.0.1:{port}: Connection refused"

    run(main())


def test_a_name_that_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    async def lookup(*_: object, **__: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async def main() -> None:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", lookup)
        with pytest.raises(DriverGone, match=r"^nobody\.invalid:1: Name or service not known$"):
            await open_link(parse_link("tcp://nobody.invalid:1"))

    run(main())


def test_no_answer_at_all() -> None:
    async def main() -> None:
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            port = full.getsockname()[1]
            fillers = [socket.socket() for _ in range(4)]  # the backlog is full: further SYNs get no answer
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(("127.0.0.1", port))
            opening = asyncio.create_task(opened(port))
            await advance(CONNECT_S + 1)
            with pytest.raises(DriverGone, match="no answer within 10 s"):
                await opening
            for filler in fillers:
                filler.close()

    run(main())


def test_what_nobody_reads_waits_at_the_far_side() -> None:
    async def flood(device: Device) -> None:
        device.writer.transport.set_write_buffer_limits(0)
        while True:
            await device.send(bytes(65_536))

    async def main() -> None:
        async with tcp_device(flood) as port, await opened(port) as link:
            assert isinstance(link, TcpLink)
            for _ in range(500):
                await asyncio.sleep(0)
            assert len(link._reader._buffer) <= 2 * MAX_UNREAD_BYTES + 262_144  # type: ignore[attr-defined]
            assert len(await link.read(10)) == 10

    run(main())


def test_a_far_side_that_takes_nothing_is_gone_and_closing_does_not_hang() -> None:
    async def deaf(device: Device) -> None:
        device.writer.transport.pause_reading()  # type: ignore[attr-defined]

    async def main() -> None:
        async with tcp_device(deaf) as port, await opened(port) as link:

            async def pour() -> None:
                while True:
                    await link.write(bytes(65_536))

            pouring = asyncio.create_task(pour())
            for _ in range(50):
                await advance(0)
            await advance(WRITE_S + 1)
            with pytest.raises(DriverGone, match="takes no data"):
                await pouring
            closing = asyncio.create_task(link.close())
            await advance(60)
            await closing

    run(main())


def test_closing_ends_a_read_under_way() -> None:
    async def mute(device: Device) -> None: ...

    async def main() -> None:
        async with tcp_device(mute) as port:
            link = await opened(port)
            reading = asyncio.create_task(link.read())
            await advance(0)
            await link.close()
            with pytest.raises(DriverGone):
                await reading
            with pytest.raises(DriverGone):
                await link.read()
            await link.close()

    run(main())


def test_the_loop_of_these_tests_stands_still() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, StillLoop)
        before = loop.time()
        await advance(5)
        assert loop.time() == before + 5

    run(main())
