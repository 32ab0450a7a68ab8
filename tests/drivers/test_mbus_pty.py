"""The M-Bus driver on a serial port of the kernel, with a meter whose converter echoes."""

import asyncio
import os
import threading

import pytest

from tests.drivers.fakes import FakeHost, Pty
from tests.drivers.mbus_fakes import Meter
from torhaus.codecs.framing.mbus import MbusFramer
from torhaus.codecs.meter.mbus.telegram import decode
from torhaus.drivers import mbus
from torhaus.drivers.base import DriverGone, LinkChanged


def serve(port: Pty, meter: Meter) -> None:
    """Echo and answer until the port is gone."""
    framer = MbusFramer()
    while True:
        try:
            data = os.read(port.fd, 300)
            os.write(port.fd, data)
            for frame in framer.feed(data):
                if isinstance(frame, bytes):
                    os.write(port.fd, meter.hears(frame))
        except OSError:
            return


def test_read_and_unplugged() -> None:
    meter = Meter(5, says=[b"\x0c\x13\x01\x00\x00\x00\x1f", b"\x0c\x13\x02\x00\x00\x00"])
    meter.manners = [lambda a: a[:20], lambda a: a]  # the first time it stops half-way

    async def main(port: Pty) -> FakeHost:
        host = FakeHost()
        meters = (mbus.Meter(device="m", address="00000005ABCD0107"),)
        driver = mbus.open(
            mbus.Config(name="bus", link=f"serial://{port.path}", meter=meters, timeout_s=0.3, interval_s=1)
        )
        running = asyncio.create_task(driver.run(host))
        async with asyncio.timeout(20):
            await host.until_frames(2)
            port.unplug()
            with pytest.raises(DriverGone):
                await running
        return host

    with Pty() as port:
        threading.Thread(target=serve, args=(port, meter), daemon=True).start()
        host = asyncio.run(main(port))
    assert [decode(frame.data)["volume"].value for frame in host.frames[:2]] == [0.001, 0.002]
    assert [e.up for e in host.events if isinstance(e, LinkChanged)] == [True, False]
