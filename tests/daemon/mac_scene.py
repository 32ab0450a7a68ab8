"""A site without a network server, a device that answers MAC commands as its owner says, and a queue in memory."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.daemon.join_scene import GATEWAY
from tests.daemon.lora_device import OtaaDevice
from tests.daemon.standalone_scene import StandaloneScene
from torhaus.codecs.lorawan.build import build_uplink
from torhaus.codecs.lorawan.mac_commands import MacCommand, decode
from torhaus.codecs.lorawan.phy import DataFrame, parse
from torhaus.codecs.lorawan.region import datarate, region
from torhaus.codecs.model import Frame, Radio, Reception
from torhaus.daemon.config.devices import DeviceConfig
from torhaus.daemon.config.lorawan import Mac
from torhaus.daemon.lora.delivery import Delivery
from torhaus.daemon.lora.network import Uplink
from torhaus.daemon.outbox.mac_state import Mac as Known


@dataclass
class Item:
    payload: bytes
    confirmed: bool = False
    fport: int = 7
    history: list[str] = field(default_factory=list)


class Queue:
    """Of one device. `takes` False: nothing can be written to disk."""

    def __init__(self, *items: Item) -> None:
        self.items = [*items]
        self.awaited: Item | None = None
        self.takes = True
        self.listeners: list[Callable[[str], None]] = []

    def has(self, dev_eui: str) -> bool:
        return bool(self.items or self.awaited)

    def head(self, dev_eui: str, room_bytes: int) -> Item | None:
        if self.awaited or not self.items or len(self.items[0].payload) > room_bytes:
            return None
        return self.items[0]

    def waiting(self, dev_eui: str, room_bytes: int | None = None) -> int:
        return sum(room_bytes is None or len(i.payload) <= room_bytes for i in self.items) if dev_eui else 0

    def unanswered(self, dev_eui: str, *, or_under_way: bool = False) -> Item | None:
        return self.awaited

    async def take(self, item: Item, fcnt: int) -> bool:
        if self.takes:
            self.items.remove(item)
        return self.takes

    def sent(self, item: Item, fcnt: int, detail: str = "") -> None:
        item.history.append(f"sent {fcnt}")
        self.awaited = item if item.confirmed else None

    def acknowledged(self, item: Item) -> bool:
        item.history.append("acknowledged")
        self.awaited = None
        return True

    def failed(self, item: Item, why: str = "") -> None:
        item.history.append(why)
        self.awaited = None
        self.items.insert(0, item)

    def doubtful(self, item: Item) -> None:
        item.history.append("doubtful")

    def delayed(self, item: Item, why: str) -> None:
        item.history.append(f"delayed: {why}")
        self.items.insert(0, item)


class MacScene(StandaloneScene):
    """`mac`: keys of `[lorawan.mac]`; `device`: of the one device's table."""

    def __init__(self, it: OtaaDevice, device: dict[str, Any] | None = None, **mac: Any) -> None:
        self.it = it
        self.options = device or {}
        self.newest: DataFrame | None = None
        self.counters_down: dict[bool, int] = {}  # 1.1: with a payload, and without
        more = {k: mac.pop(k) for k in ("rx1_delay_s", "region", "net_id") if k in mac}
        super().__init__(it, mac=Mac(**mac), **more)
        self.regions = region(self.config.region)

    def _begin(self) -> None:
        self.configs = {self.it.name: DeviceConfig(name=self.it.name, dev_eui=self.it.eui, **self.options)}
        super()._begin()

    def give(self, queue: Queue) -> None:
        """Have this queue's items sent."""
        self.standalone.delivery = Delivery(queue)

    def facts(self) -> Known:
        """What is known of the device's newest session."""
        return self.joins._joiners[self.it.eui].kept.sessions[-1].mac

    def up(
        self,
        payload: bytes = b"\x01\x00\xd6",
        *,
        fport: int | None = 5,
        fopts: bytes = b"",
        dr: int = 5,
        snr_db: float | None = None,
        adr: bool = False,
        confirmed: bool = False,
        ack: bool = False,
        conf_fcnt: int = 0,
        freq_hz: int = 868_100_000,
        channel: int = 0,
        skip: int = 0,
    ) -> Uplink:
        """The device's next uplink, its counter on disk at once."""
        it = self.it
        assert it.keys is not None
        assert it.dev_addr is not None
        it.fcnt_up += skip
        phy = build_uplink(
            it.keys,
            it.dev_addr,
            it.fcnt_up,
            fport,
            payload,
            confirmed=confirmed,
            adr=adr,
            ack=ack,
            fopts=fopts,
            conf_fcnt=conf_fcnt,
            tx_dr=dr,
            tx_ch=channel,
        )
        it.fcnt_up += 1
        self.tmst += 1
        rate = datarate(self.regions, dr)
        rx = [Reception(GATEWAY, snr_db=snr_db, tmst_us=self.tmst, crc=1)]
        radio = Radio(freq_hz, rate.modulation, rate.datarate, rate.coderate, rx)
        got = self.network.receive(Frame("roof", phy, self.clock.stamp(), radio))
        if got.advance is not None:
            self.network.settle([got.advance], stored=True)
        return got

    async def said(self, **uplink: Any) -> list[MacCommand]:
        """The commands that the device gets for its next uplink; none when there was no downlink."""
        before = len(self.radio.sent)
        assert self.up(**uplink).reason is None
        await self.settle()
        if len(self.radio.sent) == before:
            return []
        frame = self.newest = self.taken()
        return decode(self.commands(frame), uplink=False)[0]

    def frame(self) -> DataFrame:
        """The last downlink that the device took."""
        assert self.newest is not None
        return self.newest

    def taken(self) -> DataFrame:
        """The last downlink: its MIC is right, and its counter above all before."""
        phy, keys = self.last().data, self.it.keys
        frame = parse(phy)
        assert isinstance(frame, DataFrame)
        assert keys is not None
        is_app = bool(frame.fport) and self.it.is_1_1
        assert keys.verify_downlink(phy, frame, frame.fcnt16, conf_fcnt=self.it.fcnt_up - 1)
        assert frame.fcnt16 > self.counters_down.get(is_app, -1)
        self.counters_down[is_app] = frame.fcnt16
        return frame

    def commands(self, frame: DataFrame) -> bytes:
        assert self.it.keys is not None
        if frame.fport == 0:
            return self.it.keys.decrypt(frame, frame.fcnt16)
        return self.it.keys.decrypt_fopts(frame, frame.fcnt16)

    def frame_adr(self) -> bool:
        """Whether the last downlink has the ADR bit."""
        frame = parse(self.last().data)
        assert isinstance(frame, DataFrame)
        return frame.adr

    async def join_at(self, freq_hz: int, dr: int) -> None:
        """Join on a channel of another region."""
        rate = datarate(self.regions, dr)
        self.tmst += 1
        rx = [Reception(GATEWAY, tmst_us=self.tmst, crc=1)]
        radio = Radio(freq_hz, rate.modulation, rate.datarate, rate.coderate, rx)
        assert self.network.receive(Frame("roof", self.it.ask(), self.clock.stamp(), radio)).reason is None
        await self.settle()
        assert self.it.take(self.last().data)
