"""A site that is its own network server: joins are answered here, and what devices of class A need to go on.

Confirmed uplinks are acknowledged once they are on disk. JoinNonce, DevNonces and the downlink counters are on disk
before they are used, so that none is used twice whatever happens. What waits for a device goes along with what it is
answered, one downlink after each of its uplinks. There is no ADR: devices keep their data rate.
"""

import asyncio
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from torhaus.codecs.lorawan.build import build_downlink
from torhaus.codecs.lorawan.cf_list import FREQUENCIES, CfList, encode_cf_list
from torhaus.codecs.lorawan.eui import format_dev_addr, format_eui64
from torhaus.codecs.lorawan.gps_time import gps_ns
from torhaus.codecs.lorawan.join import JoinAcceptBody
from torhaus.codecs.lorawan.keys import Version
from torhaus.codecs.lorawan.net_id import dev_addr_prefix
from torhaus.codecs.lorawan.phy import DataFrame, JoinRequest
from torhaus.codecs.lorawan.region import region
from torhaus.codecs.lorawan.session import Opened
from torhaus.codecs.model import Frame, RejectReason
from torhaus.daemon.clock import Clock
from torhaus.daemon.config.model import Lorawan
from torhaus.daemon.lora.delivery import Delivery, room_bytes
from torhaus.daemon.lora.down_counters import DownCounters
from torhaus.daemon.lora.downlinks import Downlinks
from torhaus.daemon.lora.join_book import JoinResult
from torhaus.daemon.lora.joins import Joiner, Joins
from torhaus.daemon.lora.mac_answers import answers, asks
from torhaus.daemon.lora.network import Advance, Device, Network
from torhaus.daemon.lora.queue import DownlinkQueue
from torhaus.daemon.lora.rounds import Round, Rounds
from torhaus.daemon.lora.transmit import TAKEN, Transmit
from torhaus.daemon.lora.windows import JOIN_DELAY_S
from torhaus.daemon.outbox.joins import DeviceJoins, Joined

JOIN_LATE_S: Final = 10.0
DATA_LATE_S: Final = 2.5
"""A device repeats a confirmed uplink 3 s after it at the earliest: RX2 and ACK_TIMEOUT (RP002-1.0.4)."""
STORED_S: Final = 1.0
SAVED_S: Final = 3.0
"""Longer is of no use: the windows would be over."""
FRAME_BYTES: Final = 13
"""MHDR, FHDR without FOpts, FPort and MIC: what a data frame has besides its payload."""
_STEP_S: Final = 0.02
_NONCES: Final = 1 << 24
_EPOCH_S: Final = 1_735_689_600
"""2025-01-01: a JoinNonce is at least the minutes since then, so that they rise also after an older state came back."""
_EU868_HZ: Final = (867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000)


