"""A simulated town before a site that is its own network server: pipeline, network, joins and answers, time by hand.

What gateways heard is delivered as a driver would; what is to be sent goes on air at the moment that it names. Nothing
is real but the code: the outbox is in memory, and every commit succeeds one step later.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from tests.daemon.clocks import FakeClock
from tests.daemon.pipeline_fakes import Store
from torhaus.codecs.lorawan.airtime import airtime_us
from torhaus.codecs.lorawan.downlink import After, Downlink, TxAnswer, TxItem, TxStatus
from torhaus.codecs.lorawan.phy import DataFrame, parse
from torhaus.codecs.lorawan.region import region
from torhaus.codecs.model import Frame, Radio, Reception, RejectReason
from torhaus.codecs.registry import load
from torhaus.daemon.config.model import Lorawan
from torhaus.daemon.lora.downlinks import Downlinks
from torhaus.daemon.lora.join_book import JoinBook
from torhaus.daemon.lora.joins import Joiner, Joins
from torhaus.daemon.lora.network import Device, Network
from torhaus.daemon.lora.on_air import OnAir
from torhaus.daemon.lora.roots import Roots
from torhaus.daemon.lora.standalone import Standalone
from torhaus.daemon.outbox.flush import Flush
from torhaus.daemon.pipeline import Pipeline
from torhaus.daemon.simulate.air import Air, places
from torhaus.daemon.simulate.device import EndDevice
from torhaus.daemon.simulate.identity import Identity, identities
from torhaus.daemon.simulate.model import SECOND_US, Habits, Transmission
from torhaus.daemon.simulate.run import gateway_eui
from torhaus.daemon.simulate.town import Town, radio_of
from torhaus.daemon.watch import DriverState, Watch

LEAD_US = 40_000
"""What a concentrator needs."""
TURNS = 8
WRAP = 1 << 32
Key = tuple[str, int, int]
"""Device, DevAddr and counter: one reading."""


class TownScene:
    """`heard` has the payload of each reading that a gateway heard; `sent` the bytes under each downlink counter."""

    def __init__(
        self,
        count: int,
        gateways: int,
        seed: int,
        versions: tuple[str, ...] = ("1.0.3",),
        loss: float = 0.0,
        radius_km: float = 1.0,
        **habits: Any,
    ) -> None:
        self.clock = FakeClock()
        self._start_ns = self.clock.boot_ns()
        self.known = identities(count, versions, seed)
        self.store = Store()
        self.heard: dict[Key, tuple[str, bytes, int | None]] = {}
        self.recorded: list[tuple[bytes, Radio, int]] = []  # what an attacker has heard
        self.sent: dict[tuple[int, int], set[bytes]] = {}
        self.late: list[TxItem] = []
        self.missed_rx1 = 0
        homes, masts = places(count, gateways, seed, radius_km)
        self.euis = [gateway_eui(n) for n in range(gateways)]
        devices = [EndDevice(one, region("EU868"), seed, Habits(**habits)) for one in self.known]
        self.town = Town(devices, self.euis, Air(homes, masts, seed, loss), self._heard)
        self._on_air: list[list[tuple[int, int]]] = [[] for _ in self.euis]
        self._begin()

    def _begin(self) -> None:
        watch = Watch(self.clock.wall_ns())
        watch.drivers["roof"] = DriverState()
        devices = [Device(one.name, one.eui, one.codec) for one in self.known]
        self.network = Network(devices, "EU868")
        self.book = JoinBook(self.clock.wall_ns)
        joiners = [_joiner(d, one) for d, one in zip(devices, self.known, strict=True)]
        self.joins = Joins(self.network, joiners, self.book, self.clock, self._save)
        gateway_of = dict.fromkeys(self.euis, "roof").get
        downlinks = Downlinks(gateway_of, on_air=OnAir(self.clock.boot_ns))
        downlinks.add("roof", self)
        downlinks.passing = self.joins.passing
        config = Lorawan(mode="standalone")
        self.standalone = Standalone(config, self.network, self.joins, downlinks, self.clock, self._saved)
        store: Any = self.store
        pipeline = Pipeline(store, self.network, devices, load, watch, self.clock)
        self._host = pipeline.host("roof")
        self.watch = watch

    def run(self, body: Callable[[], Awaitable[None]]) -> None:
        """With the network server running."""

        async def main() -> None:
            task = asyncio.create_task(self.standalone.run())
            try:
                await body()
            finally:
                task.cancel()
                await asyncio.wait([task])
            assert task.cancelled(), task.exception()

        asyncio.run(main())

    @property
    def now_us(self) -> int:
        return (self.clock.boot_ns() - self._start_ns) // 1000

    async def pass_s(self, seconds: float) -> None:
        """Let the town live for so long."""
        end_us = self.now_us + round(seconds * SECOND_US)
        while self.now_us < end_us:
            wakes_ns = self.clock.next_ns()
            soon = [end_us, self.town.due_us(), None if wakes_ns is None else -((self._start_ns - wakes_ns) // 1000)]
            at_us = max(self.now_us, min(t for t in soon if t is not None))
            self.clock.advance((at_us - self.now_us) / SECOND_US)
            self.town.run_until(at_us)
            for _ in range(TURNS):
                await asyncio.sleep(0)
            self.store.settle(stored=True)

    def deliver(self, phy: bytes, radio: Radio) -> None:
        """As the driver does, once for each gateway that heard it."""
        for rx in radio.rx:
            one = Radio(radio.freq_hz, radio.modulation, radio.datarate, radio.coderate, [rx])
            self._host.deliver([Frame("roof", phy, self.clock.stamp(), one)], [], lambda _: None, None)

    def replay(self, phy: bytes, radio: Radio) -> None:
        """Somebody sends a recording, near the gateway that heard it."""
        rx = Reception(radio.rx[0].gateway, -60.0, 9.0, tmst_us=self.now_us % WRAP, crc=1)
        self.deliver(phy, Radio(radio.freq_hz, radio.modulation, radio.datarate, radio.coderate, [rx]))

    def readings(self) -> Counter[Key]:
        """How often each is in the outbox."""
        found: Counter[Key] = Counter()
        for record in self.store.main:
            if record.kind == "reading":
                assert record.lora is not None
                assert record.lora.fcnt is not None
                found[record.device or "", int(record.lora.dev_addr or "", 16), record.lora.fcnt] += 1
        return found

    def refused(self) -> Counter[RejectReason]:
        """What was refused, by its reason."""
        found: Counter[RejectReason] = Counter()
        for (_, _, reason), n in self.watch.rejects.items():
            found[RejectReason(reason)] += n
        return found

    async def transmit(self, downlink: Downlink) -> tuple[TxAnswer, ...]:
        """The driver's part: what comes in time goes on air, unless the gateway sends something else just then."""
        n, answers = self.euis.index(downlink.gateway), list[TxAnswer]()
        for item in downlink.items:
            if any(a.status is TxStatus.OK for a in answers):
                answers.append(TxAnswer(TxStatus.IGNORED))
            else:
                answers.append(TxAnswer(self._send(n, item)))
        self.missed_rx1 += answers[0].status is not TxStatus.OK
        return tuple(answers)

    def _send(self, n: int, item: TxItem) -> TxStatus:
        assert isinstance(item.at, After)
        tmst = int.from_bytes(item.at.context, "big") + item.at.delay_us
        at_us = self.now_us + ((tmst - self.now_us + WRAP // 2) % WRAP) - WRAP // 2
        if at_us - self.now_us < LEAD_US:
            self.late.append(item)
            return TxStatus.TOO_LATE
        end_us = at_us + airtime_us(item.modulation, item.datarate, len(item.data), uplink=False)
        busy = self._on_air[n] = [(a, b) for a, b in self._on_air[n] if b > self.now_us]
        if any(a < end_us and b > at_us for a, b in busy):
            return TxStatus.COLLISION_PACKET
        busy.append((at_us, end_us))
        frame = parse(item.data)
        if isinstance(frame, DataFrame):
            self.sent.setdefault((frame.dev_addr, frame.fcnt16), set()).add(item.data)
        self.town.send(n, item.data, item.freq_hz, item.datarate, at_us)
        return TxStatus.OK

    def _heard(self, _: int, device: EndDevice, sent: Transmission, found: list[tuple[int, Reception]]) -> None:
        if not found:
            return
        radio = radio_of(sent, device, [rx for _, rx in found])
        self.recorded.append((sent.phy, radio, self.now_us))
        frame = parse(sent.phy)
        if isinstance(frame, DataFrame) and frame.fport:
            key = (device.member.identity.name, frame.dev_addr, device.member.fcnt_up - 1)
            self.heard[key] = device.member.identity.codec, device.member._last["payload"], frame.fport
        self.deliver(sent.phy, radio)

    async def _save(self) -> None:
        flush = Flush()
        self.network.save(flush)
        self.joins.save(flush)

    async def _saved(self, _: str) -> bool:
        await self._save()
        return True


def _joiner(device: Device, one: Identity) -> Joiner:
    roots = Roots(one.dev_eui, one.join_key, one.app_key if one.is_1_1 else None)
    return Joiner(device, roots, counts_nonces=one.counts_nonces)
