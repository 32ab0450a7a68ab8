"""Devices on serial ports of the kernel, with the manners that the test asks for, and the daemon's side of a driver."""

import asyncio
import logging
import os
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import sleep
from typing import Any

from tests.codecs.test_framing_iec62056 import p1
from tests.codecs.test_framing_imst_hci import told
from tests.codecs.test_framing_modbus import rtu
from tests.codecs.test_text_nmea import gga
from tests.codecs.wmbus_fakes import Meter as AirMeter
from tests.drivers import mbus_fakes
from tests.drivers.fakes import Pty, StillLoop
from tests.drivers.test_iec62056_pty import DATA, LINE
from tests.drivers.test_listener import telegram
from torhaus.codecs.framing import imst_hci
from torhaus.codecs.framing.iec62056 import acknowledge, sign_on
from torhaus.codecs.framing.mbus import MbusFramer
from torhaus.codecs.model import Frame, Stamp
from torhaus.daemon.driver_host import DriverHost
from torhaus.daemon.supervise import Backoff, keep_running
from torhaus.daemon.watch import DRIVER, Watch
from torhaus.drivers import barcode, dsmr, iec62056, line, mbus, modbus, nmea, sml, wmbus
from torhaus.drivers.base import Answer, Delivery, Driver, Event, LinkChanged

STEP_S = 0.005
"""How far time moves at once, while nobody is known to sleep."""
GRACE_S = 0.0003
"""Of real time for each step: the kernel hands bytes over, and ports are opened, in threads of their own."""
TELEGRAM = AirMeter().plain()
Manner = Callable[[bytes, bytes], list[bytes]]
"""What is asked and what would be answered to what is sent, in pieces. An empty piece: pulled there and then."""


def good(_: bytes, answer: bytes) -> list[bytes]:
    return [answer]


class Far:
    """A device. `hears`: its answer to what has come; None while that is not all. `says`: what it pushes, at once."""

    def __init__(self, says: bytes = b"", hears: Callable[[bytes], bytes | None] | None = None) -> None:
        self.says = says
        self._hears = hears
        self.manners: list[Manner] = []
        self.asked = b""

    def heard(self, data: bytes) -> list[bytes]:
        """What it sends when these bytes come."""
        self.asked += data
        answer = self._hears(self.asked) if self._hears else None
        if answer is None:
            return []
        asked, self.asked = self.asked, b""
        return [answer] if self.says else self.with_manners(asked, answer)

    def with_manners(self, asked: bytes, answer: bytes) -> list[bytes]:
        """The next manner is used up by an answer that there is."""
        manner = self.manners.pop(0) if self.manners and answer else good
        return manner(asked, answer)


def d0() -> Far:
    answers = {sign_on(): LINE, acknowledge("5"): DATA}
    return Far(hears=lambda asked: next((a for q, a in answers.items() if asked.endswith(q)), None))


def wired() -> Far:
    meter = mbus_fakes.Meter(5)

    def hears(asked: bytes) -> bytes | None:
        found = [piece for piece in MbusFramer().feed(asked) if isinstance(piece, bytes)]
        return meter.hears(found[-1]) if found else None

    return Far(hears=hears)


def registers() -> Far:
    pdu = bytes((3, 4)) + b"\x00\x01\x00\x02"
    return Far(hears=lambda asked: rtu(3, pdu) if asked.endswith(rtu(3, b"\x03\x00\x07\x00\x02")) else None)


def stick() -> Far:
    confirmed = b"\x00\xa5" + imst_hci.build(imst_hci.DEVICE, imst_hci.CONFIG_SET, b"\0")
    return Far(told(TELEGRAM[1:]), lambda asked: confirmed if len(asked) > 4 else None)


def drivers(folder: Path) -> dict[str, tuple[Callable[[str], Driver], Callable[[], Far]]]:
    """By protocol: how its driver is opened on a link, and the far end."""
    map_file = folder / "map.toml"
    text = 'name = "t"\nsource = "own work"\nregister = [{ field = "energy", address = 7, type = "uint32" }]'
    map_file.write_text(text, "utf-8")
    unit = modbus.BusDevice(device="m", unit=3, map_file=str(map_file))
    many: dict[str, Any] = {"name": "bus", "interval_s": 1, "align": False}
    one: dict[str, Any] = {"name": "bus", "device": "m"}
    return {
        "sml": (lambda link: sml.open(sml.Config(link=link, **one)), lambda: Far(telegram(7))),
        "dsmr": (lambda link: dsmr.open(dsmr.Config(link=link, **one)), lambda: Far(p1(1) + p1(2))),
        "line": (
            lambda link: line.open(line.Config(link=link, pattern=r"(?P<weight>\d+\.\d+) kg", **one)),
            lambda: Far(b"12.50 kg\r\n"),
        ),
        "barcode": (
            lambda link: barcode.open(barcode.Config(link=link, **one)),
            lambda: Far(b"4006381333931\r"),
        ),
        "nmea": (
            lambda link: nmea.open(nmea.Config(link=link, **one)),
            lambda: Far(gga(1) + b"\r\n" + gga(2) + b"\r\n"),
        ),
        "wmbus lines": (
            lambda link: wmbus.open(wmbus.Config(name="bus", link=link, receiver="lines", keep_unknown=True)),
            lambda: Far(TELEGRAM.hex().encode() + b"\n"),
        ),
        "wmbus im871a": (
            lambda link: wmbus.open(wmbus.Config(name="bus", link=link, receiver="im871a", mode="T1")),
            stick,
        ),
        "iec62056": (
            lambda link: iec62056.open(
                iec62056.Config(link=f"{link}?parity=N&bytesize=8", device="m", timeout_s=1, retries=2, **many)
            ),
            d0,
        ),
        "mbus": (
            lambda link: mbus.open(
                mbus.Config(link=f"{link}?parity=N", meter=(mbus.Meter(device="m", address=5),), timeout_s=1, **many)
            ),
            wired,
        ),
        "modbus": (
            lambda link: modbus.open(modbus.Config(link=f"{link}?parity=N", devices=(unit,), timeout_s=1, **many)),
            registers,
        ),
    }


