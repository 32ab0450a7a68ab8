"""Records as messages of ChirpStack's gateway API, and what is better not sent any more. Pure.

Source: codecs/framing/chirpstack_gw. The rules for late frames follow from what ChirpStack v4 does with them: a join-
request makes a new session, whatever its age, so that a device that has stopped waiting for the answer goes dark; a
confirmed frame is answered by the counter of its context, which means another time by now.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from torhaus.codecs.framing.chirpstack_gw.as_json import to_json
from torhaus.codecs.framing.chirpstack_gw.as_protobuf import to_protobuf
from torhaus.codecs.framing.chirpstack_gw.fields import Message as GwMessage
from torhaus.codecs.framing.chirpstack_gw.stats import gateway_stats
from torhaus.codecs.framing.chirpstack_gw.uplink import uplink_frame, uplink_id
from torhaus.codecs.lorawan.phy import MType
from torhaus.codecs.model import DecodeError, Radio, Reception, RejectReason
from torhaus.daemon.clock import Clock
from torhaus.daemon.config.model import parse_time
from torhaus.daemon.forward.base import Item, Outcome
from torhaus.daemon.forward.chirpstack_config import Config
from torhaus.daemon.forward.message import Message
from torhaus.daemon.forward.relay import EUI, LATE_S, age_s, is_join

LATE_CONTEXT: Final = b"torhaus:late"
"""The context of a late frame. What the server answers to it carries it back, and is not given to any gateway."""

Encode = Callable[[GwMessage], bytes]


class Parcel(msgspec.Struct, gc=False):
    """One MQTT message of item `index`: a frame as one antenna heard it, or a gateway's report (`raw` empty)."""

    index: int
    gateway: str
    event: str  # up, stats
    payload: bytes
    id: str
    raw: bytes = b""
    late: bool = False


def encoder(encoding: str) -> Encode:
    """How messages are written."""
    return to_protobuf if encoding == "protobuf" else to_json


class Frames:
    """Makes parcels of a batch."""

    def __init__(self, config: Config, clock: Clock, encode: Encode) -> None:
        self._join_max_age_s = config.join_max_age_s
        self._drops_late_confirmed = config.late_confirmed == "drop"
        self._clock = clock
        self._encode = encode

    def parcels(self, batch: list[Item], outcome: Outcome) -> list[Parcel]:
        """What is to be sent of a batch, in order; what is not goes to the outcome."""
        out: list[Parcel] = []
        for index, item in enumerate(batch):
            message = item.message
            age = age_s(message, self._clock)
            reason = self._refused(message, age)
            if reason is not None:
                outcome.dropped[index] = reason
                continue
            try:
                out += self._report(index, message) if message.kind == "event" else self._uplinks(index, message, age)
            except DecodeError as e:
                outcome.rejected[index] = f"not a message for ChirpStack: {e.detail or e.reason.value}"
        return out

    def _refused(self, message: Message, age: float) -> str | None:
        if is_join(message):
            return "stale_join" if age > self._join_max_age_s else None
        if self._drops_late_confirmed and age > LATE_S and message.raw and message.raw[0] >> 5 == MType.CONFIRMED_UP:
            return "late_confirmed"
        return None

    def _report(self, index: int, message: Message) -> list[Parcel]:
        values = message.event or {}
        gateway = _checked(str(values.get("gateway", "")))
        stats = gateway_stats(gateway, values, _trusted_ns(message))
        return [Parcel(index, gateway, "stats", self._encode(stats), message.id)]

    def _uplinks(self, index: int, message: Message, age: float) -> list[Parcel]:
        lora, raw = message.lora, message.raw
        if lora is None or not lora.rx or raw is None:
            raise DecodeError(RejectReason.RANGE, "no frame that a gateway has heard")
        radio = Radio(lora.freq_hz, lora.modulation, lora.datarate, lora.coderate)
        seq = int(message.id.rpartition("/")[2])
        is_late = age > LATE_S
        trusted_ns = _trusted_ns(message)
        out = []
        for n, rx in enumerate(lora.rx):
            frame = uplink_frame(
                raw,
                radio,
                _unanswerable(rx) if is_late else rx,
                uplink_id=uplink_id(seq, n),
                trusted_ns=trusted_ns,
                metadata={"late": "true"} if is_late else None,
            )
            gateway = _checked(rx.gateway)
            late = is_late or message.late  # what lay in the log follows faster than it was received
            out.append(Parcel(index, gateway, "up", self._encode(frame), message.id, raw, late))
        return out


def _unanswerable(rx: Reception) -> Reception:
    return msgspec.structs.replace(rx, context=LATE_CONTEXT)


def _trusted_ns(message: Message) -> int | None:
    """When it was received, if the clock was right or could be put right."""
    return None if message.clock == "unsynced" else parse_time(message.at)


def _checked(gateway: str) -> str:
    """It becomes part of a topic."""
    if EUI.fullmatch(gateway) is None:
        raise DecodeError(RejectReason.RANGE, "no gateway with an EUI")
    return gateway
