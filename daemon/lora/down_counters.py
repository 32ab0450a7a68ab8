"""Downlink counters of sessions that torhaus itself began: on disk before they are used, never used twice."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Literal

from torhaus.daemon.lora.joins import Joins
from torhaus.daemon.lora.network import Device

RESERVE: Final = 32
"""Counters that are set aside on disk at once; after a crash so many are left out at most."""

Which = Literal["fcnt_down_to", "afcnt_down_to"]
"""FCntDown of 1.0 and NFCntDown of 1.1; AFCntDown of 1.1, for application payloads. By the fields of Joined."""


class DownCounters:
    """`saved` writes what is kept of a device, and says whether it is on disk."""

    def __init__(self, joins: Joins, saved: Callable[[str], Awaitable[bool]]) -> None:
        self._joins = joins
        self._saved = saved
        self._next: dict[tuple[str, Which], int] = {}  # by session
        self._lock = asyncio.Lock()

    async def next(self, device: Device, which: Which) -> int | None:
        """None when it cannot be set aside on disk, and so must not be used."""
        async with self._lock:
            assert device.join is not None
            key, before = (device.session_id or "", which), getattr(device.join, which)
            fcnt: int = self._next.get(key, before)
            if fcnt >= before:
                self._joins.change(device, **{which: fcnt + RESERVE})
                if not await self._saved(device.dev_eui or ""):
                    self._joins.change(device, **{which: before})
                    return None
            self._next[key] = fcnt + 1
            return fcnt
