"""When each gateway sends what, as far as it was told from here: in the time of its own counter, which wraps.

A gateway has one transmitter. One that is known to be sending in a window need not be asked. Nothing is known of
downlinks at once (class C): they go when the gateway finds time.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec

from torhaus.codecs.lorawan.downlink import After, TxItem, counter_us
from torhaus.daemon.lora.duty_cycle import airtime_of

MAX_GATEWAYS: Final = 1024
MAX_SLOTS: Final = 128
"""Of one gateway: a concentrator's own queue holds fewer."""
_WRAP: Final = 1 << 32
_HALF: Final = 1 << 31


class Slot(msgspec.Struct, frozen=True, eq=False, gc=False):
    """On the air from `start_us` of a gateway's counter on; over at `over_ns` since boot at the latest."""

    gateway: str
    start_us: int
    airtime_us: int
    over_ns: int


class OnAir:
    """All gateways. `boot_ns` never steps."""

    def __init__(self, boot_ns: Callable[[], int]) -> None:
        self._boot_ns = boot_ns
        self._slots: dict[str, deque[Slot]] = {}

    def is_busy(self, gateway: str, item: TxItem) -> bool:
        """Whether it sends something else while this would be on the air."""
        slots, wanted = self._slots.get(gateway), self._slot(gateway, item)
        if slots is None or wanted is None:
            return False
        now_ns = self._boot_ns()
        return any(slot.over_ns >= now_ns and _overlap(wanted, slot) for slot in slots)

    def take(self, gateway: str, item: TxItem) -> Slot | None:
        """It is being told to send this. None where it cannot be said when that is."""
        slot = self._slot(gateway, item)
        if slot is None:
            return None
        slots = self._slots.get(gateway)
        if slots is None:
            self._forget()
            if len(self._slots) >= MAX_GATEWAYS:
                return None
            slots = self._slots[gateway] = deque(maxlen=MAX_SLOTS)
        now_ns = self._boot_ns()
        while slots and slots[0].over_ns < now_ns:
            slots.popleft()
        slots.append(slot)
        return slot

    def free(self, slot: Slot) -> None:
        """It will not send this."""
        slots = self._slots.get(slot.gateway)
        if slots is not None and slot in slots:
            slots.remove(slot)

    def _forget(self) -> None:
        """Let go of gateways that are silent by now."""
        now_ns = self._boot_ns()
        self._slots = {
            gateway: slots for gateway, slots in self._slots.items() if any(slot.over_ns >= now_ns for slot in slots)
        }

    def _slot(self, gateway: str, item: TxItem) -> Slot | None:
        if not isinstance(item.at, After):
            return None
        heard_us = counter_us(item.at.context)
        if heard_us is None:
            return None
        us = airtime_of(item)
        over_ns = self._boot_ns() + (item.at.delay_us + us) * 1000
        return Slot(gateway, (heard_us + item.at.delay_us) % _WRAP, us, over_ns)


def _overlap(one: Slot, other: Slot) -> bool:
    after_us = (one.start_us - other.start_us + _HALF) % _WRAP - _HALF
    return -one.airtime_us < after_us < other.airtime_us