class LoopClock:
    """Time is the loop's, which only moves when nothing else is to be done."""

    boot_id = "b" * 32

    def __init__(self) -> None:
        self.asleep_until_s = 0.0

    def boot_ns(self) -> int:
        return round(asyncio.get_running_loop().time() * 1e9)

    def wall_ns(self) -> int:
        return 1_795_000_000 * 10**9 + self.boot_ns()

    def synced(self) -> bool:
        return True

    def stamp(self) -> Stamp:
        return Stamp(self.wall_ns(), self.boot_ns(), synced=True)

    async def sleep(self, seconds: float) -> None:
        self.asleep_until_s = asyncio.get_running_loop().time() + seconds
        await asyncio.sleep(seconds)


class Cellar:
    """A driver under supervision, and its device on a port that can be pulled. `link`: what the driver opens."""

    def __init__(self, folder: Path, make: Callable[[str], Driver], far: Far) -> None:
        self.clock = LoopClock()
        self.watch = Watch(0)
        self.watch.driver("bus")
        self.far = far
        self.frames: list[Frame] = []
        self.rejects = 0
        self._path = folder / "usb-head"
        self.driver = make(f"serial://{self._path}")
        self._port: Pty | None = None
        self._host = DriverHost(self._accept, self, self.clock, "bus")
        self.backoff = Backoff(rand=lambda: 1.0)

    def _accept(self, _: str, deliveries: list[Delivery], answer: Answer) -> None:
        for frames, rejects, ticket, _stats in deliveries:
            self.frames += frames
            self.rejects += len(rejects)
            if ticket is not None:
                asyncio.get_running_loop().call_soon(answer, [ticket], True)

    def event(self, driver: str, event: Event) -> None:
        self.watch.event(driver, event)
        if isinstance(event, LinkChanged) and event.up and self.far.says:
            says = self.far.says
            self._send([*self.far.with_manners(b"", says), says, says])

    def acked(self, driver: str, seconds: float, count: int) -> None: ...

    def ack_withheld(self, driver: str) -> None: ...

    def _send(self, pieces: list[bytes]) -> None:
        for piece in pieces:
            if not piece:
                self.pull()
                return
            assert self._port is not None
            self._port.send(piece)

    @property
    def is_plugged(self) -> bool:
        """Whether the cable is in."""
        return self._port is not None

    def plug(self) -> None:
        """Put the cable in."""
        self._port = port = Pty()
        self._path.symlink_to(port.path)
        os.set_blocking(port.fd, False)

        def read() -> None:
            with suppress(BlockingIOError, OSError):
                self._send(self.far.heard(os.read(port.fd, 300)))

        asyncio.get_running_loop().add_reader(port.fd, read)

    def pull(self) -> None:
        """Pull the cable."""
        assert self._port is not None
        asyncio.get_running_loop().remove_reader(self._port.fd)
        self._path.unlink()
        self._port.unplug()
        self._port = None
        self.far.asked = b""

    async def until(self, condition: Callable[[], bool], limit_s: float) -> float:
        """Let time pass until something is the case; how much did. Fails after `limit_s`."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, StillLoop)
        began = loop.time()
        while True:
            for _ in range(8):
                await asyncio.sleep(0)
            await loop.run_in_executor(None, sleep, GRACE_S)
            if condition():
                return loop.time() - began
            assert loop.time() - began < limit_s, "not within its time"
            pause_s = self.clock.asleep_until_s - loop.time()
            loop.advance(pause_s if pause_s > 0 else STEP_S)

    def start(self) -> "asyncio.Task[None]":
        """Run the driver as the daemon does."""
        return asyncio.create_task(
            keep_running(f"{DRIVER}bus", lambda: self.driver.run(self._host), self.clock, self.watch, self.backoff)
        )


@contextmanager
def log_lines() -> Iterator[list[tuple[str, Any]]]:
    """What the daemon writes to its log meanwhile: the event, and whether something is up."""
    lines: list[tuple[str, Any]] = []

    class Notes(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append((record.getMessage(), getattr(record, "fields", {}).get("up")))

    logger, notes = logging.getLogger("torhaus"), Notes()
    level = logger.level
    logger.addHandler(notes)
    logger.setLevel(logging.INFO)
    try:
        yield lines
    finally:
        logger.removeHandler(notes)
        logger.setLevel(level)


def wrong_rate(data: bytes, seed: int = 7) -> bytes:
    """What is read of it at another rate: other bytes, and fewer or more of them."""
    rand = random.Random(seed)
    return bytes(rand.randrange(256) for _ in range(len(data) * 3 // 2))


def names() -> list[str]:
    """The protocols' names. Tests are collected by several processes at a time: each has a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return sorted(drivers(Path(folder)))
