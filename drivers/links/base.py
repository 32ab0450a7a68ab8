"""What every link is: a byte transport to a device that is lost with DriverGone, and in no other way."""

import asyncio
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Final, Self

from torhaus.drivers.base import DriverGone
from torhaus.drivers.said import Said, about

READ_BYTES: Final = 4096
"""Bytes that one read returns at most, if nothing else is asked for."""
MAX_WRITE_BYTES: Final = 65_536
"""Bytes of one write: requests to meters and buses are a few hundred at most."""
MAX_DRAIN_BYTES: Final = 65_536
WRITE_S: Final = 10.0
"""A far side that takes nothing for so long is gone (flow control stuck, or a dead connection)."""


class Link(ABC):
    """An open link. One task reads, one writes; `async with` closes it.

    `sets_baud`: whether the line's rate can be changed from here. `idle_s`: a silence of so many seconds during a read
    is taken for a loss (0: never), for devices that speak by themselves.
    """

    sets_baud: bool = True

    def __init__(self, name: str, idle_s: float = 0.0) -> None:
        self.name = name
        self.idle_s = idle_s

    async def read(self, max_bytes: int = READ_BYTES) -> bytes:
        """What has arrived, 1 to `max_bytes` bytes; waits for the first. Raises DriverGone."""
        if max_bytes < 1:
            raise ValueError("a read of less than one byte")
        try:
            async with asyncio.timeout(self.idle_s or None):
                return await self._read(max_bytes)
        except TimeoutError:
            raise DriverGone(about(self.name, Said("silent", s=self.idle_s))) from None

    async def write(self, data: bytes) -> None:
        """Send; returns when the system has taken all of it. Raises DriverGone."""
        if len(data) > MAX_WRITE_BYTES:
            raise ValueError(f"a write of more than {MAX_WRITE_BYTES} bytes")
        try:
            async with asyncio.timeout(WRITE_S):
                await self._write(data)
        except TimeoutError:
            raise DriverGone(about(self.name, Said("takes_nothing", s=WRITE_S))) from None

    async def drain(self, quiet_s: float) -> int:
        """Drop what arrives until nothing has for so long, such as late answers; returns how much. Raises DriverGone.

        Ends after MAX_DRAIN_BYTES: a device that never stops talking is a fault that reading will show.
        """
        dropped = 0
        while dropped < MAX_DRAIN_BYTES:
            try:
                async with asyncio.timeout(quiet_s):
                    dropped += len(await self._read(READ_BYTES))
            except TimeoutError:
                break
        return dropped

    async def set_baud(self, baud: int) -> None:
        """Go on at another rate (bit/s). Raises DriverGone, and ValueError where `sets_baud` is False."""
        try:
            async with asyncio.timeout(WRITE_S):
                await self._set_baud(baud)
        except TimeoutError:
            raise DriverGone(about(self.name, Said("no_new_rate", s=WRITE_S))) from None

    @abstractmethod
    async def close(self) -> None:
        """Let go of the device. May be called twice; a read under way ends with DriverGone. Never raises."""

    @abstractmethod
    async def _read(self, max_bytes: int) -> bytes:
        """As `read`, without a limit in time. Turns every OSError into DriverGone."""

    @abstractmethod
    async def _write(self, data: bytes) -> None:
        """As `write`, without a limit in time. Turns every OSError into DriverGone."""

    async def _set_baud(self, baud: int) -> None:
        """As `set_baud`, without a limit in time. Turns every OSError into DriverGone."""
        raise ValueError(f"{self.name}: {baud} baud cannot be set from here, the converter has the line's settings")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
