"""Personalised devices (ABP) of a site that is its own network server."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.daemon.clocks import FakeClock
from tests.daemon.join_scene import GATEWAY
from tests.daemon.lora_device import APP_KEY, NWK_KEY
from tests.daemon.mac_scene import Item, Queue
from tests.daemon.standalone_scene import Radio as Sender
from torhaus.codecs.lorawan.build import build_uplink
from torhaus.codecs.lorawan.crypto import SessionKeys
from torhaus.codecs.lorawan.downlink import After
from torhaus.codecs.lorawan.mac_commands import decode
from torhaus.codecs.lorawan.phy import DataFrame, parse
from torhaus.codecs.lorawan.session import Session
from torhaus.codecs.model import Frame, Radio, Reception
from torhaus.daemon.config.model import Lorawan
from torhaus.daemon.lora.delivery import Delivery
from torhaus.daemon.lora.down_counters import RESERVE
from torhaus.daemon.lora.downlinks import Downlinks
from torhaus.daemon.lora.join_book import JoinBook
from torhaus.daemon.lora.joins import Joins
from torhaus.daemon.lora.network import Device, Network
from torhaus.daemon.lora.personal import Personal
from torhaus.daemon.lora.standalone import Standalone
from torhaus.daemon.outbox.flush import Flush
from torhaus.daemon.outbox.joins import DeviceJoins

ADDR = 0x26011234


def keys(is_1_1: bool) -> SessionKeys:
    if is_1_1:
        return SessionKeys.v1_1(APP_KEY, NWK_KEY, APP_KEY, NWK_KEY)
    return SessionKeys.v1_0(NWK_KEY, APP_KEY)


class Scene:
    def __init__(self, *, is_1_1: bool = False, dev_eui: str | None = "a81758fffe0312ab", **config: object) -> None:
        self.is_1_1 = is_1_1
        self.dev_eui = dev_eui
        self.config = Lorawan(mode="standalone", **config)  # type: ignore[arg-type]
        self.clock, self.radio = FakeClock(), Sender()
        self.stored: dict[str, DeviceJoins] = {}
        self.fcnt, self.tmst = 0, 0
        self.begin()

    def begin(self) -> None:
        session = Session(keys(self.is_1_1), ADDR, allow_reset=True)
        self.device = Device("flur", self.dev_eui, "elsys", session=session)
        self.network = Network([self.device], "EU868")
        joins = Joins(self.network, [], JoinBook(self.clock.wall_ns), self.clock, self.nothing)
        downlinks = Downlinks({GATEWAY: "roof"}.get)
        downlinks.add("roof", self.radio)
        self.personal = Personal([self.device, Device("zaehler")])
        self.personal.restore(self.stored, self.clock.wall_ns())
        parts = self.config, self.network, joins, downlinks, self.clock, self.save
        self.standalone = Standalone(*parts, personal=self.personal)

    async def nothing(self) -> None: ...

    async def save(self, _: str) -> bool:
        flush = Flush()
        self.personal.save(flush)
        self.stored |= flush.joins
        return True

    async def up(self, *, fopts: bytes = b"", confirmed: bool = True) -> DataFrame | None:
        phy = build_uplink(
            keys(self.is_1_1), ADDR, self.fcnt, 5, b"\1\0\xd6", confirmed=confirmed, fopts=fopts, tx_dr=5
        )
        self.fcnt += 1
        self.tmst += 1
        radio = Radio(868_100_000, "LORA", "SF7BW125", "4/5", [Reception(GATEWAY, tmst_us=self.tmst, crc=1)])
        before = len(self.radio.sent)
        got = self.network.receive(Frame("roof", phy, self.clock.stamp(), radio))
        assert got.lora.session is None, "its counter is kept under its own name"
        assert got.advance is not None
        self.network.settle([got.advance], stored=True)
        await self.clock.pass_s(0.3)
        if len(self.radio.sent) == before:
            return None
        frame = parse(self.radio.sent[-1].items[0].data)
        assert isinstance(frame, DataFrame)
        return frame

    def names(self, frame: DataFrame | None) -> list[str]:
        assert frame is not None
        fopts = keys(self.is_1_1).decrypt_fopts(frame, frame.fcnt16)
        commands = keys(self.is_1_1).decrypt(frame, frame.fcnt16) if frame.fport == 0 else fopts
        return [c.name for c in decode(commands, uplink=False)[0]]


def run(scene: Scene, body: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(20):
            task = asyncio.create_task(scene.standalone.run())
            await body()
            task.cancel()
            await asyncio.wait([task])

    asyncio.run(main())


def test_answered_from_the_first_uplink_on() -> None:
    """It has none of our channels and the shortest delay; its counter goes on after a kill."""
    scene = Scene(rx1_delay_s=2)

    async def body() -> None:
        first = await scene.up()
        assert first is not None
        assert (first.ack, first.fcnt16) == (True, 0)
        assert scene.names(first) == ["RXTimingSetupReq", *["NewChannelReq"] * 5]
        assert scene.radio.sent[-1].items[0].at == After(1_000_000, (1).to_bytes(4, "big"))
        assert scene.names(await scene.up(fopts=b"\x08" + b"\x07\x03" * 5)) == []
        assert scene.radio.sent[-1].items[0].at == After(2_000_000, (2).to_bytes(4, "big"))

    run(scene, body)

    async def again() -> None:
        frame = await scene.up()
        assert frame is not None
        assert (frame.fcnt16, scene.names(frame)) == (RESERVE, [])

    scene.begin()
    scene.device.session.fcnt_up = 1  # type: ignore[union-attr]
    run(scene, again)


def test_a_device_that_starts_anew() -> None:
    """1.0: its counter begins again where that is allowed; ours never does. 1.1: it says so."""
    for is_1_1 in (False, True):
        scene = Scene(is_1_1=is_1_1)

        async def body(scene: Scene = scene, is_1_1: bool = is_1_1) -> None:
            assert scene.names(await scene.up()) == ["NewChannelReq"] * 5
            assert scene.names(await scene.up(fopts=b"\x07\x03" * 5)) == []
            for _ in range(3):
                assert scene.names(await scene.up()) == []
            if not is_1_1:
                scene.fcnt = 0
            await scene.clock.pass_s(3)
            found = await scene.up(fopts=b"\x01\x01" if is_1_1 else b"")
            told = ["ResetConf"] if is_1_1 else []
            assert scene.names(found) == told + ["NewChannelReq"] * 5
            assert found is not None
            assert found.fcnt16 == 5

        run(scene, body)


def test_a_device_without_dev_eui() -> None:
    scene = Scene(dev_eui=None)

    async def body() -> None:
        assert await scene.up() is not None
        assert [*scene.stored] == ["26011234"]
        scene.stored["26011234"] = DeviceJoins()
        scene.personal.restore({}, 0)

    run(scene, body)


@pytest.mark.parametrize("is_1_1", [False, True])
def test_what_an_application_has_for_it(is_1_1: bool) -> None:
    scene = Scene(is_1_1=is_1_1)
    item, queue = Item(b"on", confirmed=True), Queue()

    async def body() -> None:
        queue.items.append(item)
        scene.standalone.delivery = Delivery(queue)
        frame = await scene.up(confirmed=False)
        assert frame is not None
        assert (frame.fport, keys(is_1_1).decrypt(frame, frame.fcnt16)) == (7, b"on")
        assert (frame.confirmed, item.history) == (True, ["sent 0"])
        scene.begin()
        assert scene.device.session is not None
        assert scene.device.session.conf_fcnt == 0
        (kept,) = scene.stored.values()
        assert (kept.sessions[0].afcnt_down_to if is_1_1 else kept.sessions[0].fcnt_down_to) == RESERVE

    run(scene, body)
