"""A site that is its own network server: uplinks of its devices are answered here; joins: accepts.py.

Confirmed uplinks are acknowledged once they are on disk. Whatever else a device is to be told goes with the answer to
an uplink, one for each at most; to devices of class C applications' payloads go at once, too.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from torhaus.codecs.lorawan.build import build_downlink
from torhaus.codecs.lorawan.downlink import TxStatus
from torhaus.codecs.lorawan.gps_time import gps_ns
from torhaus.codecs.lorawan.mac_commands import MacCommand, decode
from torhaus.codecs.lorawan.phy import DataFrame
from torhaus.codecs.lorawan.regions.model import HEAD_BYTES
from torhaus.codecs.lorawan.session import Opened
from torhaus.codecs.model import Frame
from torhaus.daemon.clock import Clock
from torhaus.daemon.config.devices import DeviceConfig
from torhaus.daemon.config.model import Lorawan
from torhaus.daemon.lora.accepts import Accepts
from torhaus.daemon.lora.assemble import Parts, Queue, assemble
from torhaus.daemon.lora.class_c import ClassC
from torhaus.daemon.lora.delivery import Delivery, Item
from torhaus.daemon.lora.down_counters import DownCounters
from torhaus.daemon.lora.downlinks import Downlinks
from torhaus.daemon.lora.joins import Joins
from torhaus.daemon.lora.mac import MacLayer
from torhaus.daemon.lora.mac_answers import Asked, answers, asks
from torhaus.daemon.lora.network import Advance, Device, Network
from torhaus.daemon.lora.personal import Personal
from torhaus.daemon.lora.plan import Plan
from torhaus.daemon.lora.radio_link import RadioLink
from torhaus.daemon.lora.rounds import Defect, Round, Rounds, no_defect
from torhaus.daemon.lora.transmit import Sent, Transmit, Way
from torhaus.daemon.lora.windows import AROUND_BYTES

DATA_LATE_S: Final = 2.5
"""A device repeats a confirmed uplink 3 s after it at the earliest: RX2, and RETRANSMIT_TIMEOUT of RP002-1.0.4."""
STORED_S: Final = 1.0
_STEP_S: Final = 0.02


class Standalone:
    """`save` writes the state, and says whether what is kept of this device is on disk. `queue`: applications'."""

    def __init__(
        self,
        config: Lorawan,
        network: Network,
        joins: Joins,
        downlinks: Downlinks,
        clock: Clock,
        save: Callable[[str], Awaitable[bool]],
        queue: Queue[Any] | None = None,
        configs: Mapping[str, DeviceConfig] | None = None,
        personal: Personal | None = None,
        defect: Defect = no_defect,
    ) -> None:
        self.results: Counter[str] = Counter()  # of answers to uplinks
        self.delivery = Delivery(queue) if queue is not None else None
        self._plan = Plan(config)
        self._network = network
        self._clock = clock
        self._transmit = Transmit(self._plan.region, network, downlinks)
        self._counters = DownCounters(joins, save, personal)
        self.mac = MacLayer(self._plan, self._counters, clock, configs or {})
        net_id = int(config.net_id, 16)
        self.accepts = Accepts(self._plan, net_id, network, joins, self._transmit, self._counters, clock, defect)
        self._heard = Rounds(clock, DATA_LATE_S, defect)
        self._class_c = ClassC(self, self._plan, self._transmit, clock, defect)
        if self.delivery is not None:
            self.delivery.listen(self._class_c.wake)
        network.on_uplink = self.uplink

    async def run(self) -> None:
        """Answer until cancelled. What was under way when it was is not awaited when it runs again."""
        for _, link in self.mac.known():
            link.answers, link.is_busy = 0, False
        async with asyncio.TaskGroup() as group:
            group.create_task(self.accepts.rounds.run())
            group.create_task(self._heard.run())
            group.create_task(self._class_c.run())

    # -- uplinks -------------------------------------------------------------------------------------------------------

    def uplink(
        self, frame: Frame, phy: DataFrame, opened: Opened, device: Device, advance: Advance | None, *, again: bool
    ) -> None:
        """A genuine uplink, or one `again`, which may want an answer. `advance` knows whether it is on disk."""
        radio = frame.radio
        if device.join is None or not device.join.is_ours or device.session_id is None or radio is None:
            return
        link = self.mac.link(device)
        key = (device.session_id, opened.fcnt)
        if again:
            link.copy(opened.fcnt, radio.rx)
        if self._heard.heard(key, frame) or (again and not phy.confirmed):
            return
        commands = _commands(phy, opened)
        agreed = False
        if not again:
            agreed = self.mac.heard(frame, opened, device, self._network.data_rate(radio), commands)
            if self.delivery is not None:
                self.delivery.heard(device.dev_eui or "", ack=phy.ack)
        asked = asks(commands)
        must = phy.confirmed or phy.adr_ack_req or agreed
        if not (must or asked or self.waits(device) or self.mac.requests_for(device, link, adr_bit=phy.adr)):
            return
        answer = partial(self._answer, phy, opened, device, link, advance, asked, must=must, agreed=agreed)
        if self._heard.begin(key, frame, partial(_counted, link, answer)):
            link.answers += 1
        else:
            self.results["busy"] += 1

    async def _answer(
        self,
        phy: DataFrame,
        opened: Opened,
        device: Device,
        link: RadioLink,
        advance: Advance | None,
        asked: Asked,
        this: Round,
        *,
        must: bool,
        agreed: bool,
    ) -> None:
        radio, join = this.frame.radio, device.join
        assert radio is not None
        assert join is not None
        if advance is not None and not await self._stored(advance):
            self.results["not_stored"] += 1
            return
        at = this.frame.at
        told = answers(asked, radio.datarate, this.receptions, gps_ns(at.wall_ns) if at.synced else None)
        way = self._transmit.answering(this, self._plan.receive(join.mac), device.dev_eui)
        requests = self.mac.requests_for(device, link, adr_bit=phy.adr)
        if not (told or must or requests or self.waits(device)):
            self.results["no_time"] += 1  # all that it asked for is the time, which is not known here
            return
        acks = opened.fcnt if phy.confirmed else None
        self.count(await self.send(device, link, way, told, requests, acks=acks, agreed=agreed, must=must))

    def count(self, sent: Sent | None) -> None:
        """What became of a downlink."""
        if sent is None:
            self.results["not_stored"] += 1
        else:
            self.results["no_room" if sent.status is TxStatus.IGNORED else sent.status.value] += 1

    async def _stored(self, advance: Advance) -> bool:
        """Whether the uplink is on disk in time: nothing is acknowledged before."""
        for _ in range(int(STORED_S / _STEP_S)):
            if advance.stored is not None:
                break
            await self._clock.sleep(_STEP_S)
        return advance.stored is True

    # -- downlinks -----------------------------------------------------------------------------------------------------

    async def send(
        self,
        device: Device,
        link: RadioLink,
        way: Way,
        told: bytes = b"",
        requests: Sequence[bytes] = (),
        *,
        acks: int | None = None,
        agreed: bool = False,
        must: bool = False,
    ) -> Sent | None:
        """One downlink with all that fits. None when its counter cannot be had.

        Where nothing fits there is none, unless it `must` be: IGNORED. `acks`: the counter of the confirmed uplink that
        it acknowledges; `agreed`: as in DownCounters.next.
        """
        item = self._next(device, way, len(told))
        parts = assemble(way.room_bytes, told, requests, item)
        fcnt = None
        if item is not None and self.delivery is not None:
            fcnt = await self._counter(device, link, parts, is_app=True, agreed=agreed)
            if fcnt is None or not await self.delivery.take(item, fcnt):
                item, parts, fcnt = None, assemble(way.room_bytes, told, requests, None), None
        if fcnt is None:
            if not (must or parts.size_bytes):
                return Sent(TxStatus.IGNORED)
            fcnt = await self._counter(device, link, parts, is_app=False, agreed=agreed)
        if fcnt is None:
            return None
        try:
            sent = await way.send(self._built(device, parts, fcnt, way.room_bytes, acks), item is not None)
        except BaseException:
            if item is not None and self.delivery is not None:
                self.delivery.doubtful(item)
            raise
        self.mac.transmitted(device, parts.requests, is_taken=sent.is_taken)
        if item is not None and self.delivery is not None:
            self.delivery.done(item, fcnt, sent.status)
        return sent

    def _next(self, device: Device, way: Way, told_bytes: int) -> Item | None:
        """What an application has for it, if that can be sent now."""
        if self.delivery is None or device.dev_eui is None:
            return None
        item = self.delivery.next(device.dev_eui, way.room_bytes - told_bytes)
        if item is not None and not way.has_airtime(AROUND_BYTES + HEAD_BYTES + told_bytes + len(item.payload)):
            self.delivery.delayed(item)
            return None
        return item

    async def _counter(
        self, device: Device, link: RadioLink, parts: Parts, *, is_app: bool, agreed: bool
    ) -> int | None:
        pending = b"".join(parts.requests).hex() or None
        confirmed = is_app and parts.confirmed
        return await self._counters.next(
            device, link, is_app=is_app, pending=pending, confirmed=confirmed, agreed=agreed
        )

    def _built(self, device: Device, parts: Parts, fcnt: int, room_bytes: int, acks: int | None) -> bytes:
        session = device.session
        assert session is not None
        more = self.delivery is not None and self.delivery.has_more(device.dev_eui or "", room_bytes)
        return build_downlink(
            session.keys,
            session.dev_addr,
            fcnt,
            parts.fport,
            parts.payload,
            confirmed=parts.confirmed,
            adr=self.mac.adr_of(device) != "off",
            ack=acks is not None,
            f_pending=more or bool(parts.left),
            fopts=parts.fopts,
            conf_fcnt=acks or 0,
        )

    def waits(self, device: Device) -> bool:
        """Whether an application has something for this device."""
        return self.delivery is not None and self.delivery.waits(device.dev_eui or "")


def _commands(phy: DataFrame, opened: Opened) -> list[MacCommand]:
    data = opened.payload if phy.fport == 0 else opened.fopts
    return decode(data, uplink=True)[0] if data else []


async def _counted(link: RadioLink, answer: Callable[[Round], Awaitable[None]], this: Round) -> None:
    """One answer, which is not under way any more when it ends, however it does."""
    try:
        await answer(this)
    finally:
        link.answers = max(0, link.answers - 1)
