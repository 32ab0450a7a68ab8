"""The machine's clocks. What the kernel says about synchronisation is told by a stand-in for libc."""

import asyncio
import ctypes
import time
from pathlib import Path
from typing import Any, cast

import pytest

from torhaus.daemon import clock
from torhaus.daemon.clock import SystemClock, read_boot_id


class Kernel:
    """adjtimex(2) as a fake: `state` is what it returns, `status` what it puts into struct timex."""

    def __init__(self, state: int = 0, status: int = 0x2001) -> None:
        self.state = state
        self.status = status
        self.asked = 0

    def adjtimex(self, pointer: Any) -> int:
        timex = ctypes.cast(pointer, ctypes.POINTER(clock._Timex)).contents
        assert timex.modes == 0, "the clock must not be set"
        timex.status = self.status
        self.asked += 1
        return self.state


def with_kernel(kernel: Kernel) -> SystemClock:
    return SystemClock(cast("ctypes.CDLL", kernel))


@pytest.mark.parametrize(
    ("state", "status", "synced"),
    [
        (0, 0x2001, True),
        (1, 0x0001, True),  # a leap second is announced
        (5, 0x2041, False),  # TIME_ERROR
        (5, 0x2001, False),
        (0, 0x0040, False),  # STA_UNSYNC
        (-1, 0x2001, False),  # not allowed to ask
    ],
)
def test_synced_is_what_the_kernel_says(state: int, status: int, synced: bool) -> None:
    assert with_kernel(Kernel(state, status)).synced() is synced


def test_the_kernel_is_asked_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel()
    clocks = with_kernel(kernel)
    now = 10**12
    monkeypatch.setattr(SystemClock, "boot_ns", lambda self: now)
    assert all(clocks.synced() for _ in range(100))
    assert kernel.asked == 1
    now += 999_999_999
    kernel.status = 0x40
    assert clocks.synced()
    now += 1
    assert not clocks.synced()
    assert kernel.asked == 2


def test_struct_timex_has_its_status_where_the_kernel_puts_it() -> None:
    """adjtimex(2) on 64-bit Linux: modes, four longs, status; 208 bytes in all."""
    assert clock._Timex.status.offset == 40
    assert ctypes.sizeof(clock._Timex) >= 208


def test_the_real_kernel_answers() -> None:
    clocks = SystemClock()
    assert isinstance(clocks.synced(), bool)
    before, stamp, after = time.time_ns(), clocks.stamp(), time.time_ns()
    assert before <= stamp.wall_ns <= after
    assert stamp.boot_ns <= clocks.boot_ns()
    assert before <= clocks.wall_ns()
    assert stamp.synced is clocks.synced()


def test_sleep_is_a_sleep() -> None:
    asyncio.run(SystemClock().sleep(0))


def test_boot_id() -> None:
    assert len(read_boot_id()) == 32
    assert int(read_boot_id(), 16) >= 0
    assert SystemClock().boot_id


def test_boot_id_without_a_kernel_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_file(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", no_file)
    first, second = read_boot_id(), read_boot_id()
    assert len(first) == 32
    assert first != second
