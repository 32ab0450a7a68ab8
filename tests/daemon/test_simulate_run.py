"""A town before a real driver, with the time by hand; what is said of it; addresses."""

import asyncio
import io

import pytest

from tests.daemon.clocks import FakeClock
from tests.drivers.gwmp_fakes import Host, running
from torhaus.daemon.simulate.ends import GwmpEnd, Order, StationEnd
from torhaus.daemon.simulate.identity import identities
from torhaus.daemon.simulate.model import Habits
from torhaus.daemon.simulate.run import (
    GATEWAY_BASE,
    Plan,
    Simulation,
    gateway_eui,
    lists_needed,
    parse_address,
    simulate,
)

KNOWN = tuple(identities(4, ("1.0.3", "1.0.4"), 1))


def test_frames_of_devices_arrive_at_a_driver() -> None:
    async def go() -> None:
        host, clock = Host(), FakeClock()
        async with asyncio.timeout(20), running(host) as (driver, _):
            plan = Plan(known=KNOWN, to=(f"udp://127.0.0.1:{driver.port}",), gateways=2, radius_km=0.1)
            it = Simulation(plan, clock)
            task = asyncio.create_task(it.run())
            while len(host.frames) < 8:
                await clock.pass_s(0.5)
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()
        assert {f.radio.rx[0].gateway for f in host.frames if f.radio} == {gateway_eui(0), gateway_eui(1)}
        assert "0/4 joined" in it.line()
        assert it.summary()[0].startswith("joined: 0 of 4 devices, with ")
        frame = host.frames[0]
        assert frame.radio is not None
        tmst = frame.radio.rx[0].tmst_us or 0
        before = len(it.took_us)
        it._order(0, Order(bytes(17), 868_100_000, "SF7BW125", tmst + 5_000_000))
        it._order(0, Order(bytes(17), 868_100_000, "SF7BW125", tmst + 5_000_001))  # of no frame
        assert len(it.took_us) == before + 1
        assert any(line.startswith("answers at the gateway after ") for line in it.summary())
        assert it.nonces()[KNOWN[1].eui] == (it.town.devices[1].member.dev_nonce, -1)

    asyncio.run(go())


def test_devices_go_on_where_they_were() -> None:
    async def go() -> None:
        plan = Plan(known=KNOWN, nonces={KNOWN[1].eui: (700, 5)})
        members = [d.member for d in Simulation(plan, FakeClock()).town.devices]
        assert [(m.dev_nonce, m.join_nonce) for m in members][:2] == [(0, -1), (700, 5)]
        other = [d.member.ask() for d in Simulation(plan, FakeClock(wall_ns=5)).town.devices]
        assert members[0].ask() != other[0]  # a random DevNonce is another one in each run
        assert members[1].ask() == other[1]

    asyncio.run(go())


def test_it_ends_after_its_time_and_says_what_was(capsys: pytest.CaptureFixture[str]) -> None:
    out, kept = io.StringIO(), list[object]()
    plan = Plan(known=KNOWN, to=("udp://127.0.0.1:9", "ws://127.0.0.1:9"), gateways=2, habits=Habits(spread_s=0.01))
    assert asyncio.run(simulate(plan, FakeClock(), 0.05, out, kept.append)) == 1
    assert "joined: 0 of 4 devices" in out.getvalue()
    assert "windows missed: none" in out.getvalue()
    assert len(kept) == 1
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("url", "is_loopback"),
    [
        ("udp://127.0.0.1:1700", True),
        ("udp://localhost:1700", True),
        ("ws://[::1]:3001", True),
        ("wss://torhaus.example:3001", False),
        ("udp://192.168.1.5:1700", False),
    ],
)
def test_addresses(url: str, is_loopback: bool) -> None:
    assert parse_address(url).is_loopback is is_loopback
    assert lists_needed([url]) is not is_loopback


@pytest.mark.parametrize("url", ["", "127.0.0.1:1700", "udp://127.0.0.1", "http://x:1", "udp://x:99999", "ws://x:1/p"])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(ValueError, match=r"^must be udp://"):
        parse_address(url)


def test_each_address_has_its_kind_of_gateway() -> None:
    async def go() -> None:
        plan = Plan(known=KNOWN, to=("udp://127.0.0.1:1", "ws://127.0.0.1:2"), gateways=3)
        ends = Simulation(plan, FakeClock()).ends
        assert [type(end) for end in ends] == [GwmpEnd, StationEnd, GwmpEnd]
        assert gateway_eui(2) == f"{GATEWAY_BASE + 2:016x}"

    asyncio.run(go())
