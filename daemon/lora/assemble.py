"""What goes into one downlink: answers and requests of the MAC layer, and an application's payload. Pure.

LoRaWAN 1.0.4 section 4.3.1: MAC commands are in FOpts, 15 bytes at most, or they are the payload of a frame with FPort
0, never both. FPending says that there is more.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import msgspec

from torhaus.codecs.lorawan.build import MAX_FOPTS_BYTES


class Item(Protocol):
    """An application's downlink, as its queue has it."""

    @property
    def fport(self) -> int:
        """1 to 223."""
        ...

    @property
    def payload(self) -> bytes:
        """In clear."""
        ...

    @property
    def confirmed(self) -> bool:
        """Whether the device is to acknowledge it."""
        ...


ItemT = TypeVar("ItemT", bound=Item)


class Queue(Protocol[ItemT]):
    """Applications' downlinks, by device: lora/queue.py. `take` is on disk before a gateway gets the item."""

    def head(self, dev_eui: str, room_bytes: int) -> ItemT | None:
        """What is to be sent in this window."""
        ...

    listeners: list[Callable[[str], None]]
    """Told the DevEUI when one more is queued."""

    def has(self, dev_eui: str) -> bool:
        """Whether anything of this device is not done with."""
        ...

    def waiting(self, dev_eui: str, room_bytes: int | None = None) -> int:
        """How many wait; with `room_bytes` those only that would fit."""
        ...

    def unanswered(self, dev_eui: str, *, or_under_way: bool = False) -> ItemT | None:
        """The confirmed one that was sent, or is being sent, and of which it is not known whether the device has it."""
        ...

    async def take(self, item: ItemT, fcnt: int) -> bool:
        """It is about to be sent. False: it must not be."""
        ...

    def sent(self, item: ItemT, fcnt: int, detail: str = "") -> None:
        """A gateway has sent it."""
        ...

    def acknowledged(self, item: ItemT) -> bool:
        """The device has it."""
        ...

    def failed(self, item: ItemT, why: str = "") -> None:
        """This attempt came to nothing."""
        ...

    def doubtful(self, item: ItemT) -> None:
        """It was being sent when whoever sends was ended."""
        ...

    def delayed(self, item: ItemT, why: str) -> None:
        """It waits for a reason that passes by itself."""
        ...


class Parts(msgspec.Struct, frozen=True, gc=False):
    """One frame's contents in clear; `requests` are those of the commands that want an answer, `left` the others."""

    fopts: bytes = b""
    fport: int | None = None
    payload: bytes = b""
    confirmed: bool = False
    requests: tuple[bytes, ...] = ()
    left: tuple[bytes, ...] = ()

    @property
    def size_bytes(self) -> int:
        """What counts against N, the longest FRMPayload of a frame without FOpts."""
        return len(self.fopts) + len(self.payload)


def assemble(room_bytes: int, answers: bytes, requests: Sequence[bytes], item: Item | None) -> Parts:
    """As much as fits into `room_bytes` (N of the largest window): answers first, then the item, then requests.

    `answers` have 15 bytes at most. An item that does not fit with them is left out.
    """
    answers = answers if len(answers) <= room_bytes else b""
    if item is not None and len(item.payload) > room_bytes - len(answers):
        item = None
    if item is not None:
        room = min(MAX_FOPTS_BYTES, room_bytes - len(item.payload)) - len(answers)
        sent, left = _fitting(room, requests)
        return Parts(answers + b"".join(sent), item.fport, item.payload, item.confirmed, sent, left)
    sent, left = _fitting(min(MAX_FOPTS_BYTES, room_bytes) - len(answers), requests)
    if left:  # a frame of commands alone has more room
        more, rest = _fitting(room_bytes - len(answers), requests)
        if len(more) > len(sent):
            return Parts(b"", 0, answers + b"".join(more), requests=more, left=rest)
    return Parts(answers + b"".join(sent), requests=sent, left=left)


def _fitting(room_bytes: int, requests: Sequence[bytes]) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """In their order, and without a gap: what comes later may build on what comes first."""
    for n, request in enumerate(requests):
        room_bytes -= len(request)
        if room_bytes < 0:
            return tuple(requests[:n]), tuple(requests[n:])
    return tuple(requests), ()
