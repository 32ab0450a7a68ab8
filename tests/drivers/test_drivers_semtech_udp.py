"""The GWMP driver over real UDP on loopback; the daemon's side is a host that commits when the test says so."""

import asyncio
import errno
import socket
from typing import Any

import pytest

from tests.drivers.fakes import SECOND_NS, run
from tests.drivers.gwmp_fakes import EUI, OTHER, PHY, Forwarder, Host, config, running, settle_loop
from torhaus.codecs.framing import semtech_udp as gwmp
from torhaus.codecs.model import RejectReason
from torhaus.daemon.demo.gateway import push_data, stat
from torhaus.drivers import semtech_udp
from torhaus.drivers.base import DriverGone, GatewaySeen, GatewayStats, LinkChanged


@pytest.mark.parametrize("version", [1, 2])
def test_acknowledged_once_it_is_on_disk_and_not_before(version: int) -> None:
    async def main() -> None:
        host = Host()
        async with running(host) as (driver, forwarder):
            forwarder.send(push_data(EUI, version, 0xABCD, [PHY], tmst=77))
            await host.until(1)
            await settle_loop()
            assert forwarder.nothing_came()
            assert host.acks == []
            (frame,) = host.frames
            assert (frame.driver, frame.data, frame.device, frame.stranger) == ("roof", PHY, None, None)
            assert frame.at == host.stamp()
            assert frame.radio is not None
            assert [(r.gateway, r.tmst_us) for r in frame.radio.rx] == [(EUI, 77)]
            host.now_ns += 3 * SECOND_NS  # a slow card: the ack is late, sent all the same, and the delay is told
            host.settle()
            assert await forwarder.answer() == bytes((version, 0xAB, 0xCD, gwmp.PUSH_ACK))
            assert host.acks == [3.0]
            assert host.withheld == 0
            assert driver.port != 0
        seen = [e for e in host.events if isinstance(e, GatewaySeen)]
        assert seen == [GatewaySeen(EUI, "127.0.0.1", f"gwmp{version}", known=True)]

    run(main())


def test_never_acknowledged_when_it_could_not_be_stored() -> None:
    async def main() -> None:
        host = Host()
        async with running(host) as (_, forwarder):
            forwarder.send(push_data(EUI, 2, 1, [PHY]))
            await host.until(1)
            host.settle(stored=False)
            forwarder.send(push_data(EUI, 2, 2, [PHY]))
            await host.until(2)
            host.settle()
            assert await forwarder.answer() == bytes((2, 0, 2, gwmp.PUSH_ACK))
            assert forwarder.nothing_came()
            assert (host.withheld, len(host.acks)) == (1, 1)

    run(main())


def test_each_datagram_has_its_own_acknowledgement() -> None:
    async def main() -> None:
        host = Host()
        async with running(host) as (_, forwarder):
            for token in range(20):
                forwarder.send(push_data(EUI, 2, token, [PHY, PHY]))
            await host.until(20)
            host.settle()
            assert {(await forwarder.answer())[2] for _ in range(20)} == set(range(20))
            assert len(host.frames) == 40

    run(main())


def test_pull_data_is_answered_at_once_and_stores_nothing() -> None:
    async def main() -> None:
        host = Host()
        async with running(host) as (_, forwarder):
            forwarder.send(b"\x02\x12\x34\x02" + bytes.fromhex(EUI))
            assert await forwarder.answer() == b"\x02\x12\x34\x04"
            forwarder.send(b"\x02\x12\x34\x05" + bytes.fromhex(EUI) + b'{"txpk_ack":{"error":"NONE"}}')
            forwarder.send(b"\x01\x12\x35\x02" + bytes.fromhex(EUI))
            assert await forwarder.answer() == b"\x01\x12\x35\x04"
            assert host.deliveries == 0

    run(main())


def test_an_empty_push_needs_no_disk() -> None:
    async def main() -> None:
        host = Host()
        async with running(host) as (_, forwarder):
            forwarder.send(b"\x02\x00\x07\x00" + bytes.fromhex(EUI) + b'{"rxpk":[]}')
            assert await forwarder.answer() == b"\x02\x00\x07\x01"
            assert (host.deliveries, host.acks) == (0, [0.0])

    run(main())


def test_stat_is_delivered_and_acknowledged() -> None:
    async def main() -> None:
        host = Host()
        async with running(host) as (_, forwarder):
            forwarder.send(stat(EUI, 2, 5, {"rxnb": 2, "ackr": 100.0}))
            await host.until(1)
            nobody = RejectReason.UNKNOWN_GATEWAY  # nobody has put it on a list: its reports may not displace readings
            assert host.stats == [GatewayStats(EUI, {"rxnb": 2, "ackr": 100.0}, host.stamp(), nobody)]
            host.settle()
            assert await forwarder.answer() == b"\x02\x00\x05\x01"

    run(main())


def test_what_cannot_be_read_is_kept_and_not_answered() -> None:
    async def main() -> None:
        host = Host()
        junk = [b"", b"hello", bytes(65_000), b"\x02\x00\x01\x00" + bytes.fromhex(EUI) + b"\xff"]
        async with running(host) as (_, forwarder):
            for n, datagram in enumerate(junk, 1):
                forwarder.send(datagram)
                await host.until(n)
            host.settle()
            await settle_loop()
            assert forwarder.nothing_came()
            assert [r.data for r in host.rejects] == junk
            assert [r.source for r in host.rejects] == ["127.0.0.1"] * 3 + [EUI]
            assert host.acks == []
            assert host.withheld == 0

    run(main())


