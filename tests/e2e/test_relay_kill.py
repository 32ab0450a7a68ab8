"""Two relays of one daemon, which is killed again and again: each network server gets all that was acknowledged."""

import asyncio
from base64 import b64decode
from pathlib import Path

import pytest

from tests.daemon.gwmp_server import GwmpServer
from tests.e2e.site import Site, Subscriber, running, subscriber, wait_for
from tests.peers import free_port, mosquitto
from torhaus.daemon.demo.gateway import SimulatedGateway

DEVICES = 12
EUI = "aa555a0000000101"


def frame(device: int, fcnt: int) -> bytes:
    addr = (0x2601_0000 + device).to_bytes(4, "little")
    return b"\x40" + addr + b"\0" + fcnt.to_bytes(2, "little") + b"\1x" + b"mic!"


def forwarders(broker: int, server: int) -> str:
    return (
        f'[[forwarder]]\nname = "city"\ntype = "chirpstack"\nurl = "mqtt://127.0.0.1:{broker}"\nspacing_s = 0\n'
        f'[[forwarder]]\nname = "county"\ntype = "gwmp"\nserver = "127.0.0.1:{server}"\nack_timeout_s = 0.5\n'
    )


async def hear(site: Site, fcnts: range) -> list[bytes]:
    """A frame of every device with each counter; all are acknowledged."""
    gateway = SimulatedGateway(EUI)
    await gateway.open("127.0.0.1", site.udp)
    gateway.pull()
    sent = [[frame(device, fcnt) for device in range(DEVICES)] for fcnt in fcnts]
    for phys in sent:
        assert await gateway.push_acked(phys, 10)
    gateway.close()
    return [phy for phys in sent for phy in phys]


def check(came: list[bytes], sent: list[bytes]) -> None:
    """All of it, and each device's in the order of its counter: what comes again is no news to a network server."""
    first = list(dict.fromkeys(came))
    assert set(first) == set(sent)
    for device in range(DEVICES):
        addr = frame(device, 0)[1:5]
        counters = [int.from_bytes(phy[6:8], "little") for phy in first if phy[1:5] == addr]
        assert counters == sorted(counters)


def ups(sub: Subscriber) -> list[bytes]:
    return [b64decode(body["phyPayload"]) for body in sub.bodies]


@pytest.mark.timeout(120)
def test_what_was_acknowledged_reaches_both_networks(tmp_path: Path) -> None:
    broker = free_port()

    async def main() -> None:
        async with GwmpServer() as server:
            with running(Site(tmp_path, [], forwarders(broker, server.port)), start=False) as site:
                await asyncio.to_thread(site.start)
                sent = await hear(site, range(1, 6))  # the city's broker is away
                site.kill()
                with (
                    mosquitto(tmp_path, "max_queued_messages 0", port=broker),
                    subscriber(broker, "eu868/gateway/+/event/up") as sub,
                ):
                    for n in (6, 11):
                        await asyncio.to_thread(site.start)
                        sent += await hear(site, range(n, n + 5))
                        site.kill()
                    await asyncio.to_thread(site.start)
                    await asyncio.to_thread(
                        wait_for, lambda: {*ups(sub)} >= {*sent} and {*server.phys} >= {*sent}, "all came to both"
                    )
                    assert await asyncio.to_thread(site.stop) == 0
                    check(ups(sub), sent)
                check(server.phys, sent)

    asyncio.run(main())
