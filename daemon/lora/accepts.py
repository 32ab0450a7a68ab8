"""Answers to joins and rejoins. Nonces, counts and the new session are on disk before the accept is sent.

LoRaWAN 1.0.4 section 6.2, LoRaWAN 1.1 section 6.2. A rejoin-request of type 0 or 2 is of a session, and has its MIC;
type 1 needs none. The session stays beside the new one until the first uplink under that.
"""

import secrets
from collections import Counter
from functools import partial
from typing import Final

import msgspec

from torhaus.codecs.lorawan.eui import format_dev_addr, format_eui64
from torhaus.codecs.lorawan.join import JoinAcceptBody
from torhaus.codecs.lorawan.net_id import dev_addr_prefix
from torhaus.codecs.lorawan.phy import JoinRequest, RejoinRequest
from torhaus.codecs.model import Frame, RejectReason
from torhaus.daemon.clock import Clock
from torhaus.daemon.lora.down_counters import DownCounters
from torhaus.daemon.lora.join_book import JoinResult
from torhaus.daemon.lora.joins import Joiner, Joins
from torhaus.daemon.lora.network import Device, Network
from torhaus.daemon.lora.plan import Plan
from torhaus.daemon.lora.rejoins import No, whose
from torhaus.daemon.lora.rounds import Defect, Round, Rounds, no_defect
from torhaus.daemon.lora.transmit import Transmit
from torhaus.daemon.lora.windows import JOIN_DELAY_S
from torhaus.daemon.outbox.joins import DeviceJoins, Joined
from torhaus.daemon.outbox.mac_state import Mac

LATE_S: Final = 10.0
_NONCES: Final = 1 << 24
_EPOCH_S: Final = 1_735_689_600
"""2025-01-01: a JoinNonce is at least the minutes since then, so that they rise also after an older state came back."""
_TRIES: Final = 100
"""To find a DevAddr that nobody has."""
_REKEY: Final = 2
"""The rejoin type that leaves the radio parameters as they are."""


