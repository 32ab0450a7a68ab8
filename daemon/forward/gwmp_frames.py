"""Stored frames as a packet forwarder would send them now, and what a server asks to be sent down. Pure.

GWMP cannot say that a frame is late: servers take `tmst` for the counter of just now and reckon from it when to answer.
So a late frame goes out with its counter moved on by its age, which leaves the server's idea of the gateway's clock
right, and with its own time in `time`. What the server answers to it comes too late, and is not sent.
"""

from typing import Final

import msgspec

from torhaus.codecs.framing.semtech_udp_client import build_push_data
from torhaus.codecs.framing.semtech_udp_down import TxAck, Txpk
from torhaus.codecs.lorawan.downlink import (
    After,
    AtGpsTime,
    Immediately,
    Timing,
    TxAnswer,
    TxItem,
    TxStatus,
    context_of,
)
from torhaus.codecs.model import Radio
from torhaus.daemon.config.model import parse_time
from torhaus.daemon.forward.message import Message
from torhaus.daemon.forward.relay import LATE_S

MAX_FRAMES: Final = 8
"""Frames in one datagram: no packet forwarder of the SX1301 has ever sent more."""
MAX_BYTES: Final = 1200
"""Of a datagram with several frames: less than any path cuts up. One frame alone may need more."""
MAX_ALONE_BYTES: Final = 4000
"""Of a datagram with one frame: some servers read no more than 4 KiB. What is beyond it has long `meta`."""
_WRAP: Final = 1 << 32
_SECOND_US: Final = 1_000_000
_LONGEST_US: Final = 16 * _SECOND_US
"""The longest RX delay of a device is 15 s, and RX2 is a second later."""
_WORDS: Final = frozenset(
    {"TOO_LATE", "TOO_EARLY", "COLLISION_PACKET", "COLLISION_BEACON", "TX_FREQ", "TX_POWER", "GPS_UNLOCKED"}
)
_BUSY: Final = frozenset({TxStatus.QUEUE_FULL, TxStatus.DUTY_CYCLE_OVERFLOW})


class Uplink(msgspec.Struct, frozen=True, gc=False):
    """One frame of one gateway. `tmst_us` is the counter it goes out with; `context` what answers it, None: nothing."""

    index: int
    gateway: str
    phy: bytes
    radio: Radio
    tmst_us: int
    context: bytes | None
    is_late: bool


def uplink_of(index: int, message: Message, age_s: float) -> Uplink | None:
    """The frame in a message, `age_s` after it was received; None where there is none that a gateway heard."""
    lora, raw = message.lora, message.raw
    if lora is None or not lora.rx or not raw or len(raw) > 255:
        return None
    first = lora.rx[0]
    is_late = age_s > LATE_S
    at_us = (parse_time(message.at) or 0) // 1000
    tmst = first.tmst_us if first.tmst_us is not None else at_us % _WRAP
    time = first.time
    if is_late:
        if age_s != float("inf"):
            tmst = (tmst + int(age_s * 1e6)) % _WRAP
        if time is None and message.clock != "unsynced":
            time = message.at
    rx = [msgspec.structs.replace(r, tmst_us=tmst, time=time) for r in lora.rx]
    radio = Radio(lora.freq_hz, lora.modulation, lora.datarate, lora.coderate, rx)
    return Uplink(index, first.gateway, raw, radio, tmst, context_of(first), is_late)


def datagrams(uplinks: list[Uplink], eui: str) -> list[list[Uplink]]:
    """The frames of one gateway, as many in a datagram as fit, in order."""
    out: list[list[Uplink]] = []
    size = 0
    for one in uplinks:
        own = len(build_push_data(b"\0\0", eui, [(one.phy, one.radio)]))
        if own > MAX_ALONE_BYTES:
            for r in one.radio.rx:  # ours: they were copied
                r.meta = None
        if not out or len(out[-1]) >= MAX_FRAMES or size + own > MAX_BYTES:
            out.append([])
            size = 0
        out[-1].append(one)
        size += own
    return out


class Counter:
    """What a gateway's counter means: which frames were sent with which value, so that an answer finds its frame."""

    def __init__(self, most: int = 256) -> None:
        self._sent: dict[int, tuple[bytes | None, bool]] = {}  # counter to context, late; oldest first
        self._most = most
        self._is_native = False  # its frames bring counters of their own, and these answer them

    def note(self, uplink: Uplink) -> None:
        """This frame was sent."""
        self._sent.pop(uplink.tmst_us, None)
        self._sent[uplink.tmst_us] = (uplink.context, uplink.is_late)
        if len(self._sent) > self._most:
            del self._sent[next(iter(self._sent))]
        if not uplink.is_late:
            self._is_native = uplink.context == uplink.tmst_us.to_bytes(4, "big")

    def timing_of(self, tx: Txpk) -> Timing | None:
        """When to send; None where it answers a late frame, or one that nobody here knows."""
        if tx.immediate:
            return Immediately()
        if tx.tmst_us is None:
            return AtGpsTime((tx.gps_time_ms or 0) * 1000)
        for delay_us in range(_SECOND_US, _LONGEST_US + 1, _SECOND_US):
            found = self._sent.get((tx.tmst_us - delay_us) % _WRAP)
            if found is not None:
                context, is_late = found
                return None if is_late or context is None else After(delay_us, context)
        if not self._is_native:
            return None
        return After(_SECOND_US, ((tx.tmst_us - _SECOND_US) % _WRAP).to_bytes(4, "big"))


def item_of(tx: Txpk, at: Timing) -> TxItem:
    """A txpk in the words of downlinks."""
    return TxItem(
        data=tx.data,
        freq_hz=tx.freq_hz,
        modulation=tx.modulation,
        datarate=tx.datarate,
        at=at,
        coderate=tx.coderate,
        power_dbm=tx.power_dbm,
        invert_polarization=tx.invert_polarization,
        crc=tx.crc,
        preamble=tx.preamble,
        deviation_hz=tx.deviation_hz,
        board=tx.board,
        antenna=tx.antenna,
    )


def tx_ack_of(answer: TxAnswer) -> TxAck:
    """What became of it, in the words that GWMP has. Others are not understood by every server, so they are put so."""
    status = answer.status
    if status is TxStatus.OK:
        return TxAck(None, answer.warning, answer.power_dbm)
    if status.value in _WORDS:
        return TxAck(status.value)
    return TxAck("COLLISION_PACKET" if status in _BUSY else "TOO_LATE")
