"""What a process uses, read from /proc, of this very process."""

import os
import subprocess
import sys
from pathlib import Path

from bench.usage import Usage, children, memory_bytes, usage


def test_of_this_process() -> None:
    here = Path(__file__).parent
    before = usage(os.getpid(), here)
    assert before.cpu_s > 0
    total = 0
    while usage(os.getpid(), here).since(before).loop_s == 0:  # until the kernel has counted something
        total += sum(range(10_000))
    assert total >= 0
    assert memory_bytes(os.getpid(), "VmHWM") >= memory_bytes(os.getpid()) // 2 > 0


def test_children_are_found() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        try:
            assert child.pid in children(os.getpid())
        finally:
            child.communicate(b"\n")


def test_differences() -> None:
    used = Usage(3, 2, 1, 100, 7).since(Usage(1, 1, 1, 40, 5))
    assert used == Usage(2, 1, 0, 60, 2)
    assert used.cpu_s == 3
