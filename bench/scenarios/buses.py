"""What it costs to ask: a bus of 60 M-Bus meters every quarter of an hour, 20 Modbus devices every minute.

The devices are in memory and the clock is moved by hand, so that hours are over in a moment: what is measured is the
driver's and the codec's CPU time, and whether anybody was missed.
"""

import asyncio
import struct
import time
from collections import defaultdict

import msgspec

from bench.scenario import Figures
from tests.drivers.fakes import SECOND_NS, FakeHost, run
from tests.drivers.mbus_fakes import FakeBus, Meter
from torhaus.codecs.meter.mbus.telegram import decode
from torhaus.drivers import mbus, modbus, polling
from torhaus.drivers.link import Link
from torhaus.drivers.polling import Asking

OPEN = "open_link"
QUARTERS = 8
METERS = 60
DEAD = 3
UNITS = 20
MINUTES = 60
RECORDS = bytes.fromhex("0c06785634120c13563412000b3b3412000b2d3412000a5a34020a5e1802046d0b0b1a3b")


class Units(Link):
    """Modbus/TCP units of which every register says its address."""

    def __init__(self) -> None:
        super().__init__("units")
        self._said = b""

    async def _read(self, max_bytes: int) -> bytes:  # noqa: ARG002 - as every link has it
        said, self._said = self._said, b""
        return said

    async def _write(self, data: bytes) -> None:
        transaction, unit, function, address, count = struct.unpack(">H4xBBHH", data)
        pdu = bytes((function, 2 * count)) + struct.pack(f">{count}H", *range(address, address + count))
        self._said = struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu

    async def close(self) -> None:
        """There is nothing to close."""


async def _drive(host: FakeHost, driver: Asking, link: Link, seconds: float) -> None:
    """So long by the host's clock."""

    async def opened(*_: object) -> Link:
        return link

    setattr(polling, OPEN, opened)
    end_ns = host.now_ns + int(seconds * SECOND_NS)
    running = asyncio.create_task(driver.run(host))
    while host.now_ns < end_ns and not running.done():  # noqa: ASYNC110 - time moves when the driver waits
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait([running])


def _figures(host: FakeHost, devices: list[str], period_s: int, slots: int, cpu_s: float) -> Figures:
    heard: dict[str, set[int]] = defaultdict(set)
    for frame in host.frames:
        heard[frame.device or ""].add(frame.at.wall_ns // (period_s * SECOND_NS))
    first = min(min(found) for found in heard.values()) + 1
    missed = sum(slot not in heard[name] for name in devices for slot in range(first, first + slots - 1))
    return {
        "readings": float(len(host.frames)),
        "cpu_us": cpu_s / len(host.frames) * 1e6,
        "slots_missed": float(missed),
    }


def _measured(driver: Asking, link: Link, host: FakeHost, seconds: float) -> float:
    keep, began = getattr(polling, OPEN), time.process_time()
    try:
        run(_drive(host, driver, link, seconds))
    finally:
        setattr(polling, OPEN, keep)
    return time.process_time() - began


def mbus_bus() -> Figures:
    """60 meters of which three are dead; what they say is decoded as well."""
    host = FakeHost()
    meters = [Meter(n, says=[RECORDS]) for n in range(METERS)]
    for n in range(DEAD):
        meters[n * 20].is_dead = True
    each = [{"device": f"m{n}", "address": n} for n in range(METERS)]
    config = msgspec.convert({"name": "bus", "link": "serial:///dev/none", "meter": each}, mbus.Config)
    cpu_s = _measured(mbus.open(config), FakeBus(meters, host), host, QUARTERS * 900)
    began = time.process_time()
    for frame in host.frames:
        decode(frame.data)
    cpu_s += time.process_time() - began
    alive = [f"m{n}" for n in range(METERS) if not meters[n].is_dead]
    return _figures(host, alive, 900, QUARTERS, cpu_s)


def modbus_bus() -> Figures:
    """20 devices with a ready map, asked every minute; what they say is decoded as well."""
    host = FakeHost()
    each = [{"device": f"m{n}", "unit": n + 1, "map": "eastron_sdm630"} for n in range(UNITS)]
    link = {"name": "bus", "link": "tcp://192.0.2.1:502", "interval_s": 60}
    driver = modbus.open(msgspec.convert(link | {"devices": each}, modbus.Config))
    cpu_s = _measured(driver, Units(), host, MINUTES * 60)
    began = time.process_time()
    for frame in host.frames:
        driver.decoders[frame.device or ""](frame.data, None)
    cpu_s += time.process_time() - began
    return _figures(host, [f"m{n}" for n in range(UNITS)], 60, MINUTES, cpu_s)
