"""py-spy beside a daemon, with native frames: where the time goes, as stacks in a file and as a list of functions.

py-spy is no dependency of torhaus: it is installed into build/ when it is wanted (bench/requirements-profile.txt).
"""

import signal
import subprocess
from collections import Counter
from pathlib import Path
from typing import Final

from bench.processes import end
from bench.venv import installed

RATE_HZ: Final = 200
TOP: Final = 30


class Profiler:
    """Samples a process until `stop`; `path` gets the list, `path`.stacks what flame graph tools take."""

    def __init__(self, pid: int, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._stacks = path.with_suffix(".stacks")
        binary = installed("profile") / "bin" / "py-spy"
        command = [
            str(binary),
            "record",
            "--pid",
            str(pid),
            "--native",
            "--rate",
            str(RATE_HZ),
            "--threads",
            "--function",
        ]
        command += ["--format", "raw", "--output", str(self._stacks)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def stop(self) -> None:
        """Write down what was seen."""
        self._process.send_signal(signal.SIGINT)
        try:
            _, errors = self._process.communicate(timeout=60)
        finally:
            end(self._process)
        if self._stacks.exists():
            self.path.write_text(summary(self._stacks.read_text()))
        else:
            self.path.write_text(f"py-spy could not attach:\n{errors.decode(errors='replace')}")


def summary(stacks: str) -> str:
    """Collapsed stacks as lists, thread by thread: time in a function itself, and with all that it calls.

    Percent of the thread's own samples. A thread that waits shows the wait: py-spy cannot tell it apart with native
    frames.
    """
    threads: dict[str, tuple[Counter[str], Counter[str]]] = {}
    for line in stacks.splitlines():
        stack, _, count = line.rpartition(" ")
        thread, *frames = stack.split(";")
        if not frames:
            continue
        own, whole = threads.setdefault(thread, (Counter(), Counter()))
        own[frames[-1]] += int(count)
        for frame in set(frames):
            whole[frame] += int(count)
    out = []
    for thread, (own, whole) in sorted(threads.items(), key=lambda t: -t[1][0].total()):
        total = own.total()
        out.append(f"{thread}: {total} samples")
        for title, counter in (("itself", own), ("with what it calls", whole)):
            out.append(f"  percent {title}")
            out += [f"  {n / total:7.1%}  {frame}" for frame, n in counter.most_common(TOP)]
    return "\n".join(out) + "\n"
