"""The queue's part in what a device is told: what its uplinks acknowledge, what goes down, what came of it.

LoRaWAN 1.0.4 section 4.3.1.2 (ACK): an uplink acknowledges the last confirmed downlink, or says by its silence that
the device has not heard it.
"""

from collections.abc import Callable
from typing import Any, Final

from torhaus.codecs.lorawan.downlink import TxStatus
from torhaus.daemon.lora.assemble import Queue

NO_AIRTIME: Final = "the gateway's airtime of this hour is used up (duty cycle)"
NO_ACK: Final = "the device did not acknowledge it"
UNSURE: Final = "the gateway took it, and did not say what became of it"
_WORDS: Final = {
    TxStatus.TOO_LATE: "it came too late for the window: a slow line to the gateway",
    TxStatus.COLLISION_PACKET: "the gateway sends something else at that time",
    TxStatus.COLLISION_BEACON: "the gateway sends its beacon at that time",
    TxStatus.NO_GATEWAY: "no gateway that heard the device can send",
}

Item = Any
"""The queue's own."""


class Delivery:
    """One for a daemon."""

    def __init__(self, queue: Queue[Item]) -> None:
        self._queue = queue

    def listen(self, listener: Callable[[str], None]) -> None:
        """Have the DevEUI of whatever is queued told."""
        self._queue.listeners.append(listener)

    def heard(self, dev_eui: str, *, ack: bool) -> None:
        """A new uplink of the device came."""
        if not self._queue.has(dev_eui):
            return
        sent = self._queue.unanswered(dev_eui, or_under_way=ack)  # the gateway may be slower to say that it went out
        if sent is not None and ack:
            self._queue.acknowledged(sent)
        elif sent is not None:
            self._queue.failed(sent, NO_ACK)

    def waits(self, dev_eui: str) -> bool:
        """Whether something waits for the device."""
        return self._queue.waiting(dev_eui) > 0

    def awaited(self, dev_eui: str) -> Item | None:
        """The confirmed one whose ACK is to come."""
        return self._queue.unanswered(dev_eui)

    def given_up(self, item: Item) -> None:
        """Its ACK has not come in time."""
        self._queue.failed(item, NO_ACK)

    def next(self, dev_eui: str, room_bytes: int) -> Item | None:
        """What goes down now."""
        return self._queue.head(dev_eui, room_bytes)

    def has_more(self, dev_eui: str, room_bytes: int) -> bool:
        """Whether another uplink would bring one more (FPending)."""
        return self._queue.waiting(dev_eui, room_bytes) > 0

    async def take(self, item: Item, fcnt: int) -> bool:
        """It is about to be sent. False: it must not be."""
        return await self._queue.take(item, fcnt)

    def delayed(self, item: Item) -> None:
        """There is no airtime for it."""
        self._queue.delayed(item, NO_AIRTIME)

    def doubtful(self, item: Item) -> None:
        """It was broken off, and may have been sent."""
        self._queue.doubtful(item)

    def done(self, item: Item, fcnt: int, status: TxStatus) -> None:
        """What the gateways made of it in the end."""
        if status is TxStatus.OK:
            self._queue.sent(item, fcnt)
        elif status is TxStatus.NO_ANSWER:
            self._queue.sent(item, fcnt, UNSURE)
        elif status is TxStatus.DUTY_CYCLE_OVERFLOW:
            self._queue.delayed(item, NO_AIRTIME)
        else:
            self._queue.failed(item, _WORDS.get(status, f"the gateway says {status.value}"))
