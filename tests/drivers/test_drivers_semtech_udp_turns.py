"""What comes in one turn of the loop is looked at together; what is remembered of gateways."""

import asyncio
from collections.abc import Callable

import pytest

from tests.drivers.gwmp_fakes import EUI, PHY, Host, config
from torhaus.codecs.framing import semtech_udp as gwmp
from torhaus.codecs.model import RejectReason
from torhaus.daemon.demo.gateway import push_data
from torhaus.drivers import semtech_udp
from torhaus.drivers.base import GatewaySeen
from torhaus.drivers.semtech_udp import MAX_GATEWAYS


class AtOnce:
    """A loop whose turns are over as soon as something is to be done in the next one."""

    def call_soon(self, call: Callable[[], None]) -> None:
        call()

    def time(self) -> float:
        return 1000.0


def offline(driver: semtech_udp.SemtechUdp, host: Host) -> semtech_udp.SemtechUdp:
    driver._host = host
    driver._loop = AtOnce()  # type: ignore[assignment]
    return driver


def test_a_known_gateway_from_another_address_is_looked_at_again() -> None:
    host = Host()
    driver = offline(semtech_udp.open(config(gateway=[{"eui": EUI, "networks": ["192.0.2.0/24"]}])), host)
    for addr in ("192.0.2.1", "192.0.2.1", "198.51.100.1", "192.0.2.1"):
        driver.datagram_received(push_data(EUI, 2, 1, [PHY]), (addr, 1700))
    stranger = RejectReason.UNKNOWN_GATEWAY
    assert [f.stranger for f in host.frames] == [None, None, stranger, None]
    assert [(e.peer, e.known) for e in host.events if isinstance(e, GatewaySeen)] == [
        ("192.0.2.1", True),
        ("198.51.100.1", False),
        ("192.0.2.1", True),
    ]


def test_remembered_euis_are_bounded() -> None:
    host = Host()
    driver = offline(semtech_udp.open(config(gateway=[{"eui": EUI}])), host)
    pull = b"\x02\x00\x00\x02"
    driver.datagram_received(pull + bytes.fromhex(EUI), ("192.0.2.1", 1))
    for n in range(3 * MAX_GATEWAYS):
        driver.datagram_received(pull + n.to_bytes(8, "big"), ("192.0.2.1", 1))
    assert len(driver._seen) == MAX_GATEWAYS
    assert list(driver._down._paths) == [EUI]
    driver.datagram_received(push_data(EUI, 2, 1, [PHY]), ("192.0.2.1", 1))
    assert host.frames[-1].stranger is None


def test_a_defect_met_on_one_datagram_costs_that_one_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three that come in one turn of the loop; the second meets a defect of ours."""
    real = gwmp.parse_push

    def defect(datagram: bytes, gateway: str) -> object:
        if datagram[1:3] == b"\0\2":
            raise TypeError("ours")
        return real(datagram, gateway)

    async def main() -> None:
        host = Host()
        told: list[object] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: told.append(context["exception"]))
        driver = semtech_udp.open(config())
        driver._host, driver._loop = host, loop
        for token in (1, 2, 3):
            driver.datagram_received(push_data(EUI, 2, token, [PHY]), ("192.0.2.1", 1700))
        assert host.frames == []
        await asyncio.sleep(0)
        assert len(host.frames) == 2
        assert [type(e) for e in told] == [TypeError]

    monkeypatch.setattr(gwmp, "parse_push", defect)
    asyncio.run(main())
