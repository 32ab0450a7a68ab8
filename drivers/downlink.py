"""Who carries downlinks. Its words are those of `torhaus.codecs.lorawan.downlink`; they can be had here, too."""

from typing import Protocol

from torhaus.codecs.lorawan.downlink import (
    After,
    AtGpsTime,
    Downlink,
    Immediately,
    Timing,
    TxAnswer,
    TxItem,
    TxStatus,
    context_of,
)

__all__ = [
    "After",
    "AtGpsTime",
    "Downlink",
    "Immediately",
    "Timing",
    "Transmitter",
    "TxAnswer",
    "TxItem",
    "TxStatus",
    "context_of",
]


class Transmitter(Protocol):
    """A driver that can send down: it has this beside `run`."""

    async def transmit(self, downlink: Downlink) -> tuple[TxAnswer, ...]:
        """Send through one of its gateways; one answer for each item, in order. Never raises for a gateway's faults.

        Items are handed over at once and in order; it returns as soon as it is known what became of all of them.
        """
        ...
