"""When devices are asked for, what is taken over, and how often strangers can make us ask."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.daemon.clocks import FakeClock
from torhaus.codecs.framing.chirpstack_api import Activation
from torhaus.codecs.lorawan.build import build_uplink
from torhaus.codecs.lorawan.crypto import SessionKeys
from torhaus.codecs.lorawan.keys import Version, keys_1_0
from torhaus.codecs.model import Frame, Radio, Reception, RejectReason
from torhaus.daemon.config.devices import DeviceConfig
from torhaus.daemon.lora.central.chirpstack import Away, Refused
from torhaus.daemon.lora.central.sessions import AT_ONCE, Central
from torhaus.daemon.lora.network import Device, Network
from torhaus.daemon.outbox.flush import Session as Counted

POLL_S = 3600.0
ADDR = 0x26011234


class Server:
    """`says` has what is answered; what is not there is answered with None."""

    def __init__(self) -> None:
        self.says: dict[str, Activation | Exception] = {}
        self.away: str | None = None
        self.asked: list[str] = []
        self.most = self.now = 0
        self.is_closed = False

    async def activation(self, dev_eui: str, version: Version) -> Activation | None:
        assert version is Version.V1_0
        self.asked.append(dev_eui)
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        self.now -= 1
        if self.away is not None:
            raise Away(self.away)
        found = self.says.get(dev_eui)
        if isinstance(found, Exception):
            raise found
        return found

    async def close(self) -> None:
        self.is_closed = True


def eui(n: int) -> str:
    return f"{n:016x}"


def session(n: int, addr: int = ADDR, next_fcnt: int = 0) -> Activation:
    return Activation(addr, keys_1_0(bytes([n]) * 16, b"\1" * 16), next_fcnt)


class Scene:
    """`count` devices of one server."""

    def __init__(self, count: int = 1, counted: dict[str, Counted] | None = None) -> None:
        self.clock, self.server = FakeClock(), Server()
        configs = [DeviceConfig(name=f"d{n}", dev_eui=eui(n), keys="chirpstack") for n in range(count)]
        devices = [Device(c.name, c.dev_eui) for c in configs]
        self.network = Network(devices, "EU868")
        both = zip(configs, devices, strict=True)
        self.central = Central(self.server, POLL_S, both, self.network, self.clock, counted or {})

    def run(self, body: Callable[[], Awaitable[None]]) -> None:
        async def main() -> None:
            task = asyncio.create_task(self.central.run())
            await self.pass_s(0.1)
            try:
                await body()
            finally:
                task.cancel()
                await asyncio.wait([task])
            assert task.cancelled(), task.exception()
            assert self.server.is_closed

        asyncio.run(main())

    async def pass_s(self, seconds: float) -> None:
        await self.clock.pass_s(seconds, 0.5)

    def asked(self) -> list[str]:
        found, self.server.asked = self.server.asked, []
        return found

    def hears(self, found: Activation, fcnt: int) -> RejectReason | int | None:
        """An uplink under this session: its counter, or why it is not taken."""
        phy = build_uplink(SessionKeys(found.keys), found.dev_addr, fcnt, 5, b"x")
        radio = Radio(868_100_000, "LORA", "SF7BW125", "4/5", [Reception("gw", crc=1)])
        up = self.network.receive(Frame("roof", phy, self.clock.stamp(), radio))
        if up.advance is not None:
            self.network.settle([up.advance], stored=True)
        return up.lora.fcnt if up.reason is None else up.reason


def test_all_are_asked_for_at_the_start_a_few_at_a_time_and_then_every_poll_s() -> None:
    scene = Scene(30)
    scene.server.says = {eui(3): session(3), eui(4): Refused("odd")}

    async def body() -> None:
        await scene.pass_s(20)
        assert sorted(scene.asked()) == [eui(n) for n in range(30)]
        assert scene.server.most == AT_ONCE
        assert scene.central.results == {"new": 1, "refused": 1, "none": 28}
        await scene.clock.pass_s(POLL_S - 30, 60)
        assert scene.asked() == []
        await scene.pass_s(40)
        assert len(scene.asked()) == 30
        assert scene.central.results == {"new": 1, "same": 1, "refused": 2, "none": 56}
        assert scene.central.problem() is None

    scene.run(body)


def test_frames_are_read_under_a_session_and_under_the_next_one() -> None:
    scene = Scene()
    first, second = session(1, next_fcnt=70_000), session(2, ADDR + 1)
    scene.server.says = {eui(0): first}

    async def body() -> None:
        assert scene.hears(first, 69_999) is RejectReason.DUPLICATE, "the server has had it"
        assert scene.hears(first, 70_000) == 70_000
        assert scene.hears(first, 70_001) == 70_001
        scene.server.says = {eui(0): second}
        assert scene.central.joins(eui(0))
        await scene.pass_s(3)
        assert scene.hears(first, 70_002) is RejectReason.UNKNOWN_DEVICE
        assert [scene.hears(second, n) for n in (0, 1, 1)] == [0, 1, RejectReason.DUPLICATE]
        assert scene.network.changed()[0].fcnt_up == 1
        scene.server.says = {}
        scene.central.stranger(ADDR + 1)
        await scene.pass_s(61)
        scene.central.stranger(ADDR + 1)
        await scene.pass_s(2)
        assert scene.hears(second, 2) is RejectReason.UNKNOWN_DEVICE, "it is no longer activated"

    scene.run(body)


def test_after_a_join_it_is_asked_until_the_server_has_the_new_session() -> None:
    scene = Scene(2)

    async def body() -> None:
        scene.asked()
        assert scene.central.joins(eui(1))
        assert not scene.central.joins(eui(7)), "not one of these"
        for _ in range(40):
            scene.central.joins(eui(1)) if _ < 2 else None
            await scene.pass_s(1)
        assert scene.asked() == [eui(1)] * 3

    scene.run(body)


def test_strangers_cannot_make_us_ask_for_ever() -> None:
    scene = Scene(20)
    scene.server.says = {eui(n): session(n, ADDR + n) for n in range(20)}

    async def body() -> None:
        await scene.pass_s(20)
        scene.asked()
        await scene.pass_s(300)
        for n in range(600):  # ten minutes, every second an address that nobody has, and one that somebody has
            scene.central.stranger(ADDR + 100 + n)
            scene.central.stranger(0x90000000 + n)
            scene.central.stranger(ADDR + 3)
            await scene.pass_s(1)
        asked = scene.asked()
        assert asked.count(eui(3)) <= 13
        assert all(asked.count(eui(n)) == 2 for n in range(20) if n != 3)

    scene.run(body)


def test_an_address_of_another_network_is_no_reason_to_ask() -> None:
    scene = Scene()
    scene.server.says = {eui(0): session(1)}

    async def body() -> None:
        await scene.pass_s(400)
        scene.asked()
        scene.central.stranger(0x48000001)
        await scene.pass_s(5)
        assert scene.asked() == []
        scene.central.stranger(ADDR + 1)
        await scene.pass_s(5)
        assert scene.asked() == [eui(0)]

    scene.run(body)


def test_while_the_server_is_away_it_is_asked_less_and_less(capsys: pytest.CaptureFixture[str]) -> None:
    scene = Scene(5)
    scene.server.away = "connection refused"

    async def body() -> None:
        await scene.pass_s(100)
        assert 4 <= len(scene.asked()) <= 9
        assert scene.central.problem() == (
            "session keys of 5 devices cannot be had from ChirpStack: connection refused"
        )
        scene.server.away = None
        scene.server.says = {eui(n): session(n) for n in range(5)}
        await scene.clock.pass_s(300, 1)
        assert scene.central.problem() is None
        assert scene.central.results["new"] == 5
        scene.server.away = "again"
        await scene.clock.pass_s(POLL_S, 10)
        assert scene.central.away == "again"
        assert scene.central.problem() is None, "all have their sessions"
        assert scene.hears(session(3), 0) == 0

    scene.run(body)
    said = capsys.readouterr()
    assert (said.out + said.err).count("cannot be had") <= 2


@pytest.mark.parametrize(
    ("kept", "next_fcnt", "first"),
    [
        (None, 10, 10),
        (20, 10, 21),  # frames wait for their relay: the server does not know of them yet
        (5, 10, 10),  # it was heard elsewhere meanwhile
        (2000, 10, 10),  # a new session under the same address
        (20, 0, 21),
    ],
)
def test_the_counter_goes_on_where_it_was(kept: int | None, next_fcnt: int, first: int) -> None:
    counted = {} if kept is None else {eui(0): Counted(eui(0), f"{ADDR:08x}", kept)}
    scene = Scene(1, counted)
    scene.server.says = {eui(0): session(1, next_fcnt=next_fcnt)}

    async def body() -> None:
        assert isinstance(scene.hears(session(1), first - 1), RejectReason)
        assert scene.hears(session(1), first) == first

    scene.run(body)