class Accepts:
    """Judges requests, and answers those that may join."""

    def __init__(
        self,
        plan: Plan,
        net_id: int,
        network: Network,
        joins: Joins,
        transmit: Transmit,
        counters: DownCounters,
        clock: Clock,
        defect: Defect = no_defect,
    ) -> None:
        self.rejoins: Counter[str] = Counter()
        self.rounds = Rounds(clock, LATE_S, defect)
        self._plan = plan
        self._net_id = net_id
        self._network = network
        self._joins = joins
        self._transmit = transmit
        self._counters = counters
        self._clock = clock
        joins.judge = self.judge
        network.on_rejoin = self.rejoin

    def judge(self, joiner: Joiner, frame: Frame, request: JoinRequest) -> tuple[JoinResult, RejectReason | None]:
        """A join-request with the right MIC: whether it is answered."""
        key = (format_eui64(request.dev_eui), request.dev_nonce)
        if self.rounds.heard(key, frame):
            return JoinResult.REQUESTED, None
        if _is_used(joiner, request.dev_nonce):
            return JoinResult.NONCE_USED, RejectReason.REPLAY
        if not self.rounds.begin(key, frame, partial(self._accept, joiner, request)):
            return JoinResult.NOT_SENT, RejectReason.UNSUPPORTED
        return JoinResult.REQUESTED, None

    async def _accept(self, joiner: Joiner, request: JoinRequest, this: Round) -> None:
        kept = joiner.kept
        made = self._made(joiner, request.join_eui, request.dev_nonce, self._plan.joined())
        if made is None:
            self._told(JoinResult.NONCES_USED_UP, joiner, request)
            return
        body, joined = made
        phy = joiner.roots.answer(body, request.join_eui, request.dev_nonce)
        used = (request.dev_nonce,) if joiner.counts_nonces else (*kept.dev_nonces, request.dev_nonce)
        self._joins.begin(joiner, joined, join_nonce=body.join_nonce, dev_nonces=used)
        eui = format_eui64(request.dev_eui)
        if not await self._counters.saved(eui):
            self._told(JoinResult.NOT_STORED, joiner, request)
            return
        sent = await self._transmit.send(this, phy, self._plan.join_windows(JOIN_DELAY_S), eui)
        result = JoinResult.ACCEPTED if sent.is_taken else JoinResult.NOT_SENT
        self._told(result, joiner, request, format_dev_addr(body.dev_addr), sent.gateway)

    def _made(self, joiner: Joiner, join_eui: int, nonce: int, mac: Mac) -> tuple[JoinAcceptBody, Joined] | None:
        """A join-accept and its session; None when no JoinNonce is left."""
        join_nonce = self._join_nonce(joiner.kept)
        if join_nonce >= _NONCES:
            return None
        opt_neg = joiner.roots.app_key is not None
        cf_list, settings = self._plan.cf_list(), 0x80 * opt_neg | self._plan.dl_settings()
        body = JoinAcceptBody(join_nonce, self._net_id, self._free_addr(), settings, self._plan.delay_s, cf_list)
        joined = Joined(
            joiner.kept.last_number + 1,
            body.dev_addr,
            join_eui,
            nonce,
            join_nonce,
            self._net_id,
            opt_neg,
            cf_list.hex(),
            self._clock.wall_ns(),
            is_ours=True,
            mac=mac,
        )
        return body, joined

    def _join_nonce(self, kept: DeviceJoins) -> int:
        """The next one of a device: never one again, and rising, as 1.0.4 and 1.1 want it."""
        stamp = self._clock.stamp()
        minutes = max(0, stamp.wall_ns // 1_000_000_000 - _EPOCH_S) // 60 if stamp.synced else 0
        return max(kept.join_nonce + 1, minutes)

    def _free_addr(self) -> int:
        """A DevAddr of our network that nobody has, or, where it has hardly any left, one that is shared.

        Some networks have 128 addresses (NetIDs of type 7). Whose frame it is the MIC says then.
        """
        prefix, bits = dev_addr_prefix(self._net_id)
        for _ in range(_TRIES):
            addr = prefix << (32 - bits) | secrets.randbelow(1 << (32 - bits))
            if not self._network.has_addr(addr):
                break
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

    # -- rejoins -------------------------------------------------------------------------------------------------------

    def rejoin(self, frame: Frame, request: RejoinRequest, device: Device | None) -> tuple[RejectReason | None, str]:
        """A rejoin-request came: why it is refused, or None; and that in words."""
        result, reason, text = self._judged(frame, request, device)
        self.rejoins[result] += 1
        return reason, f"rejoin-request: {text}"

    def _judged(
        self, frame: Frame, request: RejoinRequest, device: Device | None
    ) -> tuple[str, RejectReason | None, str]:
        found = whose(self._joins, frame, request, device)
        if isinstance(found, No):
            return found.result, found.reason, found.text
        joiner, old, join_eui = found.joiner, found.old, found.join_eui
        if old is not None and old.join is not None and not old.join.is_ours:
            return "not_ours", RejectReason.UNSUPPORTED, "its session is another network server's"
        key = (f"{format_eui64(request.dev_eui)}/rejoin{request.rejoin_type}", request.rj_count)
        if self.rounds.heard(key, frame):
            return "copy", None, "heard by another gateway"
        if request.rj_count <= found.last:
            return "count_used", RejectReason.REPLAY, f"its count {request.rj_count} was used before: a recording"
        job = partial(self._accept_again, joiner, request, old, join_eui)
        if not self.rounds.begin(key, frame, job):
            return "busy", RejectReason.UNSUPPORTED, "too many are answered already"
        return "requested", None, "is being answered"

    async def _accept_again(
        self, joiner: Joiner, request: RejoinRequest, old: Device | None, join_eui: int, this: Round
    ) -> None:
        kept = old.join if old is not None else None
        mac = self._plan.joined()
        if kept is not None and request.rejoin_type == _REKEY:
            mac = msgspec.structs.replace(kept.mac, pending="", force_rejoin=None)
        made = self._made(joiner, join_eui, request.rj_count, mac)
        if made is None:
            self.rejoins["nonces_used_up"] += 1
            return
        body, joined = made
        if kept is not None and old is not None and old.join is not None:
            if request.rejoin_type == _REKEY:
                body = msgspec.structs.replace(body, cf_list=b"")  # its radio parameters stay
                joined = msgspec.structs.replace(joined, cf_list=kept.cf_list)
            self._joins.change(old, rj_count0=request.rj_count)
        more = {"rj_count1": request.rj_count} if request.rejoin_type == 1 else {}
        phy = joiner.roots.answer_rejoin(body, request.rejoin_type, join_eui, request.rj_count)
        self._joins.begin(joiner, joined, join_nonce=body.join_nonce, **more)
        eui = format_eui64(request.dev_eui)
        if not await self._counters.saved(eui):
            self.rejoins["not_stored"] += 1
            return
        receive = self._plan.join_windows(JOIN_DELAY_S)
        if kept is not None:  # until it has the answer it listens where it did before
            receive = msgspec.structs.replace(self._plan.receive(kept.mac), delay_s=JOIN_DELAY_S)
        sent = await self._transmit.send(this, phy, receive, eui)
        self.rejoins["accepted" if sent.is_taken else "not_sent"] += 1


def _is_used(joiner: Joiner, nonce: int) -> bool:
    """Whether a DevNonce was used before: from 1.0.4 on they rise, before that each may be used once."""
    used = joiner.kept.dev_nonces
    return bool(used) and nonce <= max(used) if joiner.counts_nonces else nonce in used
