"""The queue's part in what a device of class A is told: what its uplinks acknowledge, what goes down, what came of it.

LoRaWAN 1.0.4 section 4.3.1.2 (ACK): an uplink acknowledges the last confirmed downlink, or says by its silence that
the device has not heard it.
"""

from typing import Final

from torhaus.codecs.lorawan.downlink import TxStatus
from torhaus.codecs.lorawan.region import max_payload, rx1, rx2
from torhaus.codecs.lorawan.regions.model import Region
from torhaus.codecs.model import DecodeError
from torhaus.daemon.lora.queue import DownlinkQueue
from torhaus.daemon.outbox.queued import Queued

NO_AIRTIME: Final = "the gateway's airtime of this hour is used up (duty cycle)"
UNSURE: Final = "the gateway took it, and did not say what became of it"
_WORDS: Final = {
    TxStatus.TOO_LATE: "it came too late for the window: a slow line to the gateway",
    TxStatus.COLLISION_PACKET: "the gateway sends something else at that time",
    TxStatus.COLLISION_BEACON: "the gateway sends its beacon at that time",
    TxStatus.NO_GATEWAY: "no gateway that heard the device can send",
}


class Delivery:
    """One for a daemon."""

    def __init__(self, queue: DownlinkQueue) -> None:
        self._queue = queue

    def heard(self, dev_eui: str, *, ack: bool) -> bool:
        """A new uplink of the device came. Whether something waits for it."""
        if not self._queue.has(dev_eui):
            return False
        sent = self._queue.unanswered(dev_eui, or_under_way=ack)  # the gateway may be slower to say that it went out
        if sent is not None and ack:
            self._queue.acknowledged(sent)
        elif sent is not None:
            self._queue.failed(sent)
        return self._queue.waiting(dev_eui) > 0

    def unanswered(self) -> dict[str, int]:
        """By DevEUI: FCnt of the confirmed downlink that the device may acknowledge with its next uplink."""
        return {q.dev_eui: q.fcnt for q in self._queue.open() if q.place == "unacknowledged" and q.fcnt is not None}

    def next(self, dev_eui: str, room_bytes: int) -> Queued | None:
        """What goes down now."""
        return self._queue.head(dev_eui, room_bytes)

    def has_more(self, dev_eui: str, room_bytes: int) -> bool:
        """Whether another uplink would bring one more (FPending)."""
        return self._queue.waiting(dev_eui, room_bytes) > 0

    async def take(self, item: Queued, fcnt: int) -> bool:
        """It is about to be sent. False: it must not be."""
        return await self._queue.take(item, fcnt)

    def delayed(self, item: Queued) -> None:
        """There is no airtime for it."""
        self._queue.delayed(item, NO_AIRTIME)

    def doubtful(self, item: Queued) -> None:
        """It was broken off, and may have been sent."""
        self._queue.doubtful(item)

    def done(self, item: Queued, fcnt: int, status: TxStatus) -> None:
        """What the gateways made of it in the end."""
        if status is TxStatus.OK:
            self._queue.sent(item, fcnt)
        elif status is TxStatus.NO_ANSWER:
            self._queue.sent(item, fcnt, UNSURE)
        elif status is TxStatus.DUTY_CYCLE_OVERFLOW:
            self._queue.delayed(item, NO_AIRTIME)
        else:
            self._queue.failed(item, _WORDS.get(status, f"the gateway says {status.value}"))


def room_bytes(region: Region, freq_hz: int, dr: int | None) -> int:
    """How long a payload without FOpts may be in RX1; in RX2 where RX1's data rate cannot be told."""
    if dr is not None:
        try:
            return max_payload(region, rx1(region, freq_hz, dr)[1])
        except DecodeError:
            pass
    return max_payload(region, rx2(region)[1])
