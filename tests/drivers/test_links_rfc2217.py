import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from tests.drivers.fakes import ComPort, Device, advance, run, tcp_device
from torhaus.drivers.base import DriverGone
from torhaus.drivers.link import Link, open_link, parse_link
from torhaus.drivers.links.rfc2217 import MAX_BUFFER_BYTES, Inbox, Rfc2217Link

pytestmark = pytest.mark.filterwarnings(r"ignore:set(Daemon|Name)\(\):DeprecationWarning")
"""pyserial 3.5 calls Thread.setDaemon and Thread.setName."""


@asynccontextmanager
async def remote(query: str = "", idle_s: float = 0.0) -> AsyncIterator[tuple[Link, ComPort]]:
    """A port behind RFC 2217 and the link to it."""
    ports: list[ComPort] = []

    async def serve(device: Device) -> None:
        ports.append(ComPort(device))
        await ports[0].serve()

    async with (
        tcp_device(serve) as number,
        await open_link(parse_link(f"rfc2217://127.0.0.1:{number}{query}"), idle_s) as link,
    ):
        yield link, ports[0]


async def turns(condition: Callable[[], bool]) -> None:
    """Let threads and loop work until something is true."""
    while not condition():
        await asyncio.to_thread(lambda: None)


def test_bytes_both_ways_with_settings() -> None:
    async def main() -> None:
        async with remote("?baud=2400&parity=E&bytesize=7&stopbits=2") as (link, far):
            assert (far.port.baudrate, far.port.parity, far.port.bytesize, far.port.stopbits) == (2400, "E", 7, 2)
            far.send(b"\x1b\xff\x00\xff\xff\r\n")
            data = b""
            while len(data) < 7:
                data += await link.read()
            assert data == b"\x1b\xff\x00\xff\xff\r\n"
            await link.write(b"/?!\r\n\xff")
            await turns(lambda: bytes(far.received) == b"/?!\r\n\xff")
            assert link.sets_baud
            await link.set_baud(9600)
            assert far.port.baudrate == 9600

    run(main())


def test_telnet_of_its_own_making_does_no_harm() -> None:
    async def main() -> None:
        async with remote() as (link, far):
            far.send_raw(b"a\xff\xf0b\xff\xfa\xff\xf0c\xff\xfb\x63d\xff\xfa" + b"x" * 5000 + b"\xff\xf0e")
            data = b""
            while len(data) < 5:
                data += await link.read()
            assert data == b"abcde"

    run(main())


def test_the_far_side_leaves() -> None:
    async def main() -> None:
        async with remote() as (link, far):
            far.send(b"half a tele")
            far.leave()
            data = b""
            with pytest.raises(DriverGone, match="closed by the far side"):  # noqa: PT012
                while True:
                    data += await link.read()
            assert data == b"half a tele"

    run(main())


def test_silence_and_reset() -> None:
    async def main() -> None:
        async with remote(idle_s=5) as (link, far):
            reading = asyncio.create_task(link.read())
            await advance(6)
            with pytest.raises(DriverGone, match="silent for 5 s"):
                await reading
            far._device.reset()
            with pytest.raises(DriverGone, match="Connection reset"):
                await link.read()
            with pytest.raises(DriverGone):
                await link.write(b"x")

    run(main())


def test_what_nobody_reads_waits_at_the_far_side() -> None:
    async def main() -> None:
        async with remote() as (link, far):
            assert isinstance(link, Rfc2217Link)
            inbox = link._inbox
            far.send_raw(bytes(1_000_000))
            await turns(lambda: len(inbox._data) >= MAX_BUFFER_BYTES)
            assert len(inbox._data) < MAX_BUFFER_BYTES + 4096
            got = 0
            while got < 1_000_000:
                got += len(await link.read())
            assert got == 1_000_000

    run(main())


def test_closing_while_the_reader_waits_for_room() -> None:
    async def main() -> None:
        async with remote() as (link, far):
            assert isinstance(link, Rfc2217Link)
            inbox = link._inbox
            far.send_raw(bytes(1_000_000))
            await turns(lambda: len(inbox._data) >= MAX_BUFFER_BYTES)
            await link.close()
            await link.close()
            for call in (link.write(b"x"), link.set_baud(300)):
                with pytest.raises(DriverGone, match="closed"):
                    await call
            with pytest.raises(DriverGone, match="closed"):  # noqa: PT012
                for _ in range(100):
                    await link.read()

    run(main())
    assert not [thread for thread in threading.enumerate() if "RFC 2217" in thread.name]


def test_a_plain_converter_is_told_apart() -> None:
    async def plain(device: Device) -> None:
        await device.send(b"\xff\xfe\x2c\xff\xfc\x2c\xff\xfc\x00\xff\xfe\x00")  # refuses COM port control and binary

    async def main() -> None:
        async with tcp_device(plain) as port:
            with pytest.raises(DriverGone) as caught:
                await open_link(parse_link(f"rfc2217://127.0.0.1:{port}"))
            assert str(caught.value).startswith(f"127.0.0.1:{port}: ")

    run(main())


def test_nobody_listens() -> None:
    async def leave(device: Device) -> None: ...

    async def main() -> None:
        async with tcp_device(leave) as port:
            pass
        with pytest.raises(DriverGone, match="no connection"):
            await open_link(parse_link(f"rfc2217://127.0.0.1:{port}"))

    run(main())


def test_cancelled_while_opening_nothing_is_left() -> None:
    met = asyncio.Event()

    async def mute(device: Device) -> None:
        met.set()
        await device.reader.read()

    async def main() -> None:
        async with tcp_device(mute) as port:
            opening = asyncio.create_task(open_link(parse_link(f"rfc2217://127.0.0.1:{port}")))
            await met.wait()
            opening.cancel()
            with suppress(asyncio.CancelledError):
                await opening
            assert opening.cancelled()
            await turns(lambda: not [t for t in threading.enumerate() if "RFC 2217" in t.name])

    run(main())


def test_the_inbox_hands_over_in_order_and_says_why_it_ended() -> None:
    async def main() -> None:
        inbox = Inbox(asyncio.get_running_loop(), "port")
        getting = asyncio.create_task(inbox.get(10))
        await asyncio.to_thread(inbox.put, b"abc")
        assert await getting == b"abc"
        inbox.put(b"defg")
        inbox.end("first")
        inbox.end("second")
        inbox.put(b"too late")
        assert [await inbox.get(3), await inbox.get(3)] == [b"def", b"g"]
        with pytest.raises(DriverGone, match="port: first"):
            await inbox.get(3)
        inbox.clear()

    run(main())
