import asyncio
import errno
import fcntl
import os
import struct
import termios
from contextlib import suppress
from pathlib import Path

import pytest
import serial
import uvloop

from tests.drivers.fakes import Pty, advance, run
from torhaus.drivers.base import DriverGone
from torhaus.drivers.link import Link, open_link, parse_link
from torhaus.drivers.links.base import WRITE_S
from torhaus.drivers.links.serial import SerialLink, explain

TIOCGEXCL = 0x80045440


async def opened(port: Pty, query: str = "", idle_s: float = 0.0) -> Link:
    return await open_link(parse_link(f"serial://{port.path}{query}"), idle_s)


async def gone(url: str) -> str:
    with pytest.raises(DriverGone) as caught:
        await open_link(parse_link(url))
    return str(caught.value)


def test_bytes_both_ways() -> None:
    async def main() -> None:
        with Pty() as port:
            async with await opened(port) as link:
                port.send(b"\x1b\x00\xff\x11\x13\r\n")
                assert await link.read() == b"\x1b\x00\xff\x11\x13\r\n"
                port.send(b"abcd")
                assert [await link.read(3), await link.read(3)] == [b"abc", b"d"]
                await link.write(b"/?!\r\n\x00\xff")
                assert port.receive(7) == b"/?!\r\n\x00\xff"

    run(main())


def test_it_waits_for_the_first_byte() -> None:
    async def main() -> None:
        with Pty() as port:
            async with await opened(port) as link:
                reading = asyncio.create_task(link.read())
                await advance(3600)
                assert not reading.done()
                port.send(b"x")
                assert await reading == b"x"

    run(main())


def test_under_uvloop_too() -> None:
    async def main() -> None:
        with Pty() as port:
            async with await opened(port) as link:
                for n in range(20):
                    port.send(bytes([n]))
                    assert await link.read() == bytes([n])
                    await link.write(bytes([n]))
                    assert port.receive(1) == bytes([n])
                reading = asyncio.create_task(link.read())
                await asyncio.sleep(0)
                port.unplug()
                with pytest.raises(DriverGone):
                    await reading

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


def test_the_line_is_set_as_the_url_says() -> None:
    async def main() -> None:
        with Pty() as port:
            async with await opened(port, "?baud=2400&parity=E&bytesize=8&stopbits=2&rtscts=1") as link:
                _, _, cflag, lflag, ispeed, ospeed, control = port.settings()
                assert ispeed == ospeed == termios.B2400
                assert isinstance(link, SerialLink)
                assert (link._port.parity, link._port.bytesize) == ("E", 8)  # a pty has no parity of its own
                assert cflag & termios.CSTOPB
                assert cflag & termios.CRTSCTS
                assert not lflag & (termios.ICANON | termios.ECHO | termios.ISIG)
                assert control[termios.VMIN] in {1, b"\x01"}
                assert link.sets_baud
                await link.set_baud(9600)
                assert port.settings()[4] == termios.B9600
                assert port.settings()[6][termios.VMIN] in {1, b"\x01"}
                await link.set_baud(12_345)  # a rate without a name
                port.send(b"x")
                assert await link.read() == b"x"

    run(main())


def test_nobody_else_may_open_it() -> None:
    async def main() -> None:
        with Pty() as port:
            async with await opened(port) as link:
                assert struct.unpack("i", fcntl.ioctl(port._slave, TIOCGEXCL, bytes(4))) == (1,)
                assert "in use by another program" in await gone(f"serial://{port.path}")
            assert struct.unpack("i", fcntl.ioctl(port._slave, TIOCGEXCL, bytes(4))) == (0,)
            await link.close()
            async with await opened(port, "?exclusive=0"):
                assert struct.unpack("i", fcntl.ioctl(port._slave, TIOCGEXCL, bytes(4))) == (0,)
                other = serial.Serial(port.path)
                other.close()

    run(main())


def test_an_unplugged_device_ends_the_read_under_way() -> None:
    async def main() -> None:
        port = Pty()
        async with await opened(port) as link:
            port.send(b"half a tele")
            assert await link.read() == b"half a tele"
            reading = asyncio.create_task(link.read())
            await advance(0)
            port.unplug()
            with pytest.raises(DriverGone, match="unplugged"):
                await reading
            with pytest.raises(DriverGone, match="unplugged"):
                await link.write(b"x")
            with pytest.raises(DriverGone):
                await link.set_baud(300)

    run(main())


