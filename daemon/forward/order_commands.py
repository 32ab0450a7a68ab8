"""Orders for downlinks that come from a broker or server: one JSON object a message, as in torhaus.daemon.lora.orders.

A message is acknowledged once its order is on disk, or refused for good; until then the far side keeps it. It may come
twice, so each needs a `ref`. What becomes of it, a refusal too, is told by events; nothing is published here.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Final

import msgspec

from torhaus.daemon import logs
from torhaus.daemon.clock import Clock
from torhaus.daemon.lora.orders import MAX_REF, OrderRefused, Orders

AT_ONCE: Final = 16
"""Orders that the far side may have under way to us."""
RETRY_S: Final = 5.0
"""How long until a disk that could not be written is tried again."""
DOWN: Final = "down"
Kept = Callable[[], None]


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of an order: `queued`, `repeated` (it is known by its ref) or `refused`, with the reason."""

    result: str
    id: str = ""
    reason: str = ""
    detail: str = ""


Tell = Callable[[Told], None]


class _Named(msgspec.Struct):
    """What can be told of an order that is none: whose it is."""

    device: str = ""
    ref: str = ""


class OrderCommands:
    """Of one forwarder, whose name is the orders' `source`. `counts`: by command and what became of it."""

    def __init__(self, orders: Orders, source: str, clock: Clock, counts: Counter[tuple[str, str]]) -> None:
        self._orders = orders
        self._source = source
        self._clock = clock
        self._counts = counts
        self._waiting: asyncio.Queue[tuple[bytes, Tell]] = asyncio.Queue(AT_ONCE)

    def put(self, _: str, payload: bytes, kept: Kept) -> None:
        """One has come; `kept` is called when it is on disk or refused."""
        self.take(payload, lambda _: kept())

    def take(self, payload: bytes, tell: Tell) -> bool:
        """One has come; `tell` is called with what became of it. Whether there is room for it."""
        if self._waiting.full():  # of QoS 0, or the far side does not keep to what was agreed
            self._counts[DOWN, "dropped"] += 1
            return False
        self._waiting.put_nowait((payload, tell))
        return True

    def forget(self) -> None:
        """The connection is lost: the far side sends again what was not acknowledged."""
        while not self._waiting.empty():
            self._waiting.get_nowait()

    async def run(self) -> None:
        """Take orders, one after the other, until cancelled."""
        while True:
            payload, tell = await self._waiting.get()
            told = await self._place(payload)
            while told is None:
                await self._clock.sleep(RETRY_S)
                told = await self._place(payload)
            self._counts[DOWN, told.result] += 1
            tell(told)

    async def _place(self, payload: bytes) -> Told | None:
        """What became of an order; None when the disk cannot be written just now."""
        try:
            placed = await self._orders.place(self._orders.parse(payload), self._source, needs_ref=True)
        except OrderRefused as e:
            if e.reason == "not_stored":
                return None
            named = _named(payload)
            self._orders.tell_refused(named.device, named.ref, e)
            return Told("refused", reason=e.reason, detail=str(e))
        for warning in placed.warnings:
            logs.warning("the script warns", id=placed.item.id, detail=warning)
        return Told("queued" if placed.is_new else "repeated", placed.item.id)


def _named(payload: bytes) -> _Named:
    try:
        found = msgspec.json.decode(payload, type=_Named)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return _Named()
    return _Named(found.device[:MAX_REF], found.ref[:MAX_REF])
