"""What a process uses up, from /proc: CPU by thread, memory, bytes written, and flushes of the disk."""

import os
from pathlib import Path
from typing import Final

import msgspec

_TICKS: Final = os.sysconf("SC_CLK_TCK")


class Usage(msgspec.Struct, frozen=True):
    """Figures since the start of a process. CPU times are user and system together, in seconds."""

    loop_s: float  # the main thread: the event loop
    threads_s: float  # all other threads
    children_s: float  # processes below it (the script child)
    written_bytes: int  # what it had written to disk, as the kernel counts it
    flushes: int  # of the whole disk, by anybody: exact only on a quiet machine

    @property
    def cpu_s(self) -> float:
        """All of it."""
        return self.loop_s + self.threads_s + self.children_s

    def since(self, before: "Usage") -> "Usage":
        """The difference."""
        return Usage(*(getattr(self, f) - getattr(before, f) for f in Usage.__struct_fields__))


def usage(pid: int, disk: Path) -> Usage:
    """Of a process and its children; `disk` is a folder on the disk whose flushes are counted."""
    loop_s, threads_s = _cpu(pid)
    children_s = sum(sum(_cpu(child)) for child in children(pid))
    return Usage(loop_s, threads_s, children_s, _written(pid), flushes(disk))


def _cpu(pid: int) -> tuple[float, float]:
    """Main thread, other threads."""
    main = others = 0.0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            seconds = _thread_s(task)
        except FileNotFoundError:
            continue  # ended while we looked
        if int(task.name) == pid:
            main = seconds
        else:
            others += seconds
    return main, others


def _thread_s(task: Path) -> float:
    """From schedstat (nanoseconds) where the kernel has it, else from stat (ticks of 10 ms)."""
    try:
        return int((task / "schedstat").read_text().split()[0]) / 1e9
    except FileNotFoundError:
        fields = (task / "stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


def children(pid: int) -> list[int]:
    """All processes below this one."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for word in (task / "children").read_text().split():
            found += [int(word), *children(int(word))]
    return found


def memory_bytes(pid: int, field: str = "VmRSS") -> int:
    """`VmRSS`, or `VmHWM` for the most it ever was."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"no {field} in /proc/{pid}/status")


def _written(pid: int) -> int:
    for line in Path(f"/proc/{pid}/io").read_text().splitlines():
        if line.startswith("write_bytes:"):
            return int(line.split()[1])
    raise ValueError(f"no write_bytes in /proc/{pid}/io")


def flushes(folder: Path) -> int:
    """Flush requests that the disk below a folder has completed; 0 where the kernel does not say."""
    device = folder.stat().st_dev
    for line in Path("/proc/diskstats").read_text().splitlines():
        fields = line.split()
        if (int(fields[0]), int(fields[1])) == (os.major(device), os.minor(device)) and len(fields) > 18:
            return int(fields[18])
    return 0
