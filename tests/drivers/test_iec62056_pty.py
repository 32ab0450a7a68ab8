"""A reading over a real serial port: the rate is changed while it is open."""

import asyncio
import os
import termios

from tests.drivers.fakes import FakeHost, Pty
from torhaus.codecs.framing.iec62056 import acknowledge, bcc, sign_on
from torhaus.codecs.meter.iec62056 import decode
from torhaus.drivers import iec62056
from torhaus.drivers.base import DeviceChanged, LinkChanged

BODY = b"F.F(00)\r\n1.8.0(0012345.678*kWh)\r\n!\r\n\x03"
LINE, DATA = b"/TOR5CELLAR1\r\n", b"\x02" + BODY + bytes((bcc(BODY),))


def test_from_300_to_9600_and_back() -> None:
    """8N1: a pty has no parity."""

    async def main() -> FakeHost:
        host, heard, rates = FakeHost(), bytearray(), list[int]()
        with Pty() as port:

            def meter() -> None:
                heard.extend(os.read(port.fd, 100))
                for said, answer in ((sign_on(), LINE), (acknowledge("5"), DATA)):
                    if heard.endswith(said):
                        rates.append(port.settings()[4])
                        port.send(answer)

            asyncio.get_running_loop().add_reader(port.fd, meter)
            config = iec62056.Config(
                name="strom", link=f"serial://{port.path}?parity=N&bytesize=8", device="zaehler", interval_s=1
            )
            running = asyncio.create_task(iec62056.open(config).run(host))
            async with asyncio.timeout(20):
                await host.until_frames(2)
            assert port.settings()[4] == termios.B9600
            running.cancel()
            await asyncio.wait([running])
            asyncio.get_running_loop().remove_reader(port.fd)
        assert rates[0] == rates[2] == termios.B300, "each reading begins at the first rate"
        return host

    host = asyncio.run(main())
    assert decode(host.frames[0].data)["1.8.0"].value == 12345.678
    assert host.rejects == []
    assert host.events[:2] == [LinkChanged(up=True), DeviceChanged("zaehler", up=True)]