class Standalone:
    """`save` writes the state, and says whether what is kept of this device is on disk."""

    def __init__(
        self,
        config: Lorawan,
        network: Network,
        joins: Joins,
        downlinks: Downlinks,
        clock: Clock,
        save: Callable[[str], Awaitable[bool]],
        queue: DownlinkQueue | None = None,
    ) -> None:
        self.results: Counter[str] = Counter()  # of answers to uplinks
        self._config = config
        self._region = region(config.region)
        self._net_id = int(config.net_id, 16)
        self._network = network
        self._joins = joins
        self._transmit = Transmit(self._region, network, downlinks)
        self._clock = clock
        self._save = save
        self._delivery = Delivery(queue) if queue is not None else None
        if self._delivery is not None:
            network.conf_fcnts.update(self._delivery.unanswered())
        self._asked = Rounds(clock, JOIN_LATE_S)
        self._heard = Rounds(clock, DATA_LATE_S)
        self._counters = DownCounters(joins, self._saved)
        joins.judge = self.judge
        network.on_uplink = self.uplink

    async def run(self) -> None:
        """Answer until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._asked.run())
            group.create_task(self._heard.run())

    # -- joins ---------------------------------------------------------------------------------------------------------

    def judge(self, joiner: Joiner, frame: Frame, request: JoinRequest) -> tuple[JoinResult, RejectReason | None]:
        """A join-request with the right MIC: whether it is answered."""
        key = (format_eui64(request.dev_eui), request.dev_nonce)
        if self._asked.heard(key, frame):
            return JoinResult.REQUESTED, None
        if _is_used(joiner, request.dev_nonce):
            return JoinResult.NONCE_USED, RejectReason.REPLAY
        if not self._asked.begin(key, frame, partial(self._accept, joiner, request)):
            return JoinResult.NOT_SENT, RejectReason.UNSUPPORTED
        return JoinResult.REQUESTED, None

    async def _accept(self, joiner: Joiner, request: JoinRequest, this: Round) -> None:
        kept, radio = joiner.kept, this.frame.radio
        assert radio is not None
        opt_neg = joiner.roots.app_key is not None
        nonce = self._join_nonce(kept)
        if nonce >= _NONCES:
            self._told(JoinResult.NONCES_USED_UP, joiner, request)
            return
        cf_list = encode_cf_list(CfList(FREQUENCIES, _EU868_HZ)) if self._region.name == "EU868" else b""
        settings = 0x80 * opt_neg | self._region.rx2_dr
        delay = self._config.rx1_delay_s
        body = JoinAcceptBody(nonce, self._net_id, self._free_addr(), settings, delay, cf_list)
        joined = Joined(
            kept.last_number + 1,
            body.dev_addr,
            request.join_eui,
            request.dev_nonce,
            nonce,
            self._net_id,
            opt_neg,
            cf_list.hex(),
            self._clock.wall_ns(),
            is_ours=True,
        )
        phy = joiner.roots.answer(body, request.join_eui, request.dev_nonce)
        used = (request.dev_nonce,) if joiner.counts_nonces else (*kept.dev_nonces, request.dev_nonce)
        self._joins.begin(joiner, joined, join_nonce=nonce, dev_nonces=used)
        if not await self._saved(format_eui64(request.dev_eui)):
            self._told(JoinResult.NOT_STORED, joiner, request)
            return
        status, gateway = await self._transmit.send(this, phy, JOIN_DELAY_S, joiner.device.dev_eui)
        result = JoinResult.ACCEPTED if status in TAKEN else JoinResult.NOT_SENT
        self._told(result, joiner, request, format_dev_addr(body.dev_addr), gateway)

    def _join_nonce(self, kept: DeviceJoins) -> int:
        """The next one of a device: never one again, and rising, as 1.0.4 and 1.1 want it."""
        stamp = self._clock.stamp()
        minutes = max(0, stamp.wall_ns // 1_000_000_000 - _EPOCH_S) // 60 if stamp.synced else 0
        return max(kept.join_nonce + 1, minutes)

    def _free_addr(self) -> int:
        """A DevAddr of our network that nobody has."""
        prefix, bits = dev_addr_prefix(self._net_id)
        while True:
            addr = prefix << (32 - bits) | secrets.randbelow(1 << (32 - bits))
            if not self._network.has_addr(addr):
                return addr

    def _told(
        self,
        result: JoinResult,
        joiner: Joiner,
        request: JoinRequest,
        dev_addr: str | None = None,
        gateway: str | None = None,
    ) -> None:
        self._joins.told(result, joiner, request.join_eui, request.dev_nonce, gateway, dev_addr)

    # -- uplinks -------------------------------------------------------------------------------------------------------

    def uplink(
        self, frame: Frame, phy: DataFrame, opened: Opened, device: Device, advance: Advance | None, *, again: bool
    ) -> None:
        """A genuine uplink, or one `again`, which may want an answer. `advance` knows whether it is on disk."""
        if device.join is None or not device.join.is_ours or device.session_id is None:
            return
        commands = opened.payload if phy.fport == 0 else opened.fopts
        asked = asks(commands) if commands else frozenset()
        waits = not again and self._delivery is not None and self._delivery.heard(device.dev_eui or "", ack=phy.ack)
        if not (phy.confirmed or phy.adr_ack_req or asked or waits):
            return
        key = (device.session_id, opened.fcnt)
        if self._heard.heard(key, frame) or (again and not phy.confirmed):
            return
        if not self._heard.begin(key, frame, partial(self._answer, phy, opened, device, advance, asked)):
            self.results["busy"] += 1

    async def _answer(
        self,
        phy: DataFrame,
        opened: Opened,
        device: Device,
        advance: Advance | None,
        asked: frozenset[str],
        this: Round,
    ) -> None:
        radio, session = this.frame.radio, device.session
        assert radio is not None
        assert session is not None
        if advance is not None and not await self._stored(advance):
            self.results["not_stored"] += 1
            return
        at = this.frame.at
        fopts = answers(asked, radio.datarate, this.receptions, gps_ns(at.wall_ns) if at.synced else None)
        if await self._deliver(this, phy, opened, device, fopts):
            return
        if not (fopts or phy.confirmed or phy.adr_ack_req):
            if asked:
                self.results["no_time"] += 1  # all that it asked for is the time, which is not known here
            return
        fcnt = await self._counters.next(device, "fcnt_down_to")
        if fcnt is None:
            self.results["not_stored"] += 1
            return
        data = build_downlink(
            session.keys, session.dev_addr, fcnt, None, ack=phy.confirmed, fopts=fopts, conf_fcnt=opened.fcnt
        )
        status, _ = await self._transmit.send(this, data, self._config.rx1_delay_s, device.dev_eui)
        self.results[status.value] += 1

    async def _deliver(self, this: Round, phy: DataFrame, opened: Opened, device: Device, fopts: bytes) -> bool:
        """Send what waits for the device along with the answer. False when there is nothing, or it cannot be sent."""
        delivery, session, radio = self._delivery, device.session, this.frame.radio
        assert session is not None
        assert radio is not None
        if delivery is None or device.dev_eui is None:
            return False
        room = room_bytes(self._region, radio.freq_hz, self._network.data_rate(radio)) - len(fopts)
        item = delivery.next(device.dev_eui, room)
        if item is None:
            return False
        size, delay_s = FRAME_BYTES + len(fopts) + len(item.payload), self._config.rx1_delay_s
        if not self._transmit.has_airtime(this, size, delay_s):
            delivery.delayed(item)
            return False
        is_1_1 = session.keys.version is Version.V1_1
        fcnt = await self._counters.next(device, "afcnt_down_to" if is_1_1 else "fcnt_down_to")
        if fcnt is None or not await delivery.take(item, fcnt):
            return False
        if item.confirmed:
            self._network.conf_fcnts[device.dev_eui] = fcnt
        try:
            data = build_downlink(
                session.keys,
                session.dev_addr,
                fcnt,
                item.fport,
                item.payload,
                confirmed=item.confirmed,
                ack=phy.confirmed,
                f_pending=delivery.has_more(device.dev_eui, room),
                fopts=fopts,
                conf_fcnt=opened.fcnt,
            )
            status, _ = await self._transmit.send(this, data, delay_s, device.dev_eui, airtime=True)
        except BaseException:
            delivery.doubtful(item)
            raise
        delivery.done(item, fcnt, status)
        self.results[status.value] += 1
        return True

    async def _stored(self, advance: Advance) -> bool:
        """Whether the uplink is on disk in time: nothing is acknowledged before."""
        for _ in range(int(STORED_S / _STEP_S)):
            if advance.stored is not None:
                break
            await self._clock.sleep(_STEP_S)
        return advance.stored is True

    # -- both ----------------------------------------------------------------------------------------------------------

    async def _saved(self, dev_eui: str) -> bool:
        try:
            async with asyncio.timeout(SAVED_S):
                return await self._save(dev_eui)
        except TimeoutError:
            return False


def _is_used(joiner: Joiner, nonce: int) -> bool:
    """Whether a DevNonce was used before: from 1.0.4 on they rise, before that each may be used once."""
    used = joiner.kept.dev_nonces
    return bool(used) and nonce <= max(used) if joiner.counts_nonces else nonce in used
