"""What is in flight between an MQTT 5 client and its broker: the window, packet ids, and who waits for which PUBACK.

Source: MQTT Version 5.0, OASIS Standard, 7 March 2019, 2.2.1 (packet identifiers), 4.9 (flow control). Does no I/O.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec

from torhaus.daemon.mqtt.bounds import ProtocolError
from torhaus.daemon.mqtt.wire import PubAck

MAX_WINDOW: Final = 1024
"""Messages in flight at most, whatever the broker allows: bounds memory and what must be repeated after a loss."""

COALESCE_BYTES: Final = 1 << 18
"""Bytes handed out for one write, so that a transport's high-water mark is noticed in time."""

PENDING: Final = -1
"""No PUBACK has come."""

UNSENDABLE: Final = -2
"""Never sent: no packet can be made of it, or it is larger than the broker takes."""

Render = Callable[[int, int], bytes]
"""(index, packet id) → PUBLISH packet. May raise ProtocolError, for this index alone."""


class Receipts(msgspec.Struct, gc=False):
    """What is known of one batch, by index.

    `codes`: the PUBACK's reason code, or PENDING, or UNSENDABLE.  `texts`: the broker's words, or why it is unsendable.
    `lost`: why the connection ended before the batch was settled, with the broker's `lost_code` where it gave one, and
    `in_flight`: what had been sent without an answer then, of `all_in_flight` messages on the connection.
    """

    codes: list[int]
    texts: dict[int, str]
    lost: str | None = None
    lost_code: int | None = None
    in_flight: list[int] = []
    all_in_flight: int = 0


class Batch:
    """`count` messages that are settled together; `done` is set when all are, or when the connection is lost.

    `urgency`: what waits with a lower number goes first, also when this batch has begun.
    """

    __slots__ = ("alone", "count", "done", "left", "next", "receipts", "render", "urgency")

    def __init__(
        self, count: int, render: Render, done: asyncio.Future[None], *, alone: bool = False, urgency: int = 0
    ) -> None:
        self.count = self.left = count
        self.next = 0
        self.render = render
        self.alone = alone
        self.urgency = urgency
        self.done = done
        self.receipts = Receipts([PENDING] * count, {})

    def settle(self, index: int, code: int, text: str | None) -> None:
        """One index is known."""
        self.receipts.codes[index] = code
        if text:
            self.receipts.texts[index] = text
        self.left -= 1
        if not self.left:
            self.finish()

    def give_up(self, text: str, code: int | None) -> None:
        """The connection is lost; what is pending stays pending."""
        self.receipts.lost = text
        self.receipts.lost_code = code
        self.finish()

    def finish(self) -> None:
        """Wake whoever waits, if anybody still does."""
        if not self.done.done():
            self.done.set_result(None)


class Flight:
    """See the module. `window` is 0 until the broker has said how much it takes."""

    def __init__(self, last_id: int) -> None:
        self.last_id = last_id
        self.window = 0
        self.max_packet_bytes = 1 << 28
        self.waiting: deque[Batch] = deque()
        self.reserved: set[int] = set()  # packet ids in use for other things than messages
        self._sent: dict[int, tuple[Batch, int, float]] = {}  # packet id → batch, index, when; oldest first
        self._alone = False  # what is in flight is to have the connection for itself

    def add(self, batch: Batch) -> None:
        """To be sent: after what is as urgent, before what is less."""
        place = len(self.waiting)
        while place and self.waiting[place - 1].urgency > batch.urgency:
            place -= 1
        self.waiting.insert(place, batch)

    def oldest(self) -> float | None:
        """When the message was sent that has waited longest for its PUBACK."""
        return next(iter(self._sent.values()))[2] if self._sent else None

    def due(self) -> bool:
        """Whether it is time to write again: messages wait, and a quarter of the window is free.

        Brokers acknowledge one by one, and a write for each message would cost more than the message.
        """
        return bool(self.waiting) and 4 * len(self._sent) <= 3 * self.window

    def take(self, now: float) -> bytes:
        """PUBLISH packets for one write: what the window has room for, in the order of `waiting`; empty when none."""
        chunks: list[bytes] = []
        sent, window, waiting, reserved = self._sent, self.window, self.waiting, self.reserved
        size = 0
        while waiting and size < COALESCE_BYTES:
            batch = waiting[0]
            index = batch.next
            if index >= batch.count:
                waiting.popleft()
                continue
            if len(sent) >= window or (sent and (batch.alone or self._alone)):
                break
            batch.next = index + 1
            packet_id = self.last_id % 0xFFFF + 1
            if packet_id in sent or packet_id in reserved:
                packet_id = self.next_id()
            else:
                self.last_id = packet_id
            try:
                packet = batch.render(index, packet_id)
            except ProtocolError as error:
                batch.settle(index, UNSENDABLE, error.detail)
                continue
            if len(packet) > self.max_packet_bytes:
                detail = f"packet of {len(packet)} bytes; the broker takes at most {self.max_packet_bytes}"
                batch.settle(index, UNSENDABLE, detail)
                continue
            self._alone = batch.alone
            sent[packet_id] = (batch, index, now)
            chunks.append(packet)
            size += len(packet)
        return b"".join(chunks)

    def settle(self, ack: PubAck) -> None:
        """A PUBACK; one that nobody waits for settles nothing."""
        entry = self._sent.pop(ack.packet_id, None)
        if entry is not None:
            entry[0].settle(entry[1], ack.reason_code, ack.reason_str)

    def settle_taken(self, packet_ids: tuple[int, ...]) -> None:
        """PUBACKs without a reason code: the broker has these messages."""
        pop = self._sent.pop
        for packet_id in packet_ids:
            entry = pop(packet_id, None)
            if entry is not None:
                batch = entry[0]
                batch.receipts.codes[entry[1]] = 0
                batch.left -= 1
                if not batch.left:
                    batch.finish()

    def give_up(self, text: str, code: int | None) -> None:
        """The connection is lost: say so to every batch that is not settled."""
        batches = dict.fromkeys(self.waiting)
        for batch, index, _ in self._sent.values():
            batch.receipts.in_flight.append(index)
            batch.receipts.all_in_flight = len(self._sent)
            batches[batch] = None
        self._sent.clear()
        self.waiting.clear()
        for batch in batches:
            batch.give_up(text, code)

    def next_id(self) -> int:
        """Counts on from the last one (1 to 65,535), past those in use, of which there are few."""
        packet_id = self.last_id
        while True:
            packet_id = packet_id % 0xFFFF + 1
            if packet_id not in self._sent and packet_id not in self.reserved:
                self.last_id = packet_id
                return packet_id