def test_a_bad_rxpk_among_good_ones_is_delivered_with_them() -> None:
    async def main() -> None:
        host = Host()
        good = push_data(EUI, 2, 1, [PHY])
        body = good[12:].replace(b'{"rxpk":[', b'{"rxpk":[{"datr":-1},')
        async with running(host) as (_, forwarder):
            forwarder.send(good[:12] + body)
            await host.until(1)
            host.settle()
            assert await forwarder.answer() == b"\x02\x00\x01\x01"
            assert [f.data for f in host.frames] == [PHY]
            assert [r.data for r in host.rejects] == [b'{"datr":-1}']

    run(main())


# -- who may ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("listen", "allowed", "known"),
    [
        ("127.0.0.1:0", [], True),
        ("127.0.0.1:0", [{"eui": EUI}], True),
        ("127.0.0.1:0", [{"eui": EUI.upper()}], True),
        ("127.0.0.1:0", [{"eui": OTHER}], False),
        ("127.0.0.1:0", [{"eui": EUI, "networks": ["127.0.0.0/8"]}], True),
        ("127.0.0.1:0", [{"eui": EUI, "networks": ["10.0.0.0/8", "::1/128"]}], False),
        ("127.0.0.1:0", [{"eui": EUI, "networks": ["10.0.0.0/8", "127.0.0.1/32"]}], True),
        ("[::1]:0", [{"eui": EUI, "networks": ["::1/128"]}], True),
        ("[::1]:0", [{"eui": EUI, "networks": ["127.0.0.0/8"]}], False),
        ("[::]:0", [{"eui": EUI, "networks": ["127.0.0.0/8"]}], True),  # seen as ::ffff:127.0.0.1
        ("[::]:0", [{"eui": EUI, "networks": ["10.0.0.0/8"]}], False),
    ],
)
def test_strangers_are_marked(listen: str, allowed: list[dict[str, Any]], known: bool) -> None:
    async def main() -> None:
        host = Host()
        async with running(host, listen=listen, gateway=allowed) as (_, forwarder):
            forwarder.send(push_data(EUI, 2, 1, [PHY]))
            forwarder.send(stat(EUI, 2, 2, {"rxnb": 1}))
            await host.until(2)
            marked = None if known else RejectReason.UNKNOWN_GATEWAY
            assert [f.stranger for f in host.frames] == [marked]
            assert [s.stranger for s in host.stats] == [marked if allowed else RejectReason.UNKNOWN_GATEWAY]
            host.settle()
            assert await forwarder.answer() == b"\x02\x00\x01\x01"  # kept with the strangers: it is on disk
            (seen,) = [e for e in host.events if isinstance(e, GatewaySeen)]
            assert seen.known is known

    if listen.startswith("["):
        try:
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
                probe.bind(("::1", 0))
        except OSError:
            pytest.skip("no IPv6 here")
    run(main())


# -- the socket --------------------------------------------------------------------------------------------------------


def test_a_port_that_is_taken_is_a_loss_that_says_which() -> None:
    async def main() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            listen = f"127.0.0.1:{taken.getsockname()[1]}"
            with pytest.raises(DriverGone, match=f"cannot listen on {listen}: .*in use"):
                await semtech_udp.open(config(listen=listen)).run(Host())

    run(main())


def test_the_same_as_uvloop_says_it() -> None:
    async def taken(*_: object, local_addr: object, **__: object) -> None:
        in_use = OSError(errno.EADDRINUSE, "Address already in use")
        raise OSError(f"could not bind to local_addr {local_addr}") from in_use

    async def main() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(asyncio.get_running_loop(), "create_datagram_endpoint", taken)
            with pytest.raises(DriverGone) as gone:
                await semtech_udp.open(config(listen="127.0.0.1:1700")).run(Host())
            assert str(gone.value) == "cannot listen on 127.0.0.1:1700: Address already in use"

    run(main())


def test_a_socket_that_is_lost_is_a_loss_and_it_can_be_run_again() -> None:
    async def main() -> None:
        host, driver = Host(), semtech_udp.open(config())
        for n in (1, 2):
            task = asyncio.create_task(driver.run(host))
            await driver.bound.wait()
            forwarder = Forwarder(driver.port)
            forwarder.send(push_data(EUI, 2, n, [PHY]))
            await host.until(n)
            host.settle()
            assert await forwarder.answer() == bytes((2, 0, n, 1))
            forwarder.sock.close()
            assert driver._transport is not None
            driver._transport.abort()
            with pytest.raises(DriverGone, match="socket closed"):
                await task
        assert [e.up for e in host.events if isinstance(e, LinkChanged)] == [True, True]

    run(main())


def test_an_acknowledgement_after_the_end_is_not_sent_nor_told() -> None:
    async def main() -> None:
        host = Host()
        async with running(host) as (_, forwarder):
            forwarder.send(push_data(EUI, 2, 1, [PHY]))
            await host.until(1)
        host.settle()
        assert (host.acks, host.withheld) == ([], 0)

    run(main())


def test_a_forwarder_that_is_gone_does_not_matter() -> None:
    """An ICMP answer to an acknowledgement is an error on the next receive."""

    async def main() -> None:
        host = Host()
        async with running(host) as (driver, forwarder):
            gone = Forwarder(driver.port)
            gone.send(push_data(EUI, 2, 1, [PHY]))
            await host.until(1)
            gone.sock.close()
            host.settle()
            driver.error_received(ConnectionRefusedError())
            forwarder.send(push_data(EUI, 2, 2, [PHY]))
            await host.until(2)
            host.settle()
            assert await forwarder.answer() == b"\x02\x00\x02\x01"

    run(main())
