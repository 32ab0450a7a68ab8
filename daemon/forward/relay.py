"""What a relay is: a forwarder that passes raw LoRaWAN frames, as gateways heard them, on to a network server.

Its module says `RELAY = True`, and its config has `filter: FrameFilter`. It reads the log `relay`, where there is every
frame that some relay wants, whoever sent it: unknown devices, join-requests, the copies that further gateways heard.
The message of such a frame is of the kind `frame`: `raw` is the PHYPayload, `lora.rx` how one gateway heard it. Reports
of gateways come as `event`. Order is kept by DevAddr: a network server drops what has a lower counter than the last.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from torhaus.codecs.model import Reception
from torhaus.daemon.clock import Clock
from torhaus.daemon.config.model import parse_time
from torhaus.daemon.forward.message import Message
from torhaus.daemon.lora.filters import Filter, parse_eui
from torhaus.daemon.outbox.record import Record

LATE_S: Final = 5.0
"""Older frames are late: their device has stopped listening, or will have before an answer is on its way."""
EUI: Final = re.compile(r"[0-9a-f]{16}")
"""A gateway by which something can be sent on: drivers give EUIs in this form, but events are only text."""
_BAD_CRC: Final = -1
_JOIN: Final = (0x00, 0xC0)
Wants = Callable[[Record], bool]


def wants_of(config: Any) -> Wants:  # noqa: ANN401 - any relay's config
    """Which records a relay with this config wants: events, and the frames that its filter lets through."""
    is_wanted = Filter(config.filter).wants
    gateways = frozenset(map(parse_eui, config.filter.gateways))

    def wants(record: Record) -> bool:
        if record.kind == "event":
            return not gateways or (record.event or {}).get("gateway") in gateways
        lora = record.lora
        if lora is None or record.raw is None:
            return False
        if gateways and not (lora.rx and lora.rx[0].gateway in gateways):
            return False
        return is_wanted(record.raw, dev_eui=record.dev_eui, crc_bad=is_crc_bad(lora.rx))

    return wants


def any_of(wants: list[Wants]) -> Wants | None:
    """What at least one of several relays wants; None when there is no relay."""
    if len(wants) < 2:
        return wants[0] if wants else None
    return lambda record: any(one(record) for one in wants)


def is_crc_bad(rx: list[Reception]) -> bool:
    """Whether all antennas of the gateway say that the radio CRC is wrong."""
    return bool(rx) and all(r.crc == _BAD_CRC for r in rx)


def is_join(message: Message) -> bool:
    """Whether it is a join- or rejoin-request: of no use to anybody once the device has stopped listening."""
    return is_join_phy(message.raw)


def is_join_phy(raw: bytes | None) -> bool:
    """The same of a PHYPayload."""
    return raw is not None and raw[:1] != b"" and raw[0] & 0xE0 in _JOIN


def age_s(message: Message, clock: Clock) -> float:
    """How long ago it was received. One of the backlog whose time nobody could put right is as old as can be."""
    if message.late and message.clock == "unsynced":
        return float("inf")
    at_ns = parse_time(message.at)
    return max(0.0, (clock.wall_ns() - (at_ns or 0)) / 1e9)
