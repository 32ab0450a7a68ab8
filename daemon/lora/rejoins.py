"""Rejoin-requests of LoRaWAN 1.1: whose they are; and those that pass on their way to a network server elsewhere.

LoRaWAN 1.1 section 6.2.4. Types 0 and 2 are of a session: their MIC is under its SNwkSIntKey. Type 1 is of the device,
and its MIC under JSIntKey. How they are answered where this site is the network server: accepts.py.
"""

from collections import Counter

import msgspec

from torhaus.codecs.lorawan.eui import format_eui64
from torhaus.codecs.lorawan.phy import RejoinRequest
from torhaus.codecs.model import Frame, RejectReason
from torhaus.daemon.lora.join_book import WORDS, JoinResult
from torhaus.daemon.lora.joins import Joiner, Joins
from torhaus.daemon.lora.network import Device, Network

OF_DEVICE = 1
"""The type that is of no session."""


class Again(msgspec.Struct, frozen=True):
    """A genuine request. `old` is its session, None for type 1; `last` the last RJcount that was answered here."""

    joiner: Joiner
    old: Device | None
    join_eui: int
    last: int


class No(msgspec.Struct, frozen=True):
    """Why it is nobody's: as a label, for the record, and in words."""

    result: str
    reason: RejectReason
    text: str


def whose(joins: Joins, frame: Frame, request: RejoinRequest, device: Device | None) -> Again | No:
    """Who asks to rejoin."""
    joiner = joins.of(device) if device is not None else None
    if joiner is None:
        return No("unknown_device", RejectReason.UNKNOWN_DEVICE, WORDS[JoinResult.UNKNOWN_DEVICE])
    if joiner.roots.app_key is None:
        text = "the device is configured for LoRaWAN 1.0, which has none"
        return No("not_1_1", RejectReason.UNSUPPORTED, text)
    if request.rejoin_type == OF_DEVICE:
        if joiner.roots.rejoined_by(frame.data, request):
            return Again(joiner, None, request.join_eui or 0, joiner.kept.rj_count1)
    else:
        old = next((d for d in joiner.live.values() if _is_of(d, frame.data, request)), None)
        if old is not None and old.join is not None and request.net_id == old.join.net_id:
            return Again(joiner, old, old.join.join_eui, old.join.rj_count0)
    text = "its MIC fits no session of the device, or it is of another network"
    return No("wrong_key", RejectReason.MIC, text)


class Rejoins:
    """Beside a network server elsewhere: what asks to rejoin is remembered, so that the answer can be read."""

    def __init__(self, network: Network, joins: Joins) -> None:
        self.results: Counter[str] = Counter()
        self._joins = joins
        network.on_rejoin = self.heard

    def heard(self, frame: Frame, request: RejoinRequest, device: Device | None) -> tuple[RejectReason | None, str]:
        """A rejoin-request came: why it is refused, or None; and that in words."""
        found = whose(self._joins, frame, request, device)
        if isinstance(found, No):
            self.results[found.result] += 1
            return found.reason, f"rejoin-request: {found.text}"
        eui = format_eui64(request.dev_eui)
        is_new = self._joins.requests.remember(frame, eui, found.join_eui, request.rj_count, request.rejoin_type)
        self.results["requested" if is_new else "copy"] += 1
        return None, "rejoin-request: waiting for the answer"


def _is_of(device: Device, phy: bytes, request: RejoinRequest) -> bool:
    return device.session is not None and device.session.keys.verify_rejoin(phy, request)
