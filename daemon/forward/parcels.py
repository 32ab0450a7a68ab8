"""Late records packed into few messages, each an array of them, settled together.

A broker that takes 20 messages at once over a line with 100 ms round trips takes 200 messages a second, whatever is in
them. Pure.
"""

from typing import Final, Protocol

import msgspec

from torhaus.daemon.forward.base import Item
from torhaus.daemon.forward.flight import ProtocolError
from torhaus.daemon.forward.message import Message

PARCEL_BYTES: Final = 64 << 10
"""Payloads in one message; a single larger one goes by itself."""


class Encoder(Protocol):
    """What makes payloads."""

    def payload(self, message: Message) -> bytes:
        """One record. Raises ProtocolError where it cannot be written."""
        ...

    def pack(self, payloads: list[bytes]) -> bytes:
        """Several as one."""
        ...


class Parcel(msgspec.Struct, gc=False):
    """The items, by index into their batch, that one message holds; no `payload` is one that is sent as it is."""

    indices: list[int]
    payload: bytes | None = None


def parcels_of(batch: list[Item], encoder: Encoder, most: int, alone: set[str]) -> list[Parcel]:
    """The batch in order, `most` items in a parcel; what is in `alone` (ids), or cannot be written, by itself."""
    out: list[Parcel] = []
    indices: list[int] = []
    payloads: list[bytes] = []
    size = 0

    def close() -> None:
        nonlocal size
        if len(indices) > 1:
            out.append(Parcel(indices.copy(), encoder.pack(payloads)))
        elif indices:
            out.append(Parcel(indices.copy()))
        indices.clear()
        payloads.clear()
        size = 0

    for i, item in enumerate(batch):
        payload = None
        if item.message.id not in alone:
            try:
                payload = encoder.payload(item.message)
            except ProtocolError:
                payload = None  # it is refused when it is sent by itself, and says why
        if payload is None:
            close()
            out.append(Parcel([i]))
            continue
        if indices and (len(indices) >= most or size + len(payload) > PARCEL_BYTES):
            close()
        indices.append(i)
        payloads.append(payload)
        size += len(payload) + 1
    close()
    return out
