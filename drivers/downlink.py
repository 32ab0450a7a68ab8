"""Who carries downlinks. The words of the way down are `torhaus.codecs.lorawan.downlink`'s; they can be had here."""

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