def test_what_was_sent_before_the_loss_is_still_read_or_lost_but_never_an_empty_read() -> None:
    async def main() -> None:
        port = Pty()
        async with await opened(port) as link:
            port.send(b"last words")
            port.unplug()
            reads: list[bytes] = []
            with suppress(DriverGone):
                while len(reads) < 100:
                    reads.append(await link.read())
            assert reads in ([], [b"last words"])

    run(main())


def test_a_port_that_is_not_there_yet_is_found_later(tmp_path: Path) -> None:
    async def main() -> None:
        by_id = tmp_path / "usb-head#1"
        assert await gone(f"serial://{by_id}") == f"{by_id}: no such port; is the device plugged in?"
        with Pty() as port:
            by_id.symlink_to(port.path)
            async with await open_link(parse_link(f"serial://{by_id}")) as link:
                port.send(b"x")
                assert await link.read() == b"x"

    run(main())


def test_a_path_that_is_no_port(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert "not a serial port" in run(gone(f"serial://{tmp_path}/file"))
    assert "Is a directory" in run(gone(f"serial://{tmp_path}"))
    assert "no such port" in run(gone(f"serial://{tmp_path}/file/ttyUSB0"))


def test_a_port_without_permission_says_which_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ttyUSB0"
    path.touch()

    def refuse(name: str, *_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied", name)

    async def main() -> str:
        with monkeypatch.context() as patch:
            patch.setattr(os, "open", refuse)
            return await gone(f"serial://{path}")

    said = run(main())
    assert said.startswith(f"{path}: permission denied; add the user that torhaus runs as to group ")


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (OSError(errno.EACCES, "x"), "group dialout"),
        (OSError(errno.EPERM, "x"), "DeviceAllow="),
        (OSError(errno.EBUSY, "x"), "in use"),
        (OSError(errno.EIO, "x"), "unplugged"),
        (OSError(errno.ENODEV, "x"), "unplugged"),
        (OSError(errno.ENXIO, "x"), "unplugged"),
        (OSError(errno.EMFILE, "x"), "Too many open files"),
        (ValueError("odd"), "odd"),
        (termios.error(errno.EINVAL, "Invalid argument"), "does not take these settings"),
    ],
)
def test_faults_say_what_to_do(error: Exception, hint: str) -> None:
    assert hint in explain("/dev/none/ttyUSB0", error)


def test_closing_ends_a_read_under_way_and_frees_the_port() -> None:
    async def main() -> None:
        with Pty() as port:
            link = await opened(port)
            reading = asyncio.create_task(link.read())
            await advance(0)
            await link.close()
            with pytest.raises(DriverGone, match="closed"):
                await reading
            for call in (link.read(), link.write(b"x"), link.set_baud(300)):
                with pytest.raises(DriverGone, match="closed"):
                    await call
            await link.close()
            async with await opened(port):
                pass

    run(main())


def test_a_cancelled_read_loses_nothing() -> None:
    async def main() -> None:
        with Pty() as port:
            async with await opened(port) as link:
                reading = asyncio.create_task(link.read())
                await advance(0)
                reading.cancel()
                await asyncio.wait([reading])
                port.send(b"x")
                assert await link.read() == b"x"

    run(main())


def test_cancelled_while_opening_the_port_is_free_again() -> None:
    async def main() -> None:
        with Pty() as port:
            opening = asyncio.create_task(opened(port))
            await asyncio.sleep(0)
            opening.cancel()
            await asyncio.wait([opening])
            assert opening.cancelled()
            while fcntl.ioctl(port._slave, TIOCGEXCL, bytes(4)) != bytes(4):
                await asyncio.to_thread(lambda: None)
            async with await opened(port, "?exclusive=0"):
                pass

    run(main())


def test_a_line_that_does_not_move_is_gone() -> None:
    async def main() -> None:
        with Pty() as port:
            async with await opened(port) as link:
                writing = asyncio.create_task(link.write(bytes(60_000)))
                await advance(WRITE_S + 1)
                with pytest.raises(DriverGone, match="takes no data"):
                    await writing

    run(main())


def test_a_large_write_arrives_whole() -> None:
    async def main() -> None:
        data = os.urandom(60_000)
        with Pty() as port:
            async with await opened(port) as link:
                writing = asyncio.create_task(link.write(data))
                assert await asyncio.to_thread(port.receive, len(data)) == data
                await writing

    run(main())


def test_a_flood_leaves_others_their_turn() -> None:
    async def main() -> None:
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        with Pty() as port:
            async with await opened(port) as link:
                counting = asyncio.create_task(count())
                for n in range(50):
                    port.send(b"x")
                    await link.read()
                    assert turns > n
                counting.cancel()
                await asyncio.wait([counting])

    run(main())
