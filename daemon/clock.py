"""Time as a seam: everything that needs the time or waits is given a Clock, so that no test has to sleep."""

import asyncio
import ctypes
import os
import time
from pathlib import Path
from typing import Final, Protocol

from torhaus.codecs.model import Stamp

_STA_UNSYNC: Final = 0x40
_TIME_ERROR: Final = 5
_SYNC_CHECK_NS: Final = 1_000_000_000
"""The kernel is asked once a second whether its clock is synchronised, not for every record."""


class Clock(Protocol):
    """The time, and waiting."""

    boot_id: str

    def wall_ns(self) -> int:
        """Nanoseconds since the Unix epoch."""
        ...

    def boot_ns(self) -> int:
        """Nanoseconds since boot, suspended time included; never steps."""
        ...

    def synced(self) -> bool:
        """Whether the kernel says that the wall clock is synchronised."""
        ...

    def stamp(self) -> Stamp:
        """All three at once."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class _Timex(ctypes.Structure):
    """struct timex of adjtimex(2); only `status` is read. Padded well beyond the kernel's 208 bytes."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("head", ctypes.c_long * 4),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 512),
    )


class SystemClock:
    """The machine's clocks."""

    def __init__(self, libc: ctypes.CDLL | None = None) -> None:
        self.boot_id = read_boot_id()
        self._libc = libc or ctypes.CDLL(None, use_errno=True)
        self._checked_ns = -_SYNC_CHECK_NS
        self._synced = False

    def wall_ns(self) -> int:
        """Nanoseconds since the Unix epoch."""
        return time.time_ns()

    def boot_ns(self) -> int:
        """Nanoseconds since boot, suspended time included; never steps."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    def synced(self) -> bool:
        """Whether the kernel says that the wall clock is synchronised (adjtimex: neither TIME_ERROR nor STA_UNSYNC)."""
        now = self.boot_ns()
        if now - self._checked_ns >= _SYNC_CHECK_NS:
            self._checked_ns = now
            self._synced = self._ask_kernel()
        return self._synced

    def _ask_kernel(self) -> bool:
        timex = _Timex()
        state = self._libc.adjtimex(ctypes.byref(timex))
        return 0 <= state < _TIME_ERROR and not timex.status & _STA_UNSYNC

    def stamp(self) -> Stamp:
        """All three at once."""
        return Stamp(time.time_ns(), time.clock_gettime_ns(time.CLOCK_BOOTTIME), self.synced())

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


def read_boot_id() -> str:
    """The kernel's id of this boot, 32 hex digits; made from the process where there is no such file."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip().replace("-", "")
    except OSError:
        return os.urandom(16).hex()
