"""Receivers on a serial port of the kernel: noise, half messages, one that says nothing, one that is unplugged."""

import asyncio
import os
import select
import threading
from collections.abc import Callable
from typing import Literal

import pytest

from tests.codecs.test_framing_imst_hci import told
from tests.codecs.wmbus_fakes import Meter
from tests.drivers.fakes import FakeHost, Pty
from torhaus.codecs.framing import amber_serial, imst_hci
from torhaus.codecs.framing.seeking import SeekingFramer
from torhaus.codecs.framing.wmbus import Heard
from torhaus.codecs.model import DecodeError, Reject, RejectReason, Stamp
from torhaus.drivers import wmbus
from torhaus.drivers.base import DriverGone, LinkChanged

ONE, TWO = Meter().plain(), Meter("87654321").mode_5()


class Stick:
    """The far end of the port: confirms what it is told, and then says `noise` and telegrams once."""

    def __init__(self, framer: SeekingFramer, answer: Callable[[bytes], bytes], says: list[bytes], last: int) -> None:
        self._framer = framer
        self._answer = answer
        self._says = says
        self._last = last

    def _is_last(self, request: bytes) -> bool:
        """Whether the receiver is set up with it."""
        return self._last in request[1:3]

    def serve(self, port: Pty) -> None:
        while True:
            try:
                # not blocked in a read: that would keep the port open when it is unplugged
                data = os.read(port.fd, 300) if select.select([port.fd], [], [], 0.02)[0] else b""
                for piece in self._framer.feed(data):
                    if isinstance(piece, bytes):
                        os.write(port.fd, self._answer(piece))
                        if self._is_last(piece):
                            for part in self._says:
                                os.write(port.fd, part)
            except (OSError, ValueError):  # it was unplugged
                return


def amber_host() -> SeekingFramer:
    """Cuts what is sent to the module, whose commands have no mark of a confirmation."""

    def size(data: bytes | bytearray) -> int | None:
        return None if data[0] != 0xFF else 4 if len(data) < 3 else 4 + data[2]

    return SeekingFramer(amber_serial.MAX_FRAME, size, lambda _: None)


def imst() -> Stick:
    def answer(request: bytes) -> bytes:
        asked = imst_hci.unwrap(request)
        assert (asked.endpoint, asked.number) == (imst_hci.DEVICE, imst_hci.SET_CONFIG)
        return b"\x00\xa5" + imst_hci.build(imst_hci.DEVICE, imst_hci.CONFIG_SET, b"\0")

    good = told(ONE[1:])
    says = [b"noise \xa5\x42\x03\xff", good, told(TWO[1:], time=True)[:9], told(ONE[1:], crc=False), told(TWO[1:])]
    return Stick(imst_hci.ImstFramer(), answer, says, imst_hci.SET_CONFIG)


def amber() -> Stick:
    settings = {amber_serial.COMMANDS_OUT: 1, amber_serial.RSSI: 1}

    def answer(request: bytes) -> bytes:
        command, payload = request[1], request[3:-1]
        said = bytes((payload[0], 1, settings[payload[0]])) if command == amber_serial.GET else b"\0"
        return b"\xff\x00" + amber_serial.build(command | amber_serial.CONFIRM, said)

    good, other = (amber_serial.build(amber_serial.TELEGRAM, t[1:] + b"\xe0") for t in (ONE, TWO))
    return Stick(
        amber_host(),
        answer,
        [b"noise \xff\x03", good, other[:9], good[:-1] + b"\x00", good, other],
        amber_serial.SET_MODE,
    )


@pytest.mark.parametrize(("receiver", "make"), [("im871a", imst), ("amb8465", amber)])
def test_bad_manners(receiver: Literal["im871a", "amb8465"], make: Callable[[], Stick]) -> None:
    async def main(port: Pty) -> FakeHost:
        host = FakeHost()
        driver = wmbus.open(wmbus.Config(name="w", link=f"serial://{port.path}", receiver=receiver, mode="T1"))
        running = asyncio.create_task(driver.run(host))
        async with asyncio.timeout(20):
            await host.until_frames(3)
            port.unplug()
            with pytest.raises(DriverGone):
                await running
        return host

    with Pty() as port:
        threading.Thread(target=make().serve, args=(port,), daemon=True).start()
        host = asyncio.run(main(port))
    assert [frame.data for frame in host.frames].count(TWO) == 1
    assert {frame.data for frame in host.frames} == {ONE, TWO}
    assert host.rejects
    assert [event.up for event in host.events if isinstance(event, LinkChanged)] == [True, False]


def test_a_receiver_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wmbus, "GREETING_S", 0.05)

    async def main(port: Pty) -> FakeHost:
        host = FakeHost()
        driver = wmbus.open(wmbus.Config(name="w", link=f"serial://{port.path}", receiver="im871a"))
        with pytest.raises(DriverGone, match="no answer of a receiver im871a within"):
            await driver.run(host)
        return host

    with Pty() as port:
        host = asyncio.run(main(port))
    assert [event.up for event in host.events if isinstance(event, LinkChanged)] == [False]


class Choosy:
    """A directory that takes one meter's telegrams, and finds others to be none."""

    def judge(self, heard: Heard, at: Stamp) -> wmbus.Verdict:
        if heard.telegram == ONE:
            return wmbus.Verdict(is_kept=True, device="own")
        if heard.telegram == TWO:
            return wmbus.Verdict(is_kept=False)
        raise DecodeError(RejectReason.SHORT, "none")


def test_the_directory_says_what_is_kept() -> None:
    short = "0944" + "00" * 8

    async def main(port: Pty) -> FakeHost:
        host = FakeHost()
        driver = wmbus.open(wmbus.Config(name="w", link=f"serial://{port.path}", receiver="lines"))
        driver.directory = Choosy()
        running = asyncio.create_task(driver.run(host))
        async with asyncio.timeout(20):
            await host.until_events(1)
            port.send(f"{TWO.hex()}\nrtl_sdr: hello\n{short}\n{ONE.hex()}\n".encode())
            await host.until_frames(1)
            async with driver.taken():
                with pytest.raises(DriverGone):
                    await running
        return host

    with Pty() as port:
        host = asyncio.run(main(port))
    assert [(frame.device, frame.data) for frame in host.frames] == [("own", ONE)]
    assert [(r.data, r.reason) for r in host.rejects] == [
        (b"rtl_sdr: hello", RejectReason.SYNTAX),
        (bytes.fromhex(short), RejectReason.SHORT),
    ]
    assert all(isinstance(reject, Reject) for reject in host.rejects)
