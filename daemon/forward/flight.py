"""What is in flight between us and a far side that acknowledges messages one by one: window, ids, who waits for which.

For MQTT 5 (Version 5.0, OASIS Standard, 7 March 2019, 2.2.1 packet identifiers, 4.9 flow control) and NATS JetStream.
Does no I/O.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, Protocol

import msgspec

MQTT_IDS: Final = 0xFFFF
"""The highest packet id of MQTT (2.2.1)."""

MAX_WINDOW: Final = 1024
"""Messages in flight at most, whatever the far side allows: bounds memory and what must be repeated after a loss."""

COALESCE_BYTES: Final = 1 << 18
"""Bytes handed out for one write, so that a transport's high-water mark is noticed in time."""

PENDING: Final = -1
"""No acknowledgement has come."""

UNSENDABLE: Final = -2
"""Never sent: no packet can be made of it, or it is larger than the far side takes."""

Render = Callable[[int, int], bytes]
"""(index, packet id) → the message's bytes. May raise ProtocolError, for this index alone."""


class ProtocolError(Exception):
    """These bytes are not of the protocol, or this message cannot be written. The text is one line without payload."""

    def __init__(self, detail: str) -> None:
        self.detail = detail[:200]
        super().__init__(self.detail)


class Ack(Protocol):
    """An acknowledgement: of which message, what it says (0: taken), and the far side's words."""

    @property
    def packet_id(self) -> int: ...  # noqa: D102
    @property
    def reason_code(self) -> int: ...  # noqa: D102
    @property
    def reason_str(self) -> str | None: ...  # noqa: D102


class Receipts(msgspec.Struct, gc=False):
    """What is known of one batch, by index.

    `codes`: what the acknowledgement says (0: taken), or PENDING, or UNSENDABLE.  `texts`: the far side's words, or why
    it is unsendable.
    `lost`: why the connection ended before the batch was settled, with the far side's `lost_code` where it gave one.
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
    """See the module. `window` is 0 until it is known how much the far side takes; ids go from 1 to `highest_id`."""

    def __init__(self, last_id: int, highest_id: int = MQTT_IDS) -> None:
        self.last_id = last_id
        self._highest_id = highest_id
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
        """When the message was sent that has waited longest for its acknowledgement."""
        return next(iter(self._sent.values()))[2] if self._sent else None

    def due(self) -> bool:
        """Whether it is time to write again: messages wait, and a quarter of the window is free.

        Far sides acknowledge one by one, and a write for each message would cost more than the message.
        """
        return bool(self.waiting) and 4 * len(self._sent) <= 3 * self.window

    def take(self, now: float) -> bytes:
        """Messages for one write: what the window has room for, in the order of `waiting`; empty when none."""
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
            packet_id = self.last_id % self._highest_id + 1
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
                detail = f"packet of {len(packet)} bytes; the far side takes at most {self.max_packet_bytes}"
                batch.settle(index, UNSENDABLE, detail)
                continue
            self._alone = batch.alone
            sent[packet_id] = (batch, index, now)
            chunks.append(packet)
            size += len(packet)
        return b"".join(chunks)

    def settle(self, ack: Ack) -> None:
        """An acknowledgement; one that nobody waits for settles nothing."""
        entry = self._sent.pop(ack.packet_id, None)
        if entry is not None:
            entry[0].settle(entry[1], ack.reason_code, ack.reason_str)

    def settle_taken(self, packet_ids: Iterable[int]) -> None:
        """Acknowledgements without a reason code: the far side has these messages."""
        pop = self._sent.pop
        for packet_id in packet_ids:
            entry = pop(packet_id, None)
            if entry is not None:
                batch = entry[0]
                batch.receipts.codes[entry[1]] = 0
                batch.left -= 1
                if not batch.left:
                    batch.finish()

    def entries(self) -> list[tuple[int, Batch, int]]:
        """What is in flight, oldest first: packet id, batch, index."""
        return [(packet_id, batch, index) for packet_id, (batch, index, _) in self._sent.items()]

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
        """Counts on from the last one, past those in use, of which there are few."""
        packet_id = self.last_id
        while True:
            packet_id = packet_id % self._highest_id + 1
            if packet_id not in self._sent and packet_id not in self.reserved:
                self.last_id = packet_id
                return packet_id
