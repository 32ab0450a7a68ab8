"""What is sent down through a gateway, and what became of it: the same words whatever protocol the gateway speaks.

Names follow the ChirpStack gateway API and GWMP; time units are in the names.
"""

from enum import StrEnum
from typing import Final

import msgspec

from torhaus.codecs.model import Reception

_TMST_BYTES: Final = 4
_XTIME_BYTES: Final = 16


class TxStatus(StrEnum):
    """What a gateway says of one way to send. Metric labels and wire names (ChirpStack gw.proto, TxAckStatus)."""

    OK = "OK"
    IGNORED = "IGNORED"  # not tried: an earlier item went out, or none could
    TOO_LATE = "TOO_LATE"
    TOO_EARLY = "TOO_EARLY"
    COLLISION_PACKET = "COLLISION_PACKET"
    COLLISION_BEACON = "COLLISION_BEACON"
    TX_FREQ = "TX_FREQ"
    TX_POWER = "TX_POWER"
    GPS_UNLOCKED = "GPS_UNLOCKED"
    QUEUE_FULL = "QUEUE_FULL"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    DUTY_CYCLE_OVERFLOW = "DUTY_CYCLE_OVERFLOW"
    NO_GATEWAY = "NO_GATEWAY"  # ours: the gateway is not there, or has not said where it can be reached
    NO_ANSWER = "NO_ANSWER"  # ours: it was handed over, and the gateway never said what became of it


class Immediately(msgspec.Struct, frozen=True, gc=False):
    """Send as soon as the gateway can (class C)."""


class After(msgspec.Struct, frozen=True, gc=False):
    """Send `delay_us` after a reception of this gateway, that of `context` (`context_of`)."""

    delay_us: int
    context: bytes


class AtGpsTime(msgspec.Struct, frozen=True, gc=False):
    """Send at a time: microseconds since 1980-01-06T00:00:00Z, leap seconds not taken out (class B)."""

    gps_us: int


Timing = Immediately | After | AtGpsTime


class TxItem(msgspec.Struct, frozen=True, gc=False):
    """One way to send. `datarate` as in Radio: "SF9BW125", "50000". `power_dbm` is EIRP; None: what the gateway has."""

    data: bytes  # PHYPayload
    freq_hz: int
    modulation: str  # LORA, FSK
    datarate: str
    at: Timing
    coderate: str | None = "4/5"
    power_dbm: float | None = None
    invert_polarization: bool = True  # as LoRaWAN downlinks are
    crc: bool = False
    preamble: int | None = None
    deviation_hz: int | None = None  # FSK
    board: int | None = None
    antenna: int | None = None


class Downlink(msgspec.Struct, frozen=True, gc=False):
    """One frame for one gateway. `items` are tried in order until one is sent: usually RX1, then RX2."""

    gateway: str  # EUI-64, 16 lower-case hex digits
    items: tuple[TxItem, ...]
    priority: int = 0
    dev_eui: str | None = None


class TxAnswer(msgspec.Struct, frozen=True, gc=False):
    """What became of one item. `warning`: it was sent, but not quite as asked (GWMP `warn`), in a gateway's words."""

    status: TxStatus
    warning: str | None = None
    power_dbm: float | None = None  # really used, where the gateway says so
    detail: str | None = None  # why not, where there is more to say than the status
    answered_s: float | None = None  # from handing over to the gateway's answer; None where there was none


def context_of(reception: Reception) -> bytes:
    """What a network server has to give back, so that its answer can be timed by this reception.

    The driver's own bytes, or, of a GWMP gateway, its counter `tmst` in 4 bytes, big-endian, as ChirpStack has it.
    Empty when there is neither: it cannot be answered in a receive window.
    """
    if reception.context is not None:
        return reception.context
    tmst = reception.tmst_us
    return b"" if tmst is None else (tmst & 0xFFFF_FFFF).to_bytes(_TMST_BYTES, "big")


def counter_us(context: bytes) -> int | None:
    """The gateway's microsecond counter at the reception that a context is of, modulo 2^32; None for unknown contexts.

    GWMP and ChirpStack Concentratord have the counter in 4 bytes; the contexts of Basics Station (16 bytes,
    torhaus.codecs.framing.basics_station) end with its `xtime`, whose lower part is one.
    """
    return int.from_bytes(context[-_TMST_BYTES:], "big") if len(context) in {_TMST_BYTES, _XTIME_BYTES} else None
